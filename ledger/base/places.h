/* Where files are unless the configuration or an option says something else. In a checkout they are beside
 * the configuration; for what `make install` installs, where its prefix and the GNU variables say. The same
 * source is compiled for both, so that only the text of these differs. */
#ifndef LEDGER_BASE_PLACES_H
#define LEDGER_BASE_PLACES_H

/* The configuration: "config.yaml" in the current folder, or "/etc/crawltab/config.yaml". */
extern const char places_config[];

/* Folder of keys and secrets: "var", relative to the configuration's, or "/var/lib/crawltab". */
extern const char places_state[];

/* PostgreSQL, as ledger.connection. */
extern const char places_connection[];

/* Files of a small site, for the configuration that is an example. */
extern const char places_site[];

/* Folder of the console's style and script, relative to that of the operator's command in a checkout. */
extern const char places_console[];

/* The operator's command, relative to the folder that the gate's program lies in. */
extern const char places_command[];

#endif
