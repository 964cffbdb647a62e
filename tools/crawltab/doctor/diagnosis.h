/* What a doctor has found: a list that checks add to, told as lines for people or as JSON. */
#ifndef TOOLS_CRAWLTAB_DOCTOR_DIAGNOSIS_H
#define TOOLS_CRAWLTAB_DOCTOR_DIAGNOSIS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum diagnosis_state { DIAGNOSIS_OK, DIAGNOSIS_WARN, DIAGNOSIS_BAD, DIAGNOSIS_STATES };

struct diagnosis {
    json_t *findings; /* objects: check, state, found, advice */
    int counts[DIAGNOSIS_STATES];
    FILE *ear; /* what is logged meanwhile */
    char *heard;
    size_t heard_len;
};

void diagnosis_begin(struct diagnosis *diagnosis);
void diagnosis_end(struct diagnosis *diagnosis);

/* One finding; `advice`, what to do, may be NULL. Texts may come from outside. */
void diagnosis_add(struct diagnosis *diagnosis, const char *check, enum diagnosis_state state,
                   const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* From now on what is logged is no line on standard error. */
void diagnosis_listen(struct diagnosis *diagnosis);

/* Ends that, and adds each line that was logged as a finding of this state. Returns how many there were. */
int diagnosis_hear(struct diagnosis *diagnosis, const char *check, enum diagnosis_state state);

/* The same for lines that were written to `ear` instead, such as those of a configuration. */
FILE *diagnosis_ear(struct diagnosis *diagnosis);

/* The worst of all. */
enum diagnosis_state diagnosis_state(const struct diagnosis *diagnosis);

/* A line in sum, then one for each finding; or the same as JSON. False when it cannot be written. */
void diagnosis_print(const struct diagnosis *diagnosis);
bool diagnosis_json(const struct diagnosis *diagnosis);

#endif
