/* What the trees of a closed day are over, byte for byte. Whoever knows an entry can make its leaf again and
 * needs no database: these encodings never change; another one gets another version.
 *
 * An entry, version 1. Numbers are unsigned and big-endian.
 *     1 byte    the version, 0x01
 *    16         the payment id's UUID
 *     8         when it was recorded, milliseconds since 1970-01-01 UTC
 *     8         the price, micro-units of the site's currency
 *     4         version of the agreement that was in force; 0: there was none
 *    32         the key's JWK thumbprint
 *    32         SHA-256 of the signature base
 *     then five fields, each 2 bytes of length and as many bytes:
 *               the site's name, the agent, the rule's name, the resource (all UTF-8), the signature.
 *               Of a field longer than 8,192 bytes stand the length 0xffff and its SHA-256 instead.
 *
 * A closed day, version 1: the leaf of the site's log. Lines of ASCII, each ended by a line feed:
 *     crawltab-day/1
 *     log ORIGIN                 the log's origin, see leaf_origin
 *     date 2026-11-20            the local date
 *     starts 2026-11-19T23:00:00.000Z
 *     ends 2026-11-20T23:00:00.000Z
 *     zone Europe/Paris
 *     currency USD
 *     entries 3                  how many
 *     sum 7500                   of their prices, in micro-units
 *     root BASE64                of the tree over the day's entries, in the order of their payment ids
 *
 * Version 2, of which the first line is crawltab-day/2, has two more lines at its end:
 *     facts 17                   how many rows on which money depends were made since the day before
 *     facts-root BASE64          of the tree over them, in the order of their tables and keys, byte by byte
 *
 * A fact, by which its leaf in that tree is made. Lines of UTF-8, each ended by a line feed:
 *     invoice                    the table
 *     1/INV-2026-000001          the columns of its key, joined by slashes
 *     {"site_id": 1, ...}        all columns that are not NULL, as PostgreSQL writes jsonb: shorter names
 *                                first and bytewise among those of a length, ": " and ", " between; bytes as
 *                                "\\x" and hex, times in UTC ("2026-11-20T23:00:00+00:00"), dates likewise
 * Which tables these are, and their keys, is in the function fact_sources. */
#ifndef LEDGER_PROOF_LEAF_H
#define LEDGER_PROOF_LEAF_H

#include "ledger/base/crypto/digest.h"

#define LEAF_FIELD_MAX 8192
#define LEAF_MAX       (1 + 16 + 8 + 8 + 4 + DIGEST_SIZE + DIGEST_SIZE + 5 * (2 + LEAF_FIELD_MAX))
#define LEAF_DAY_MAX   4096
#define LEAF_FACTS     "\nfacts " /* after it, of version 2, stands what is about facts */

/* Longest origin, with the NUL. */
#define LEAF_ORIGIN_MAX 1024

/* One entry's facts. */
struct leaf {
    const uint8_t *payment_id; /* UUID_SIZE */
    int64_t recorded_at_ms;
    int64_t amount_micros;
    int64_t agreement_version;
    const uint8_t *thumbprint; /* DIGEST_SIZE */
    struct slice site, agent, rule, resource, signature, signature_base;
};

/* Writes the entry's bytes, returns how many. */
size_t leaf_write(const struct leaf *leaf, uint8_t out[LEAF_MAX]);

/* A closed day's facts. */
struct leaf_day {
    const char *origin, *date, *zone, *currency;
    int64_t starts_ms, ends_ms;
    int64_t entries;
    int64_t sum_micros;
    const uint8_t *root; /* DIGEST_SIZE */
    int64_t facts;
    const uint8_t *facts_root; /* DIGEST_SIZE; NULL: version 1 */
};

/* Writes the day's text with a NUL, returns its length; 0 if it does not fit. */
size_t leaf_write_day(const struct leaf_day *day, char out[LEAF_DAY_MAX]);

/* The name of a site's log, which is also that of the key that signs it: "example:402/gazette", the site's
 * network and name, neither of which ever changes. Bytes other than letters, digits and "-._~:" are written
 * as %XX, since a key's name has no spaces and no plus. False if it does not fit. */
bool leaf_origin(const char *network, const char *site, char out[LEAF_ORIGIN_MAX]);

#endif
