/* XML documents: written element by element, and read. The only user of libxml2. */
#ifndef LEDGER_FORMAT_XML_H
#define LEDGER_FORMAT_XML_H

#include "ledger/base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* --- Writing: UTF-8, indented. Failures (memory, text that is not UTF-8 or holds what XML cannot) are kept
 * until xml_finish. Texts are escaped. */

struct xml;

/* A document with the root element `name` in the default namespace `uri`. NULL without memory. */
struct xml *xml_new(const char *name, const char *uri);

/* Declares a prefix on the element that was opened last, before anything is put into it. */
void xml_prefix(struct xml *xml, const char *prefix, const char *uri);

/* Opens an element in the one that is open, "cbc:ID" with its prefix. xml_close closes the innermost. */
void xml_open(struct xml *xml, const char *name);
void xml_close(struct xml *xml);

/* An attribute of the element that was opened last, before anything is put into it. */
void xml_attribute(struct xml *xml, const char *name, const char *value);

/* Text in the element that is open. */
void xml_text(struct xml *xml, const char *text);

/* An element that holds only text. Nothing at all when the text is NULL or empty: most formats forbid empty
 * elements. */
void xml_leaf(struct xml *xml, const char *name, const char *text);

/* The same inside others: "outer/a/b" is <outer><a><b>text</b></a></outer>. */
void xml_leaf_at(struct xml *xml, const char *path, const char *text);

/* Closes what is open and frees. The document, NUL-terminated, which the caller frees; NULL if anything
 * failed on the way. */
char *xml_finish(struct xml *xml, size_t *len);

/* --- Reading. No network, no entities but XML's own, no DTD; sizes within libxml2's own bounds. Namespaces
 * are ignored: elements are named by their local names. */

struct xml_tree;
typedef struct xml_element xml_element; /* in the tree */

/* NULL if it does not parse; `error` then says where and why. */
struct xml_tree *xml_read(struct slice text, char error[200]);
void xml_tree_free(struct xml_tree *tree);

const xml_element *xml_root(const struct xml_tree *tree);
const char *xml_name(const xml_element *element);

/* The first child element of this name at the end of the path "Amt/Ccy", or NULL. */
const xml_element *xml_find(const xml_element *element, const char *path);

/* The next sibling element with the same name as this one, or NULL. */
const xml_element *xml_next(const xml_element *element);

/* The text of the element at the end of the path ("" for the element itself), without white space around it,
 * in `out`, which is returned; "" when there is no such element or it does not fit. */
const char *xml_value(const xml_element *element, const char *path, char *out, size_t room);

/* The same of an attribute. */
const char *xml_attribute_value(const xml_element *element, const char *name, char *out, size_t room);

#endif
