#include "tools/crawler/purse.h"

#include "ledger/base/text/amount.h"

bool purse_parse(struct slice text, char currency[PURSE_CURRENCY_MAX], int64_t *micros)
{
    size_t space = slice_find(text, ' ');
    struct slice code = {text.data, space};
    if (space == text.len || amount_exponent(code) < 0)
        return false;
    memcpy(currency, code.data, code.len);
    currency[code.len] = '\0';
    return amount_parse((struct slice){text.data + space + 1, text.len - space - 1}, micros);
}

const char *purse_text(struct arena *arena, const char *currency, int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    const char *text = arena_format(arena, "%s %s", currency, amount_format(micros, amount)).data;
    return text ? text : "?";
}

const char *purse_refuse(const struct purse *purse, struct arena *arena, const struct quote *quote)
{
    int64_t committed;
    int64_t after;
    const char *price = purse_text(arena, quote->currency, quote->price_micros);
    const char *text = NULL;
    if (!*purse->currency)
        text = arena_format(arena, "it costs %s, and no --max-price was given", price).data;
    else if (strcmp(purse->currency, quote->currency) != 0)
        text = arena_format(arena, "it costs %s, and --max-price is in %s", price, purse->currency).data;
    else if (quote->price_micros > purse->price_micros)
        text = arena_format(arena, "it costs %s, above --max-price %s", price,
                            purse_text(arena, purse->currency, purse->price_micros))
                   .data;
    else if (!amount_add(purse->paid_micros, purse->doubt_micros, &committed) ||
             !amount_add(committed, quote->price_micros, &after))
        return "all prices together are more than can be counted";
    else if (after > purse->budget_micros)
        text = arena_format(arena, "it costs %s, and %s is left of --budget", price,
                            purse_text(arena, purse->currency, purse->budget_micros - committed))
                   .data;
    else
        return NULL;
    return text ? text : "it costs more than may be paid";
}
