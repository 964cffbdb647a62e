# The house rules for one source file after another: limits, banned calls, includes. Prints "file:line: what"
# per finding. Expects file names relative to the checkout and sources as clang-format leaves them, so that a
# line that is "{" alone opens a function and one that starts with "}" closes it.
#
# A finding is excused on its line, or the line before, by a comment "lint: RULE, reason".

function finding(line, rule, what)
{
    if (excused[line] ~ "^" rule ", *[^ ]" || excused[line - 1] ~ "^" rule ", *[^ ]")
        return
    printf "%s:%d: %s (%s)\n", file, line, what, rule
}

# The rooms, the lowest first, and what each may include besides itself. A new room is named here.
function rooms(    base, money, server)
{
    edge["ledger/base"] = ""
    edge["ledger/base/text"] = edge["ledger/base/crypto"] = edge["ledger/base/metrics"] = "ledger/base"
    edge["ledger/base/file"] = "ledger/base ledger/base/crypto"
    edge["ledger/base/identifier"] = "ledger/base ledger/base/text"
    base = "ledger/base ledger/base/text ledger/base/crypto ledger/base/file ledger/base/identifier"
    edge["ledger/base/config"] = edge["ledger/base/http"] = base
    base = base " ledger/base/config ledger/base/http ledger/base/metrics"
    edge["ledger/format"] = edge["ledger/verify"] = base
    edge["ledger/format/paper"] = edge["ledger/format/bank"] = base " ledger/format"
    edge["ledger/format/bill"] = base " ledger/format ledger/format/paper"
    edge["ledger/licence"] = base " ledger/format"
    edge["ledger/pg"] = base
    edge["ledger/dialect"] = base " ledger/verify"
    base = base " ledger/pg"
    edge["ledger/site"] = edge["ledger/terms"] = edge["ledger/proof"] = edge["ledger/archive"] = base
    edge["ledger/traffic"] = edge["ledger/export"] = edge["ledger/token"] = base
    edge["ledger/witness"] = base " ledger/proof"
    edge["ledger/bill"] = base " ledger/site ledger/format ledger/format/bill"
    edge["ledger/entry"] = base " ledger/site"
    edge["ledger/delivery"] = base " ledger/proof ledger/entry"
    edge["ledger/evidence"] = base " ledger/verify ledger/entry ledger/dialect"
    edge["ledger/bundle"] = base " ledger/verify ledger/entry ledger/proof ledger/evidence ledger/delivery" \
        " ledger/witness"
    edge["ledger/outbox"] = base " ledger/bill"
    edge["ledger/dispute"] = base " ledger/verify ledger/entry ledger/evidence ledger/site ledger/bill"
    edge["ledger/credit"] = base " ledger/terms ledger/entry ledger/token"
    edge["ledger/account"] = base " ledger/terms ledger/format ledger/format/bill ledger/bill" \
        " ledger/collect ledger/dispute ledger/entry ledger/proof ledger/verify ledger/bundle" \
        " ledger/delivery"
    edge["ledger/collect"] = base " ledger/format ledger/format/bank ledger/bill ledger/outbox"
    edge["ledger/audit"] = base " ledger/site ledger/proof ledger/evidence ledger/delivery ledger/witness"
    edge["ledger/night"] = base " ledger/site ledger/proof ledger/bill ledger/entry ledger/evidence" \
        " ledger/delivery"
    edge["server/http"] = edge["ledger/format"]
    edge["server/agent"] = edge["ledger/entry"] " ledger/entry ledger/verify"
    edge["server/content"] = edge["server/origin"] = edge["server/http"]
    edge["server/rules"] = edge["ledger/credit"] " ledger/credit ledger/verify"
    edge["server/published"] = edge["server/http"] " ledger/licence ledger/verify server/agent"
    edge["server/mcp"] = edge["ledger/delivery"] " ledger/delivery"
    edge["server/gate"] = edge["server/rules"] " server/rules ledger/dialect ledger/traffic server/agent" \
        " server/content server/origin server/published server/mcp ledger/account ledger/delivery"
    edge["server/decisions"] = edge["server/gate"] " server/gate"
    edge["server/facilitator"] = edge["server/gate"] " server/gate ledger/licence"
    edge["server/monitor"] = edge["ledger/credit"] " ledger/credit ledger/traffic server/http"
    edge["server/console/base"] = edge["ledger/token"] " ledger/token"
    # The rows of sql/statements/console have no other room.
    edge["server/console/view"] = edge["server/console/base"] " server/console/base ledger/console"
    edge["server/console"] = edge["server/console/view"] " server/console/view"
    server = edge["server/gate"] " server/gate server/decisions server/facilitator server/monitor" \
        " server/http"
    edge["server/run"] = server
    edge["server"] = server " server/run"
    money = base " ledger/format ledger/format/paper ledger/format/bill ledger/format/bank" \
        " ledger/site ledger/terms ledger/proof ledger/archive ledger/bill ledger/entry ledger/outbox" \
        " ledger/credit ledger/collect" \
        " ledger/traffic ledger/audit ledger/night ledger/verify ledger/licence ledger/evidence" \
        " ledger/bundle ledger/dispute ledger/export ledger/token ledger/delivery ledger/witness" \
        " server/agent"
    edge["tools/crawler"] = edge["ledger/verify"] " ledger/verify server/agent"
    edge["tools/crawler/account"] = edge["tools/crawler"] " tools/crawler"
    edge["tools/crawltab/frame"] = money
    edge["tools/crawltab"] = money " tools/crawltab/frame server/http server/console server/rules"
    edge["tests"] = "any"
}

# The room of a file or header is its folder; what the build makes of the columns in sql/statements/ROOM
# belongs to ledger/ROOM.
function room_of(path)
{
    if (sub(/^sql\/rows\//, "ledger/", path))
        sub(/\.h$/, "/", path)
    sub(/\/[^\/]*$/, "", path)
    return path ~ /^tests\// ? "tests" : path
}

function may_include(from, to)
{
    if (from == to || from == "tests")
        return 1
    if (!(from in edge)) # the rooms of the operator's command but its frame are alike
        sub(/\/[^\/]*$/, "", from)
    return index(" " edge[from] " ", " " to " ") > 0
}

# Only one file knows each outside library.
function may_use(path, header)
{
    if (path ~ /^tests\//)
        return 1
    if (header == "libpq-fe.h")
        return path ~ /^ledger\/pg\/pg(_connect|_rows|_target)?\.c$/
    if (header == "microhttpd.h")
        return path ~ /^(server\/http\/[a-z_]+\.c|tools\/crawler\/serve\.c)$/
    if (header ~ /^curl\//)
        return path ~ /^(server\/agent\/fetch\.c|server\/origin\/origin\.c|tools\/crawler\/.*\.c)$/ ||
            path ~ /^tools\/crawltab\/(frame\/post|front\/ask)\.c$/
    if (header == "yaml.h")
        return path ~ /^ledger\/base\/config\/config_read\.c$/
    if (header ~ /^(cairo|cairo-pdf)\.h$|^pango\//)
        return path ~ /^ledger\/format\/paper\/pdf[a-z_]*\.[ch]$/
    if (header ~ /^libxml\//)
        return path == "ledger/format/xml.c"
    if (header == "zlib.h")
        return path ~ /^(server\/agent\/unpack|ledger\/base\/file\/packing)\.c$/
    if (header == "zstd.h")
        return path == "ledger/base/file/packing.c"
    if (header ~ /^unicode\//)
        return path == "ledger/format/unicode.c"
    if (header ~ /^systemd\//)
        return path == "server/run/service.c"
    if (header ~ /^openssl\//)
        return path ~ /^(ledger\/base\/crypto\/(digest|ed25519_openssl)\.c|ledger\/verify\/signature\.c)$/
    if (header == "sodium.h")
        return path == "ledger/base/crypto/ed25519_sodium.c"
    return header !~ /\// || header ~ /^(sys|netinet|arpa|net|linux)\//
}

# The line without comments, and with empty strings and character constants.
function code_of(line,    out, two, quote)
{
    out = ""
    while (line != "") {
        two = substr(line, 1, 2)
        if (in_comment) {
            if (!match(line, /\*\//))
                return out
            in_comment = 0
            line = substr(line, RSTART + 2)
        } else if (two == "/*") {
            in_comment = 1
            line = substr(line, 3)
        } else if (two == "//") {
            return out
        } else if (line ~ /^["']/) {
            quote = substr(line, 1, 1)
            line = substr(line, 2)
            while (line != "" && substr(line, 1, 1) != quote)
                line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
            line = substr(line, 2)
            out = out quote quote
        } else if (match(line, /^[^"'\/]+/)) {
            out = out substr(line, 1, RLENGTH)
            line = substr(line, RLENGTH + 1)
        } else {
            out = out substr(line, 1, 1)
            line = substr(line, 2)
        }
    }
    return out
}

# How many parameters the last "(…)" at depth 1 of a function's head has.
function parameters(head,    depth, i, c, commas, any)
{
    for (i = 1; i <= length(head); i++) {
        c = substr(head, i, 1)
        if (c == "(" && ++depth == 1)
            commas = any = 0
        else if (c == ")")
            depth--
        else if (depth > 0 && c !~ /[ \t]/)
            any = 1
        if (c == "," && depth == 1)
            commas++
    }
    return any ? commas + 1 : 0
}

function check_include(line, code,    header)
{
    if (match(line, /^[ \t]*#[ \t]*include[ \t]*"[^"]+"/)) {
        header = line
        sub(/^[^"]*"/, "", header)
        sub(/".*/, "", header)
        if (header !~ /\//)
            header = folder header
        if (!may_include(room, room_of(header)))
            finding(FNR, "include", room " may not include " header)
    } else if (match(line, /^[ \t]*#[ \t]*include[ \t]*<[^>]+>/)) {
        header = line
        sub(/^[^<]*</, "", header)
        sub(/>.*/, "", header)
        if (!may_use(file, header))
            finding(FNR, "library", "<" header "> is not for this file")
    }
}

function check_calls(code)
{
    if (match(code, /(^|[^A-Za-z0-9_])(strcpy|strcat|v?sprintf|gets|strtok|ato[ilf]|system)[ \t]*\(/))
        finding(FNR, "banned", "banned call" substr(code, RSTART, RLENGTH) ")")
    if (file !~ /^tests\// && match(code, /(^|[^A-Za-z0-9_])(float|double)([^A-Za-z0-9_]|$)/))
        finding(FNR, "banned", "floating point")
    if (room != "ledger/pg" &&
        match(code, /(^|[^A-Za-z0-9_])pg_rows?_(null|text|text_or_null|number|flag|hex|ms|bytes)[ \t]*\(/))
        finding(FNR, "columns", "columns are read by name, with the functions of sql/rows")
}

function check_function(code)
{
    if (code ~ /^\{[ \t]*$/ && head != "") {
        opened = head_line
        if (parameters(head) > 6)
            finding(head_line, "parameters", parameters(head) " parameters, 6 are allowed")
    } else if (code ~ /^\}/ && opened) {
        if (FNR - opened + 1 > 70)
            finding(opened, "function", "function of " (FNR - opened + 1) " lines, 70 are allowed")
        opened = 0
    }
    # The head is all since the last line that ended something.
    if (code ~ /[;}]\\?[ \t]*$/ || code ~ /^[ \t]*#/ || code ~ /^[ \t]*$/ || code ~ /^\{/) {
        head = ""
    } else {
        if (head == "")
            head_line = FNR
        head = head " " code
    }
}

function end_of_file()
{
    if (file != "" && lines > 600)
        finding(1, "file", "file of " lines " lines, 600 are allowed")
}

BEGIN { rooms() }
FNR == 1 {
    end_of_file()
    file = FILENAME
    sub(/^\.\//, "", file)
    folder = file
    sub(/[^\/]*$/, "", folder)
    room = room_of(file)
    source = file ~ /\.[ch]$/
    in_comment = opened = 0
    head = ""
    split("", excused)
    if (source && room !~ /^(tests|tools\/crawltab\/[a-z]+)$/ && !(room in edge))
        finding(1, "include", "rules.awk does not know the room " room)
}
{
    lines = FNR
    if (match($0, /lint: [a-z]+, *[^ ]/)) {
        excused[FNR] = substr($0, RSTART + 6)
    }
    # Bytes over 0x7f that go on with a character are no columns of their own.
    width = $0
    gsub(/[\200-\277]/, "", width)
    if (length(width) > 110)
        finding(FNR, "line", "line of " length(width) " columns, 110 are allowed")
    if (source) {
        code = code_of($0)
        check_include($0, code)
        check_calls(code)
        check_function(code)
    }
}
END { end_of_file() }
