# Installing, by the GNU conventions: make install DESTDIR=… prefix=…; make uninstall takes it away again.
# Other than by those, configuration and state do not move with the prefix: a daemon's are looked for in /etc
# and /var/lib. Who wants them elsewhere gives sysconfdir and localstatedir.
prefix          = /usr/local
exec_prefix     = $(prefix)
bindir          = $(exec_prefix)/bin
sbindir         = $(exec_prefix)/sbin
datarootdir     = $(prefix)/share
datadir         = $(datarootdir)
docdir          = $(datarootdir)/doc/crawltab
mandir          = $(datarootdir)/man
completiondir   = $(datarootdir)/bash-completion/completions
zshdir          = $(datarootdir)/zsh/site-functions
unitdir         = $(prefix)/lib/systemd/system
sysusersdir     = $(prefix)/lib/sysusers.d
sysconfdir      = /etc
localstatedir   = /var
INSTALL         = install
INSTALL_PROGRAM = $(INSTALL)
INSTALL_DATA    = $(INSTALL) -m 644

state           = $(localstatedir)/lib/crawltab
to              = $(BUILD)/install

# The installed programs differ from those of the checkout in where they look for things, and in nothing else
# (ledger/base/places.h): one object is compiled again, and linked before the library that has the other one.
# libpq knows where Debian's PostgreSQL has its socket.
PLACES = -DPLACES_CONFIG='"$(sysconfdir)/crawltab/config.yaml"' -DPLACES_STATE='"$(state)"' \
         -DPLACES_CONNECTION='"dbname=crawltab"' -DPLACES_SITE='"$(datadir)/crawltab/site"' \
         -DPLACES_COMMAND='"$(shell realpath -sm --relative-to=$(sbindir) $(bindir))/crawltab"' \
         -DPLACES_CONSOLE='"$(datadir)/crawltab/console"'
$(to)/places: FORCE
	@mkdir -p $(@D)
	@echo $(foreach word,$(PLACES) $(sbindir) $(docdir),'$(subst ','\'',$(word))') >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(to)/places.o: ledger/base/places.c ledger/base/places.h $(to)/places
	$(CC) $(CFLAGS) $(PLACES) -c $< -o $@
$(to)/crawltabd: $(BUILD)/server/main.o $(to)/places.o $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(to)/crawltab: $(call objects,tools/crawltab) $(to)/places.o $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(to)/crawler: $(call objects,tools/crawler) $(to)/places.o $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(to)/config.yaml.example: $(to)/crawltabd
	$< --print-config-example >$@.new && mv $@.new $@

# Units have the installation's paths, and the lines of the sandbox where @sandbox@ stands.
UNITS = $(addprefix $(to)/systemd/,$(notdir $(wildcard tools/deploy/systemd/*.service \
	tools/deploy/systemd/*.socket tools/deploy/systemd/*.timer tools/deploy/systemd/*.sysusers)))
$(UNITS): $(to)/systemd/%: tools/deploy/systemd/% tools/deploy/systemd/sandbox.conf $(to)/places
	@mkdir -p $(@D)
	sed -e '/^@sandbox@$$/{r tools/deploy/systemd/sandbox.conf' -e 'd}' $< | sed -e '/^#:/d' \
		$(foreach name,sbindir bindir sysconfdir docdir state,-e 's|@$(name)@|$($(name))|g') >$@.new
	mv $@.new $@

# bash looks for a completion by the name of the program.
COMPLETED = crawltab crawler crawltabd

# Manual pages are what the programs say of themselves, with the date of the change log's newest heading.
MAN = $(addprefix $(to)/man/,crawltab.1 crawler.1 crawltab.yaml.5 crawltabd.8)
DATE := $(shell sed -n 's/^\#\# [^ ]* (\([-0-9]*\)).*/\1/p;T;q' tools/deploy/CHANGELOG.md)
$(MAN): $(to)/man/%: tools/deploy/man.sh $(to)/crawltab $(to)/crawltabd $(to)/crawler
	@mkdir -p $(@D)
	tools/deploy/man.sh $(to)/$(basename $*) $(subst .,,$(suffix $*)) $(VERSION) $(DATE) >$@.new
	mv $@.new $@

# One for each command of crawltab, of which only the program knows.
$(to)/man/commands: tools/deploy/man.sh $(to)/crawltab
	@mkdir -p $@
	rm -f $@/*
	for command in $$($(to)/crawltab --help | \
			sed -n 's/^  \([a-z][a-z-]*\) \{1,\}[a-z].*/\1/p' | grep -vx crawltab); do \
		tools/deploy/man.sh $(to)/crawltab-$$command 1 $(VERSION) $(DATE) >$@/crawltab-$$command.1 || exit; done
	@touch $@

SITE = $(patsubst tools/demo/site/%,%,$(shell find tools/demo/site -type f))
.PHONY: FORCE installed install install-strip uninstall installdirs
FORCE:

installed: $(to)/crawltabd $(to)/crawltab $(to)/crawler $(to)/config.yaml.example $(UNITS) $(MAN) \
	$(to)/man/commands

installdirs:
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(sbindir) $(DESTDIR)$(docdir)/examples \
		$(DESTDIR)$(docdir)/tools/doc \
		$(DESTDIR)$(unitdir) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(completiondir) $(DESTDIR)$(zshdir) \
		$(foreach section,1 5 8,$(DESTDIR)$(mandir)/man$(section)) \
		$(DESTDIR)$(sysconfdir)/crawltab \
		$(DESTDIR)$(datadir)/crawltab/console \
		$(addprefix $(DESTDIR)$(datadir)/crawltab/site/,$(sort $(dir $(SITE))))
	$(INSTALL) -d -m 700 $(DESTDIR)$(state)

install: installed installdirs ## installs under prefix=/usr/local (DESTDIR=: somewhere else)
	$(INSTALL_PROGRAM) $(to)/crawltabd $(DESTDIR)$(sbindir)/crawltabd
	$(INSTALL_PROGRAM) $(to)/crawltab $(DESTDIR)$(bindir)/crawltab
	$(INSTALL_PROGRAM) $(to)/crawler $(DESTDIR)$(bindir)/crawler
	$(INSTALL_DATA) $(to)/config.yaml.example $(DESTDIR)$(docdir)/examples/config.yaml.example
	$(INSTALL_DATA) tools/deploy/fronts/haproxy.lua $(DESTDIR)$(docdir)/examples/haproxy.lua
	$(INSTALL_DATA) README.md tools/deploy/CHANGELOG.md ledger/PROOF.md $(DESTDIR)$(docdir)
	$(INSTALL_DATA) server/WIRE.md server/X402.md $(DESTDIR)$(docdir)
	$(INSTALL_DATA) $(wildcard tools/doc/*) $(DESTDIR)$(docdir)/tools/doc
	$(INSTALL_DATA) $(wildcard server/console/assets/*) $(DESTDIR)$(datadir)/crawltab/console
	$(INSTALL_DATA) $(filter-out %.sysusers,$(UNITS)) $(DESTDIR)$(unitdir)
	$(INSTALL_DATA) $(to)/systemd/crawltab.sysusers $(DESTDIR)$(sysusersdir)/crawltab.conf
	$(INSTALL_DATA) $(filter %.1,$(MAN)) $(to)/man/commands/*.1 $(DESTDIR)$(mandir)/man1
	$(INSTALL_DATA) tools/deploy/completion.zsh $(DESTDIR)$(zshdir)/_crawltab
	$(INSTALL_DATA) $(filter %.5,$(MAN)) $(DESTDIR)$(mandir)/man5
	$(INSTALL_DATA) $(filter %.8,$(MAN)) $(DESTDIR)$(mandir)/man8
	@for name in $(COMPLETED); do \
		$(INSTALL_DATA) tools/deploy/completion.bash $(DESTDIR)$(completiondir)/$$name || exit; done
	@for file in $(SITE); do \
		$(INSTALL_DATA) tools/demo/site/$$file $(DESTDIR)$(datadir)/crawltab/site/$$file || exit; done

install-strip:
	@$(MAKE) INSTALL_PROGRAM='$(INSTALL_PROGRAM) -s' install

# Configuration and state stay; their folders go only if nothing is in them.
uninstall: ## removes what make install installed, but not configuration, keys and ledger
	rm -f $(DESTDIR)$(sbindir)/crawltabd $(DESTDIR)$(bindir)/crawltab $(DESTDIR)$(bindir)/crawler
	rm -f $(addprefix $(DESTDIR)$(unitdir)/,$(notdir $(filter-out %.sysusers,$(UNITS)))) \
		$(DESTDIR)$(sysusersdir)/crawltab.conf
	rm -f $(foreach page,$(notdir $(MAN)),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(page)))/$(page)) \
		$(addprefix $(DESTDIR)$(completiondir)/,$(COMPLETED)) \
		$(DESTDIR)$(mandir)/man1/crawltab-*.1 $(DESTDIR)$(zshdir)/_crawltab
	rm -rf $(DESTDIR)$(docdir) $(DESTDIR)$(datadir)/crawltab
	@rmdir $(DESTDIR)$(sysconfdir)/crawltab $(DESTDIR)$(state) 2>/dev/null || true

# --- Releases and packages. What is released is what is committed.
RELEASE = crawltab-$(VERSION)
.PHONY: dist deb sbom test-deb
dist: ## build/crawltab-VERSION.tar.gz of what is committed, with checksums (SIGN=KEY: signed by GnuPG)
	@mkdir -p $(BUILD)
	git archive --format=tar --prefix=$(RELEASE)/ HEAD | gzip -n9 >$(BUILD)/$(RELEASE).tar.gz
	cd $(BUILD) && sha256sum $(RELEASE).tar.gz >$(RELEASE).sha256
	$(if $(SIGN),cd $(BUILD) && gpg --yes --armor --local-user '$(SIGN)' --clearsign $(RELEASE).sha256)
	@echo "$(BUILD)/$(RELEASE).tar.gz"

sbom: all ## build/crawltab-VERSION.spdx.json: the libraries that the programs are linked with, as SPDX 2.3
	@tools/deploy/sbom.sh $(VERSION) $(PROGRAMS) >$(BUILD)/$(RELEASE).spdx.json.new
	@mv $(BUILD)/$(RELEASE).spdx.json.new $(BUILD)/$(RELEASE).spdx.json
	@echo "$(BUILD)/$(RELEASE).spdx.json"

deb: dist ## Debian packages in build/deb, from what is committed
	$(NEEDS) deb
	@tools/deploy/deb.sh $(BUILD)/$(RELEASE).tar.gz $(BUILD)/deb

test-deb: ## builds the packages twice, and installs, upgrades and purges them in a fresh Debian 12 (as root)
	@$(MAKE) -s deb
	@tools/deploy/test-deb.sh $(BUILD)
