/* A party of a document as an envelope has it. */
#ifndef LEDGER_FORMAT_PARTY_H
#define LEDGER_FORMAT_PARTY_H

#include "ledger/format/document.h"

#define PARTY_LINES_MAX 10

struct party_lines {
    char *items[PARTY_LINES_MAX];
    size_t count;
};

/* The lines behind the name: address, numbers, how to reach it. Freed by party_lines_free, whatever comes
 * back. False without memory. */
bool party_lines_of(const struct document_party *party, struct party_lines *lines);
void party_lines_free(struct party_lines *lines);

#endif
