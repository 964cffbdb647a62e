/* HTML that is safe by default: whatever is put in as %s is escaped, and there is no way to put in anything
 * that is not but the format itself, which is a constant of the program. */
#ifndef SERVER_CONSOLE_VIEW_MARKUP_H
#define SERVER_CONSOLE_VIEW_MARKUP_H

#include <jansson.h>
#include <stdio.h>

/* Writes the format; %s is a text, escaped (NULL: nothing), %u a text as it stands in a query, and %d an
 * int64_t. */
void markup(FILE *out, const char *format, ...);

/* A number as 1,234,567. */
void markup_number(FILE *out, int64_t number);

/* Micro-units as 1,234.50 EUR. */
void markup_money(FILE *out, int64_t micros, const char *currency);

/* An object for people: a list of its members, and those of objects in it. Lists of objects are left out:
 * they are tables. */
void markup_object(FILE *out, const json_t *object);

/* A name of a program as words: "due_date" is "Due date". */
void markup_name(FILE *out, const char *name);

#endif
