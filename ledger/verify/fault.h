/* What is wrong with a text that somebody sent, for whoever wrote it. */
#ifndef LEDGER_VERIFY_FAULT_H
#define LEDGER_VERIFY_FAULT_H

#include "ledger/base/slice.h"

struct fault {
    const char *why;   /* static; NULL: nothing is wrong */
    struct slice text; /* the part that it is about, in somebody else's memory; may be empty */
};

#endif
