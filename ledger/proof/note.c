/* The format of Go's checksum database, chosen because its verifiers exist. What is read is strict: one
 * text must not be readable in two ways, one of which was signed. */
#include "ledger/proof/note.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define TYPE_ED25519    0x01
#define TYPE_WITNESS    0x04 /* Ed25519, too, over the text and a time: c2sp.org/tlog-cosignature */
#define ID_SIZE         4
#define TIME_SIZE       8
#define TIME_LATEST     253402300799    /* of the year 9999 */
#define DASH            "\xe2\x80\x94 " /* U+2014 and a space open a signature's line */
#define SIGNED_SIZE     (ID_SIZE + NOTE_SIGNATURE_SIZE)
#define SIGNATURES_READ 64
#define BYTES_MAX       4096 /* of a signature, whosever: those of ML-DSA-44 are long */

static bool is_name(struct slice name)
{
    if (!name.data)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.data[i] <= ' ' || name.data[i] == '+' || name.data[i] == 0x7f)
            return false;
    return name.len > 0 && name.len < NOTE_NAME_MAX;
}

static void key_id(struct slice name, char type, const uint8_t public_key[NOTE_KEY_SIZE], uint8_t id[ID_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    const struct slice parts[] = {name, {"\n", 1}, {&type, 1}, slice_bytes(public_key, NOTE_KEY_SIZE)};
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), hash);
    memcpy(id, hash, ID_SIZE);
}

bool note_verifier(const char *name, const uint8_t public_key[NOTE_KEY_SIZE], char out[NOTE_VERIFIER_MAX])
{
    uint8_t typed[1 + NOTE_KEY_SIZE], id[ID_SIZE];
    char hex[2 * ID_SIZE + 1];
    char base64[ENCODING_BASE64_LEN(sizeof(typed)) + 1];
    if (!is_name(slice_of(name)))
        return false;
    key_id(slice_of(name), TYPE_ED25519, public_key, id);
    typed[0] = TYPE_ED25519;
    memcpy(typed + 1, public_key, NOTE_KEY_SIZE);
    base64[encoding_base64(typed, sizeof(typed), base64)] = '\0';
    int len = snprintf(out, NOTE_VERIFIER_MAX, "%s+%s+%s", name, encoding_hex(id, sizeof(id), hex), base64);
    assert(len > 0);
    return len < NOTE_VERIFIER_MAX;
}

bool note_line(const char *text, const char *name, const struct note_key *key, char out[NOTE_LINE_MAX])
{
    uint8_t bytes[SIGNED_SIZE];
    char base64[ENCODING_BASE64_LEN(SIGNED_SIZE) + 1];
    size_t text_len = strlen(text);
    assert(key->signs);
    if (!is_name(slice_of(name)) || text_len == 0 || text[text_len - 1] != '\n')
        return false;
    key_id(slice_of(name), TYPE_ED25519, key->public_key, bytes);
    if (!key->signs(key->seed, slice_of(text), bytes + ID_SIZE))
        return false;
    base64[encoding_base64(bytes, sizeof(bytes), base64)] = '\0';
    int len = snprintf(out, NOTE_LINE_MAX, DASH "%s %s\n", name, base64);
    assert(len > 0 && len < NOTE_LINE_MAX);
    return true;
}

bool note_sign(const char *text, const char *name, const struct note_key *key, char out[NOTE_MAX])
{
    char line[NOTE_LINE_MAX];
    return note_line(text, name, key, line) && snprintf(out, NOTE_MAX, "%s\n%s", text, line) < NOTE_MAX;
}

/* A verifier key, taken apart. */
struct verifier {
    struct slice name;
    uint8_t type;
    uint8_t public_key[NOTE_KEY_SIZE];
    uint8_t id[ID_SIZE];
};

static bool parse_verifier(struct slice text, struct verifier *verifier)
{
    uint8_t typed[1 + NOTE_KEY_SIZE], id[ID_SIZE];
    size_t len = 0;
    verifier->name = (struct slice){text.data, slice_find(text, '+')};
    size_t at = verifier->name.len + 1;
    if (!is_name(verifier->name) || text.len < at + 2 * ID_SIZE + 1 || text.data[at + 2 * ID_SIZE] != '+' ||
        !encoding_unhex((struct slice){text.data + at, 2 * ID_SIZE}, id, sizeof(id)))
        return false;
    at += 2 * ID_SIZE + 1;
    if (!encoding_unbase64((struct slice){text.data + at, text.len - at}, false, typed, sizeof(typed),
                           &len) ||
        len != sizeof(typed) || (typed[0] != TYPE_ED25519 && typed[0] != TYPE_WITNESS))
        return false;
    verifier->type = typed[0];
    memcpy(verifier->public_key, typed + 1, NOTE_KEY_SIZE);
    assert(slice_within(verifier->name, text) && at + 44 == text.len);
    key_id(verifier->name, (char)verifier->type, verifier->public_key, verifier->id);
    return memcmp(id, verifier->id, sizeof(id)) == 0;
}

bool note_is_verifier(const char *text)
{
    struct verifier verifier;
    return parse_verifier(slice_of(text), &verifier) && verifier.type == TYPE_ED25519;
}

bool note_is_witness(const char *text)
{
    struct verifier verifier;
    return parse_verifier(slice_of(text), &verifier) && verifier.type == TYPE_WITNESS;
}

/* Cuts the next line, without its line feed, off the front. False if there is no whole line. */
static bool next_line(struct slice *rest, struct slice *line)
{
    size_t len = slice_find(*rest, '\n');
    if (len == rest->len)
        return false;
    *line = (struct slice){rest->data, len};
    *rest = (struct slice){rest->data + len + 1, rest->len - len - 1};
    assert(line->data + line->len + 1 == rest->data);
    return true;
}

/* The line of a signature: whose, and its bytes. False if it is not one. */
static bool parse_line(struct slice line, struct slice *name, uint8_t *bytes, size_t room, size_t *len)
{
    if (!slice_starts(line, SLICE(DASH)))
        return false;
    struct slice rest = {line.data + sizeof(DASH) - 1, line.len - (sizeof(DASH) - 1)};
    *name = (struct slice){rest.data, slice_find(rest, ' ')};
    assert(slice_within(*name, line));
    if (!is_name(*name) || name->len == rest.len)
        return false;
    struct slice base64 = {rest.data + name->len + 1, rest.len - name->len - 1};
    return encoding_unbase64(base64, false, bytes, room, len) && *len > ID_SIZE;
}

/* Splits at the last empty line: a text may have empty lines of its own, signatures have none. */
static bool split(struct slice note, struct slice *text, struct slice *signatures)
{
    for (size_t at = note.len; at >= 2; at--)
        if (note.data[at - 1] == '\n' && note.data[at - 2] == '\n') {
            *text = (struct slice){note.data, at - 1};
            *signatures = (struct slice){note.data + at, note.len - at};
            assert(text->data[text->len - 1] == '\n' && slice_within(*signatures, note));
            return at > 2 && signatures->len > 0;
        }
    return false;
}

bool note_cosign(const char *name, const struct note_key *key, char note[NOTE_MAX])
{
    char text[NOTE_MAX], other[NOTE_MAX];
    struct slice signed_text, rest;
    assert(memchr(note, '\0', NOTE_MAX));
    if (!split(slice_of(note), &signed_text, &rest))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)signed_text.len, signed_text.data);
    if (!note_sign(text, name, key, other) || !split(slice_of(other), &signed_text, &rest))
        return false;
    size_t len = strlen(note);
    if (len + rest.len >= NOTE_MAX)
        return false;
    memcpy(note + len, rest.data, rest.len + 1);
    assert(rest.data[rest.len] == '\0'); /* it is the end of `other` */
    return true;
}

/* Whose signatures are looked for in a note. */
struct opening {
    struct verifier by;
    note_verifies *verifies;
    struct slice text;
    int64_t seconds; /* of a witness's: when it has seen the text, as it says */
};

static bool is_cosigned(struct opening *opening, const uint8_t *bytes, size_t len)
{
    char text[NOTE_MAX + 64];
    uint64_t seconds = 0;
    if (len != TIME_SIZE + NOTE_SIGNATURE_SIZE || opening->text.len > NOTE_MAX)
        return false;
    for (size_t i = 0; i < TIME_SIZE; i++)
        seconds = seconds << 8 | bytes[i];
    if (seconds == 0 || seconds > TIME_LATEST)
        return false;
    int head = snprintf(text, sizeof(text), "cosignature/v1\ntime %" PRIu64 "\n", seconds);
    assert(head > 0 && (size_t)head + NOTE_MAX <= sizeof(text));
    memcpy(text + head, opening->text.data, opening->text.len);
    opening->seconds = (int64_t)seconds;
    return opening->verifies(opening->by.public_key, (struct slice){text, (size_t)head + opening->text.len},
                             bytes + TIME_SIZE);
}

static bool is_good(struct opening *opening, const uint8_t *bytes, size_t len)
{
    if (opening->by.type == TYPE_WITNESS)
        return is_cosigned(opening, bytes, len);
    return len == NOTE_SIGNATURE_SIZE && opening->verifies(opening->by.public_key, opening->text, bytes);
}

/* The next line, and whether it is of a signature by the key, whose bytes behind the ID are *signed of *len.
 * False if it is no line of a signature. */
static bool next_signature(struct slice *rest, const struct verifier *by, uint8_t bytes[BYTES_MAX],
                           size_t *len, bool *ours)
{
    struct slice line, name;
    if (!next_line(rest, &line) || !parse_line(line, &name, bytes, BYTES_MAX, len))
        return false;
    assert(*len <= BYTES_MAX && *len > ID_SIZE);
    *ours = slice_eq(name, by->name) && memcmp(bytes, by->id, ID_SIZE) == 0;
    *len -= ID_SIZE;
    return true;
}

static bool open_note(struct slice note, struct opening *opening)
{
    uint8_t bytes[BYTES_MAX];
    struct slice rest;
    bool good = false, ours;
    if (!split(note, &opening->text, &rest))
        return false;
    /* A text is bounded, and so is the work: each line costs a check of a signature at the most. */
    for (int i = 0; rest.len > 0; i++) {
        size_t len = 0;
        if (i == SIGNATURES_READ || !next_signature(&rest, &opening->by, bytes, &len, &ours))
            return false;
        if (!ours)
            continue;
        if (!is_good(opening, bytes + ID_SIZE, len))
            return false;
        good = true;
    }
    assert(!good || slice_within(opening->text, note));
    return good;
}

bool note_open(struct slice note, const char *verifier, note_verifies *verifies, struct slice *text)
{
    struct opening opening = {.verifies = verifies};
    if (!parse_verifier(slice_of(verifier), &opening.by) || opening.by.type != TYPE_ED25519)
        return false;
    bool good = open_note(note, &opening);
    *text = opening.text;
    return good;
}

bool note_witnessed(struct slice note, const char *witness, note_verifies *verifies, int64_t *seconds)
{
    struct opening opening = {.verifies = verifies};
    if (!parse_verifier(slice_of(witness), &opening.by) || opening.by.type != TYPE_WITNESS)
        return false;
    bool good = open_note(note, &opening);
    *seconds = opening.seconds;
    return good;
}

bool note_line_by(struct slice lines, const char *verifier, char out[NOTE_LINE_MAX])
{
    uint8_t bytes[BYTES_MAX];
    struct verifier by;
    bool ours;
    if (!parse_verifier(slice_of(verifier), &by))
        return false;
    for (int i = 0; lines.len > 0 && i < SIGNATURES_READ; i++) {
        const struct slice from = lines;
        size_t len = 0;
        if (!next_signature(&lines, &by, bytes, &len, &ours))
            return false;
        size_t line = from.len - lines.len;
        if (ours && line < NOTE_LINE_MAX) {
            snprintf(out, NOTE_LINE_MAX, "%.*s", (int)line, from.data);
            return true;
        }
    }
    return false;
}
