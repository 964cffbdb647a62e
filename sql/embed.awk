# Turns the .sql files named as arguments into C; see ledger/pg/sql.h. POSIX awk. A file under statements/ is
# one prepared statement, named like the file; those in migrations/ and baseline/ are what their folders say,
# in the order in which they are named; one under functions/ or views/ becomes a text that makes the function
# or view anew in pg_temp, to be compared with the database's; one under cluster/ is the text of
# a function as a cluster has it; any other is a script. Comment lines before a statement's first word stay
# out of the program.
#
# A statement that returns rows ends its first comment with what they consist of, in order:
#     -- columns: number text, total_minor bigint, due_date date null
# "null" is for a column whose NULL means something else than "" or 0: a text is then a NULL pointer, beside
# anything else stands due_date_null. Statements of one room whose rows are
# alike may share a name for them, "-- columns of audit_finding: ...". Of these lines come the table that is
# compared with what the server says and, with -v rows=ROOM, the header $(BUILD)/sql/rows/ROOM.h instead of
# the texts: for statement invoice_list a `struct invoice_list_row` and a function of that name that reads it.

function base(path) {
    sub(/.*\//, "", path)
    sub(/\.sql$/, "", path)
    return path
}

function kind_of(path) {
    if (path ~ /(^|\/)statements\//)
        return "statements"
    if (path ~ /(^|\/)baseline\//)
        return "baseline"
    if (path ~ /(^|\/)(functions|views)\//)
        return "definitions"
    if (path ~ /(^|\/)cluster\/[^\/]*$/)
        return "cluster"
    return path ~ /(^|\/)migrations\// ? "migrations" : "scripts"
}

function fail(i, what) {
    printf "%s: %s\n", path[i], what > "/dev/stderr"
    failed = 1
    exit 1
}

# Types as the statements name them: their numbers in pg_type, and what reads them. A stream comes in binary.
function type(name, oid, c, reader, stream_c, stream_reader) {
    oid_of[name] = oid
    c_of[name, 0] = c
    reader_of[name, 0] = reader
    c_of[name, 1] = stream_c
    reader_of[name, 1] = stream_reader
}

function types() {
    type("bigint", 20, "int64_t ", "pg_rows_number", "int64_t ", "pg_row_number")
    type("integer", 23, "int64_t ", "pg_rows_number")
    type("smallint", 21, "int64_t ", "pg_rows_number")
    type("boolean", 16, "bool ", "pg_rows_flag")
    type("text", 25, "const char *", "pg_rows_text", "struct slice ", "pg_row_bytes")
    type("uuid", 2950, "const char *", "pg_rows_text", "struct slice ", "pg_row_bytes")
    type("bytea", 17, "struct pg_hex ", "pg_rows_hex", "struct slice ", "pg_row_bytes")
    type("date", 1082, "const char *", "pg_rows_text")
    type("json", 114, "const char *", "pg_rows_text")
    type("jsonb", 3802, "const char *", "pg_rows_text")
    type("timestamptz", 1184, "", "", "int64_t ", "pg_row_ms")
}

# Takes in "number text, due_date date null, ", or the part of it that stands on this line.
function declare(list,    n, i, item, words) {
    sub(/^--[ \t]*/, "", list)
    n = split(list, item, ",")
    for (i = 1; i <= n; i++) {
        words = split(item[i], word, " ")
        if (words == 0 && i == n)
            return
        if (words < 2 || words > 3 || words == 3 && word[3] != "null" || word[1] !~ /^[a-z][a-z0-9_]*$/)
            fail(files, "a column is \"name type\" or \"name type null\", not \"" item[i] "\"")
        if (!((word[2], 0) in c_of))
            fail(files, "the type of column \"" word[1] "\" is unknown to sql/embed.awk: \"" word[2] "\"")
        columns[files]++
        column[files, columns[files]] = word[1]
        type_of[files, columns[files]] = word[2]
        nullable[files, columns[files]] = words == 3
    }
}

BEGIN { types() }

FNR == 1 {
    path[++files] = FILENAME
    name[files] = base(FILENAME)
    of[files] = kind_of(FILENAME)
    columns[files] = started = declaring = finished = 0
    rows_of[files] = name[files]
}

!started && of[files] == "statements" && (/^--/ || /^[ \t]*$/) {
    if (/^-- columns( of [a-z_]+)?: /) {
        declaring = 1
        if ($3 == "of")
            rows_of[files] = substr($4, 1, length($4) - 1)
        sub(/^-- columns[^:]*: /, "")
    }
    if (declaring)
        declare($0)
    next
}

of[files] == "definitions" {
    if (sub(/^CREATE OR REPLACE FUNCTION /, "CREATE FUNCTION pg_temp."))
        text[files] = "\n     \"SET LOCAL check_function_bodies = off;\\n\""
    sub(/^CREATE OR REPLACE VIEW /, "CREATE VIEW pg_temp.")
    if (/^COMMENT ON (FUNCTION|VIEW) /)
        finished = 1
    if (finished)
        next
}

{
    if (!started)
        stream[files] = /^DECLARE stream /
    started = 1
    gsub(/\\/, "&&")
    gsub(/"/, "\\\"")
    text[files] = text[files] "\n     \"" $0 "\\n\""
}

function what_it_answers(i) {
    return columns[i] ? ", \"" rows_of[i] "\", columns_" name[i] : ", NULL, NULL"
}

function table(kind, struct,    i) {
    printf "\nconst struct %s sql_%s[] = {\n", struct, kind
    for (i = 1; i <= files; i++)
        if (of[i] == kind)
            printf "    {\"%s\",%s%s},\n", name[i], text[i], kind == "statements" ? what_it_answers(i) : ""
    print "    {0},\n};"
}

function column_table(i,    k) {
    printf "\nstatic const struct sql_column columns_%s[] = {\n", name[i]
    for (k = 1; k <= columns[i]; k++)
        printf "    {\"%s\", \"%s\", %d},\n", column[i, k], type_of[i, k], oid_of[type_of[i, k]]
    print "    {0},\n};"
}

function texts(    i) {
    print "/* Made by sql/embed.awk from the files in sql/. */"
    print "#include \"ledger/pg/sql.h\"\n\n#include <stddef.h>"
    for (i = 1; i <= files; i++)
        if (columns[i])
            column_table(i)
    table("migrations", "sql_file")
    table("baseline", "sql_file")
    table("definitions", "sql_file")
    table("statements", "sql_statement")
    table("scripts", "sql_file")
    table("cluster", "sql_file")
}

# The same rows under a name that is taken are those of the statement that took it.
function same(i, other,    k) {
    for (k = 1; k <= columns[i] || k <= columns[other]; k++)
        if (column[i, k] != column[other, k] || type_of[i, k] != type_of[other, k] ||
            nullable[i, k] != nullable[other, k])
            fail(i, "declares other columns of " rows_of[i] " than " path[other])
}

function is_text(i, k) {
    return reader_of[type_of[i, k], stream[i]] == "pg_rows_text"
}

function struct_of(i,    k, c) {
    printf "\nstruct %s_row {\n", rows_of[i]
    for (k = 1; k <= columns[i]; k++) {
        c = c_of[type_of[i, k], stream[i]]
        if (c == "" || nullable[i, k] && stream[i])
            fail(i, "column \"" column[i, k] "\" has a type that cannot be read here: " type_of[i, k])
        printf "    %s%s;\n", c, column[i, k]
        if (nullable[i, k] && !is_text(i, k))
            printf "    bool %s_null;\n", column[i, k]
    }
    print "};"
}

function reader(i,    k, from, how) {
    printf "\nstatic inline struct %s_row %s_row(%s)\n{\n", rows_of[i], rows_of[i],
        stream[i] ? "const struct pg_row *row" : "const struct pg_rows *rows, int row"
    from = stream[i] ? "row" : "rows, row"
    printf "    pg_%s_expect(%s, \"%s\");\n", stream[i] ? "row" : "rows", from, rows_of[i]
    printf "    return (struct %s_row){\n", rows_of[i]
    for (k = 1; k <= columns[i]; k++) {
        how = reader_of[type_of[i, k], stream[i]]
        if (nullable[i, k] && is_text(i, k))
            how = how "_or_null"
        printf "        .%s = %s(%s, %d),\n", column[i, k], how, from, k - 1
        if (nullable[i, k] && !is_text(i, k))
            printf "        .%s_null = pg_rows_null(%s, %d),\n", column[i, k], from, k - 1
    }
    print "    };\n}"
}

function header(room,    i) {
    printf "/* The rows of sql/statements/%s. Made by sql/embed.awk. */\n", room
    printf "#ifndef SQL_ROWS_%s_H\n#define SQL_ROWS_%s_H\n\n", toupper(room), toupper(room)
    print "#include \"ledger/pg/pg_rows.h\""
    for (i = 1; i <= files; i++) {
        if (!columns[i])
            continue
        if (rows_of[i] in taken) {
            same(i, taken[rows_of[i]])
        } else {
            taken[rows_of[i]] = i
            struct_of(i)
            reader(i)
        }
    }
    print "\n#endif"
}

END {
    if (failed)
        exit 1
    if (rows)
        header(rows)
    else
        texts()
}
