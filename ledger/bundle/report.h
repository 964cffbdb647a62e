/* What the check of a bundle has found, in sentences. */
#ifndef LEDGER_BUNDLE_REPORT_H
#define LEDGER_BUNDLE_REPORT_H

#include "ledger/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum bundle_verdict { BUNDLE_PROVEN, BUNDLE_UNPROVEN, BUNDLE_WRONG };

struct bundle_finding {
    enum bundle_verdict verdict;
    char *sentence;
};

/* Starts as {0}. */
struct bundle_report {
    struct bundle_finding *items;
    size_t count, room;
    size_t wrong; /* how many of them */
    bool full;    /* without memory one was lost */
};

void bundle_report_free(struct bundle_report *report);

/* Adds a sentence, in printf's way. `wrong` returns false, for who gives up then. */
void bundle_proven(struct bundle_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void bundle_unproven(struct bundle_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool bundle_wrong(struct bundle_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
