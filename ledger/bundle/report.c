#define _GNU_SOURCE /* vasprintf */
#include "ledger/bundle/report.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool make_room(struct bundle_report *report)
{
    if (report->count < report->room)
        return true;
    size_t room = report->room * 2 + 16;
    void *items = realloc(report->items, room * sizeof(*report->items));
    if (!items)
        return false;
    report->items = items;
    report->room = room;
    return true;
}

static void add(struct bundle_report *report, enum bundle_verdict verdict, const char *format, va_list words)
{
    char *sentence = NULL;
    report->wrong += verdict == BUNDLE_WRONG;
    if (!make_room(report) || vasprintf(&sentence, format, words) < 0) {
        report->full = true;
        return;
    }
    assert(report->count < report->room);
    report->items[report->count++] = (struct bundle_finding){verdict, sentence};
}

void bundle_proven(struct bundle_report *report, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    add(report, BUNDLE_PROVEN, format, words);
    va_end(words);
}

void bundle_unproven(struct bundle_report *report, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    add(report, BUNDLE_UNPROVEN, format, words);
    va_end(words);
}

bool bundle_wrong(struct bundle_report *report, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    add(report, BUNDLE_WRONG, format, words);
    va_end(words);
    return false;
}

void bundle_report_free(struct bundle_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->items[i].sentence);
    free(report->items);
    *report = (struct bundle_report){.items = NULL};
}
