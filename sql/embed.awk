# Turns the .sql files named as arguments into a C file with their texts; see ledger/pg/sql.h. POSIX awk. A
# file under statements/ is one prepared statement, named like the file; those in migrations/ and baseline/
# are what their folders say, in the order in which they are named; any other is a script. Comment lines
# before a statement's first word stay out of the program.

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
    return path ~ /(^|\/)migrations\// ? "migrations" : "scripts"
}

FNR == 1 {
    kind = kind_of(FILENAME)
    name[++files] = base(FILENAME)
    of[files] = kind
    started = 0
}

!started && kind == "statements" && (/^--/ || /^[ \t]*$/) {
    next
}

{
    started = 1
    gsub(/\\/, "&&")
    gsub(/"/, "\\\"")
    text[files] = text[files] "\n     \"" $0 "\\n\""
}

function table(kind,    i) {
    printf "\nconst struct sql_file sql_%s[] = {\n", kind
    for (i = 1; i <= files; i++)
        if (of[i] == kind)
            printf "    {\"%s\",%s},\n", name[i], text[i]
    print "    {NULL, NULL},\n};"
}

END {
    print "/* Made by sql/embed.awk from the files in sql/. */"
    print "#include \"ledger/pg/sql.h\"\n\n#include <stddef.h>"
    table("migrations")
    table("baseline")
    table("statements")
    table("scripts")
}
