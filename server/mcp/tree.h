/* A JSON text as a tree of its parts, each as it stands in the text, so that it can be looked at, and sent on
 * byte for byte or with something put in between. Stricter than RFC 8259: whoever reads the text after us
 * must find the same in it. Pure, but for its memory. */
#ifndef SERVER_MCP_TREE_H
#define SERVER_MCP_TREE_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/slice.h"

#define TREE_DEPTH_MAX 64

enum tree_kind {
    TREE_NULL,
    TREE_FALSE,
    TREE_TRUE,
    TREE_NUMBER,
    TREE_STRING,
    TREE_ARRAY,
    TREE_OBJECT,
};

struct tree_node {
    enum tree_kind kind;
    struct slice text; /* the whole value, a string with its quotes */
    struct slice name; /* of a member of an object: between its quotes, with its escapes */
    uint32_t next;     /* sibling; 0: none */
    uint32_t first;    /* of an array or object: its first part; 0: none */
    uint32_t parts;    /* how many */
};

struct tree {
    struct tree_node *nodes; /* the root is the first */
    size_t count, room;
};

/* Reads the text, which must outlive the tree. NULL, or in a few words why not (static): it is no JSON, no
 * UTF-8, has half a surrogate pair or U+0000, is deeper than TREE_DEPTH_MAX, or an object of it has two
 * members of a name. Free the tree in any case. */
const char *tree_read(struct slice text, struct tree *tree);
void tree_free(struct tree *tree);

/* NULL where there is none. `node` may be NULL, or no object: then there is none either. */
const struct tree_node *tree_member(const struct tree *tree, const struct tree_node *node, struct slice name);
const struct tree_node *tree_first(const struct tree *tree, const struct tree_node *node);
const struct tree_node *tree_next(const struct tree *tree, const struct tree_node *node);

/* True if it is a string of these characters, however they are escaped. `node` may be NULL. */
bool tree_is(const struct tree_node *node, struct slice text);

/* The characters of a string, in room for node->text.len bytes; how many. */
size_t tree_decode(const struct tree_node *node, char *out);

/* True if the member's name is this one when case does not count, as some programs compare them (also by the
 * two letters beyond ASCII that fold into it), and is not spelt so. */
bool tree_name_resembles(const struct tree_node *node, struct slice name);

/* SHA-256 over the value in canonical form: RFC 8785, but that a number is as it was written. So the order of
 * members, white space and escapes do not count. NULL is an empty object. False without memory. */
bool tree_digest(const struct tree *tree, const struct tree_node *node, uint8_t digest[DIGEST_SIZE]);

#endif
