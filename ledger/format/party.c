/* Countries part place and code in their own ways; here all have one. */
#include "ledger/format/party.h"

#include "ledger/format/format.h"
#include "ledger/format/unicode.h"

#include <assert.h>
#include <stdlib.h>

/* "Tax ID DE123"; nothing when there is no value. */
static bool add(struct party_lines *lines, const char *label, const char *value)
{
    if (!*value)
        return true;
    assert(lines->count < PARTY_LINES_MAX);
    char *line = format_printed("%s%s", label, value);
    if (line)
        lines->items[lines->count++] = line;
    return line != NULL;
}

/* "10115 Berlin", with the region behind. */
static bool add_place(struct party_lines *lines, const struct document_party *party)
{
    const char *code = party->postal_code, *city = party->city, *region = party->region;
    char *place = format_printed("%s%s%s%s%s", code, *code && *city ? " " : "", city,
                                 *region && (*code || *city) ? ", " : "", region);
    bool ok = place && add(lines, "", place);
    free(place);
    return ok;
}

bool party_lines_of(const struct document_party *party, struct party_lines *lines)
{
    char country[UNICODE_COUNTRY_MAX];
    *lines = (struct party_lines){.count = 0};
    return add(lines, "", party->street) && add(lines, "", party->street_2) && add_place(lines, party) &&
           add(lines, "", unicode_country(party->country, country)) && add(lines, "Tax ID ", party->tax_id) &&
           add(lines, "Registration ", party->registration) && add(lines, "", party->contact) &&
           add(lines, "", party->phone) && add(lines, "", party->email) && add(lines, "", party->website);
}

void party_lines_free(struct party_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    lines->count = 0;
}
