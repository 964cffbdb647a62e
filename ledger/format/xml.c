/* Failures are kept to the end: a document is some hundred calls, and what is missing in the middle must
 * not be a document at all. Elements are counted, because libxml2 closes one that was never opened without
 * a word, and the rest would stand in the wrong place. */
#include "ledger/format/xml.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <ctype.h>
#include <libxml/parser.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XML_MAGIC 0xe07a35c4u

/* --- Writing --- */

struct xml {
    uint32_t magic;
    xmlBuffer *buffer;
    xmlTextWriter *writer;
    bool failed;
    size_t open; /* elements */
};

static const xmlChar *in(const char *text)
{
    return (const xmlChar *)text;
}

static void note(struct xml *xml, int written)
{
    xml->failed = xml->failed || written < 0;
}

/* What XML 1.0 has no way to write: control characters, and what is not UTF-8. */
static bool writable(const char *text)
{
    if (!xmlCheckUTF8((const unsigned char *)text))
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r')
            return false;
    return true;
}

struct xml *xml_new(const char *name, const char *uri)
{
    struct xml *xml = calloc(1, sizeof(*xml));
    if (!xml)
        return NULL;
    OBJECT_MAKE(xml, XML_MAGIC);
    xml->buffer = xmlBufferCreate();
    xml->writer = xml->buffer ? xmlNewTextWriterMemory(xml->buffer, 0) : NULL;
    if (!xml->writer) {
        xmlBufferFree(xml->buffer);
        free(xml);
        return NULL;
    }
    note(xml, xmlTextWriterSetIndent(xml->writer, 1));
    note(xml, xmlTextWriterSetIndentString(xml->writer, in("  ")));
    note(xml, xmlTextWriterStartDocument(xml->writer, NULL, "UTF-8", NULL));
    xml_open(xml, name);
    xml_attribute(xml, "xmlns", uri);
    return xml;
}

void xml_prefix(struct xml *xml, const char *prefix, const char *uri)
{
    char name[64];
    int len = snprintf(name, sizeof(name), "xmlns:%s", prefix);
    assert(len > 0 && (size_t)len < sizeof(name));
    xml_attribute(xml, name, uri);
}

void xml_open(struct xml *xml, const char *name)
{
    OBJECT_CHECK(xml, XML_MAGIC);
    assert(*name);
    xml->open++;
    note(xml, xmlTextWriterStartElement(xml->writer, in(name)));
}

void xml_close(struct xml *xml)
{
    OBJECT_CHECK(xml, XML_MAGIC);
    assert(xml->open > 0);
    xml->open--;
    note(xml, xmlTextWriterEndElement(xml->writer));
}

void xml_attribute(struct xml *xml, const char *name, const char *value)
{
    OBJECT_CHECK(xml, XML_MAGIC);
    assert(xml->open > 0);
    /* libxml2 would write what it was given, and only the receiver's parser would refuse the file. */
    if (!writable(value))
        xml->failed = true;
    else
        note(xml, xmlTextWriterWriteAttribute(xml->writer, in(name), in(value)));
}

void xml_text(struct xml *xml, const char *text)
{
    OBJECT_CHECK(xml, XML_MAGIC);
    assert(xml->open > 0);
    if (!writable(text))
        xml->failed = true;
    else
        note(xml, xmlTextWriterWriteString(xml->writer, in(text)));
}

void xml_leaf(struct xml *xml, const char *name, const char *text)
{
    /* Empty elements mean something else than missing ones in most formats, and are refused in some. */
    if (!text || !*text)
        return;
    xml_open(xml, name);
    xml_text(xml, text);
    xml_close(xml);
}

void xml_leaf_at(struct xml *xml, const char *path, const char *text)
{
    char name[64];
    int depth = 0;
    if (!text || !*text)
        return;
    for (; strchr(path, '/'); depth++) {
        size_t len = strcspn(path, "/");
        assert(len < sizeof(name)); /* names of elements are the program's own */
        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        xml_open(xml, name);
        path += len + 1;
    }
    xml_leaf(xml, path, text);
    for (; depth > 0; depth--)
        xml_close(xml);
}

char *xml_finish(struct xml *xml, size_t *len)
{
    char *text = NULL;
    if (!xml)
        return NULL;
    assert(xml->open > 0); /* the root is closed here alone, or what followed it would stand outside */
    OBJECT_END(xml, XML_MAGIC);
    note(xml, xmlTextWriterEndDocument(xml->writer)); /* closes what is open */
    xmlFreeTextWriter(xml->writer);
    if (!xml->failed) {
        *len = (size_t)xmlBufferLength(xml->buffer);
        text = malloc(*len + 1);
        if (text) {
            memcpy(text, xmlBufferContent(xml->buffer), *len);
            text[*len] = '\0';
        }
    }
    xmlBufferFree(xml->buffer);
    free(xml);
    return text;
}

/* --- Reading --- */

/* Both are libxml2's own structures under our names. */
static xmlDoc *doc_of(const struct xml_tree *tree)
{
    return (xmlDoc *)(void *)(uintptr_t)tree;
}

static const xmlNode *node_of(const xml_element *element)
{
    return (const xmlNode *)(const void *)element;
}

static const xml_element *element_of(const xmlNode *node)
{
    return (const xml_element *)(const void *)node;
}

/* Not even a DTD is read: with one, entities grow without bound, and files and hosts are read for whoever
 * wrote the document. */
struct xml_tree *xml_read(struct slice text, char error[200])
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
    xmlDoc *doc = NULL;
    if (text.len <= INT32_MAX)
        doc = xmlReadMemory(text.data, (int)text.len, NULL, NULL, options);
    if (doc && (xmlGetIntSubset(doc) || !xmlDocGetRootElement(doc))) {
        snprintf(error, 200, "it has a document type declaration, which no payment file needs");
        xmlFreeDoc(doc);
        return NULL;
    }
    if (!doc) {
        const xmlError *last = xmlGetLastError();
        snprintf(error, 200, "line %d: %s", last ? last->line : 0,
                 last && last->message ? last->message : "too large");
        error[strcspn(error, "\n")] = '\0';
    }
    assert(doc || error[0]);
    return (struct xml_tree *)(void *)doc;
}

void xml_tree_free(struct xml_tree *tree)
{
    xmlFreeDoc(doc_of(tree));
}

const xml_element *xml_root(const struct xml_tree *tree)
{
    assert(xmlDocGetRootElement(doc_of(tree))); /* xml_read has refused what has none */
    return element_of(xmlDocGetRootElement(doc_of(tree)));
}

const char *xml_name(const xml_element *element)
{
    return (const char *)node_of(element)->name;
}

/* The first element called `name` from this sibling on. */
static const xmlNode *called(const xmlNode *node, struct slice name)
{
    for (; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && slice_eq(slice_of((const char *)node->name), name))
            return node;
    return NULL;
}

const xml_element *xml_find(const xml_element *element, const char *path)
{
    const xmlNode *node = node_of(element);
    while (node && *path) {
        size_t len = strcspn(path, "/");
        assert(len > 0); /* "a//b" names nothing */
        node = called(node->children, (struct slice){path, len});
        path += len + (path[len] == '/');
    }
    return element_of(node);
}

const xml_element *xml_next(const xml_element *element)
{
    return element_of(called(node_of(element)->next, slice_of(xml_name(element))));
}

/* Takes over the text. */
static const char *trimmed(xmlChar *text, char *out, size_t room)
{
    assert(room > 0);
    const char *from = text ? (const char *)text : "";
    size_t len;
    while (isspace((unsigned char)*from))
        from++;
    len = strlen(from);
    while (len > 0 && isspace((unsigned char)from[len - 1]))
        len--;
    if (len >= room)
        len = 0;
    memcpy(out, from, len);
    out[len] = '\0';
    xmlFree(text);
    return out;
}

const char *xml_value(const xml_element *element, const char *path, char *out, size_t room)
{
    const xmlNode *node = node_of(xml_find(element, path));
    return trimmed(node ? xmlNodeGetContent(node) : NULL, out, room);
}

const char *xml_attribute_value(const xml_element *element, const char *name, char *out, size_t room)
{
    return trimmed(xmlGetProp(node_of(element), in(name)), out, room);
}
