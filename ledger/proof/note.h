/* Signed notes (c2sp.org/signed-note): a text with Ed25519 signatures below it, that any verifier of
 * transparency logs reads. Pure; Ed25519 itself is the caller's. */
#ifndef LEDGER_PROOF_NOTE_H
#define LEDGER_PROOF_NOTE_H

#include "ledger/base/crypto/digest.h"

#define NOTE_KEY_SIZE       32
#define NOTE_SIGNATURE_SIZE 64
#define NOTE_NAME_MAX       1024
#define NOTE_VERIFIER_MAX   (NOTE_NAME_MAX + 64)
#define NOTE_MAX            8192
#define NOTE_LINE_MAX       (NOTE_NAME_MAX + 128)

typedef bool note_signs(const uint8_t seed[NOTE_KEY_SIZE], struct slice text,
                        uint8_t signature[NOTE_SIGNATURE_SIZE]);
typedef bool note_verifies(const uint8_t key[NOTE_KEY_SIZE], struct slice text,
                           const uint8_t signature[NOTE_SIGNATURE_SIZE]);

/* A private key and what signs with it. */
struct note_key {
    uint8_t seed[NOTE_KEY_SIZE];
    uint8_t public_key[NOTE_KEY_SIZE];
    note_signs *signs;
};

/* Writes the verifier key, "name+0123abcd+base64". False if the name is empty, too long or has a space or a
 * plus. */
bool note_verifier(const char *name, const uint8_t public_key[NOTE_KEY_SIZE], char out[NOTE_VERIFIER_MAX]);

/* True for a verifier key, whose parts fit together. */
bool note_is_verifier(const char *text);

/* Writes the note: the text, which ends with a line feed, and one signature under `name`. False if the name
 * is not one, if the note does not fit, or if nothing can be signed. */
bool note_sign(const char *text, const char *name, const struct note_key *key, char out[NOTE_MAX]);

/* Writes the line of a signature alone, for a text of any length: the note is the text, an empty line, and
 * such lines. False as above. */
bool note_line(const char *text, const char *name, const struct note_key *key, char out[NOTE_LINE_MAX]);

/* Adds a signature by another key to a note that note_sign made. False if it does not fit. */
bool note_cosign(const char *name, const struct note_key *key, char note[NOTE_MAX]);

/* True if the note is well formed and carries a good signature by the verifier key; *text is then what was
 * signed, a part of `note`. Signatures by other keys are passed over; a bad one by this key fails. */
bool note_open(struct slice note, const char *verifier, note_verifies *verifies, struct slice *text);

/* True for the verifier key of a witness (c2sp.org/tlog-cosignature): of type 4, for signatures with a time.
 */
bool note_is_witness(const char *text);

/* True if the note is well formed and carries a good cosignature by this key of a witness; *seconds is then
 * when the witness has seen the text, by its clock, since 1970. As note_open in all else. */
bool note_witnessed(struct slice note, const char *witness, note_verifies *verifies, int64_t *seconds);

/* Finds, among lines of signatures alone, the first by this verifier key of either type; it is not checked.
 * False if there is none, or a line is none of a signature. */
bool note_line_by(struct slice lines, const char *verifier, char out[NOTE_LINE_MAX]);

#endif
