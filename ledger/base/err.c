/* One table makes codes, statuses and sentences, so that no reply can say one thing and the log another; a
 * failure that is added without its row does not compile. */
#include "ledger/base/err.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

static const struct {
    unsigned status;
    const char *code;
    const char *sentence;
} table[] = {
#define ERR_ROW(name, status, code, sentence) {status, code, sentence},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};
_Static_assert(sizeof(table) / sizeof(*table) == ERR_COUNT, "a row for each failure");

unsigned err_status(enum err err)
{
    assert(err < ERR_COUNT);
    return table[err].status;
}

const char *err_code(enum err err)
{
    assert(err < ERR_COUNT);
    return table[err].code;
}

const char *err_phrase(enum err err)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {416, "Range Not Satisfiable"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
        if (phrases[i].status == err_status(err))
            return phrases[i].phrase;
    abort();
}

const char *err_sentence(enum err err)
{
    assert(err < ERR_COUNT);
    return table[err].sentence;
}
