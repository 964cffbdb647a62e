/* Levels are those that the programs gzip and zstd take by default: an export is read again years later, and
 * not often. */
#define ZLIB_CONST /* what zlib reads it may not write */
#include "ledger/base/file/packing.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define PACKER_MAGIC 0x3fb1c6d9u
#define GZIP_HEADER  16 /* added to the window's bits: gzip's header, without a time and a name */
#define GZIP_LEVEL   6
#define GZIP_MEMORY  8
#define ZSTD_LEVEL   3
#define OUT_SIZE     ((size_t)1 << 17)

struct packer {
    uint32_t magic;
    enum packing packing;
    bool unpacks;
    bool ended; /* what is unpacked has come to its end; another part may follow */
    packing_take *take;
    void *context;
    z_stream gzip;
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
    char out[OUT_SIZE];
};

static const char *const names[] = {"none", "gzip", "zstd"};

const char *packing_name(enum packing packing)
{
    return names[packing];
}

bool packing_named(struct slice name, enum packing *packing)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_eq(name, slice_of(names[i]))) {
            *packing = (enum packing)i;
            return true;
        }
    return false;
}

static bool start_gzip(struct packer *packer)
{
    return (packer->unpacks ? inflateInit2(&packer->gzip, MAX_WBITS + GZIP_HEADER)
                            : deflateInit2(&packer->gzip, GZIP_LEVEL, Z_DEFLATED, MAX_WBITS + GZIP_HEADER,
                                           GZIP_MEMORY, Z_DEFAULT_STRATEGY)) == Z_OK;
}

static bool start_zstd(struct packer *packer)
{
    if (packer->unpacks)
        return (packer->decompress = ZSTD_createDCtx());
    packer->compress = ZSTD_createCCtx();
    return packer->compress &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(packer->compress, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(packer->compress, ZSTD_c_checksumFlag, 1));
}

struct packer *packer_new(enum packing packing, bool unpacks, packing_take *take, void *context)
{
    struct packer *packer = calloc(1, sizeof(*packer));
    if (!packer)
        return NULL;
    OBJECT_MAKE(packer, PACKER_MAGIC);
    packer->packing = packing;
    packer->unpacks = unpacks;
    packer->ended = true; /* of nothing at all */
    packer->take = take;
    packer->context = context;
    if ((packing == PACKING_GZIP && !start_gzip(packer)) ||
        (packing == PACKING_ZSTD && !start_zstd(packer))) {
        packer_free(packer);
        return NULL;
    }
    return packer;
}

static void give(struct packer *packer, size_t len)
{
    assert(len <= OUT_SIZE);
    if (len > 0)
        packer->take(packer->context, (struct slice){packer->out, len});
}

static bool gzip_some(struct packer *packer, struct slice piece, bool last)
{
    z_stream *gzip = &packer->gzip;
    int state = Z_OK;
    assert(piece.len <= UINT_MAX);
    gzip->next_in = (const Bytef *)piece.data;
    gzip->avail_in = (uInt)piece.len;
    do {
        gzip->next_out = (Bytef *)packer->out;
        gzip->avail_out = OUT_SIZE;
        state = deflate(gzip, last ? Z_FINISH : Z_NO_FLUSH);
        give(packer, OUT_SIZE - gzip->avail_out);
    } while (gzip->avail_out == 0 && state != Z_STREAM_END);
    return state != Z_STREAM_ERROR;
}

static bool gunzip_some(struct packer *packer, struct slice piece)
{
    z_stream *gzip = &packer->gzip;
    assert(piece.len <= UINT_MAX);
    gzip->next_in = (const Bytef *)piece.data;
    gzip->avail_in = (uInt)piece.len;
    do {
        if (packer->ended && gzip->avail_in > 0 && inflateReset(gzip) != Z_OK)
            return false;
        gzip->next_out = (Bytef *)packer->out;
        gzip->avail_out = OUT_SIZE;
        int state = inflate(gzip, Z_NO_FLUSH);
        give(packer, OUT_SIZE - gzip->avail_out);
        packer->ended = state == Z_STREAM_END;
        if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
            return false;
    } while (gzip->avail_out == 0 || gzip->avail_in > 0);
    return true;
}

static bool zstd_some(struct packer *packer, struct slice piece, bool last)
{
    ZSTD_inBuffer in = {piece.data, piece.len, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {packer->out, OUT_SIZE, 0};
        left = ZSTD_compressStream2(packer->compress, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        give(packer, out.pos);
    } while (!ZSTD_isError(left) && (last ? left > 0 : in.pos < in.size));
    return !ZSTD_isError(left);
}

static bool unzstd_some(struct packer *packer, struct slice piece)
{
    ZSTD_inBuffer in = {piece.data, piece.len, 0};
    bool full = true;
    while (in.pos < in.size || full) {
        ZSTD_outBuffer out = {packer->out, OUT_SIZE, 0};
        size_t state = ZSTD_decompressStream(packer->decompress, &out, &in);
        if (ZSTD_isError(state))
            return false;
        give(packer, out.pos);
        full = out.pos == out.size && state != 0; /* 0: the frame is done, and all of it is out */
        packer->ended = state == 0;
    }
    return true;
}

bool packer_add(struct packer *packer, struct slice piece)
{
    OBJECT_CHECK(packer, PACKER_MAGIC);
    if (piece.len == 0)
        return true;
    if (packer->packing == PACKING_GZIP)
        return packer->unpacks ? gunzip_some(packer, piece) : gzip_some(packer, piece, false);
    if (packer->packing == PACKING_ZSTD)
        return packer->unpacks ? unzstd_some(packer, piece) : zstd_some(packer, piece, false);
    packer->take(packer->context, piece);
    return true;
}

bool packer_end(struct packer *packer)
{
    OBJECT_CHECK(packer, PACKER_MAGIC);
    static const struct slice nothing = {"", 0};
    if (packer->unpacks || packer->packing == PACKING_NONE)
        return packer->ended;
    return packer->packing == PACKING_GZIP ? gzip_some(packer, nothing, true)
                                           : zstd_some(packer, nothing, true);
}

void packer_free(struct packer *packer)
{
    if (!packer)
        return;
    OBJECT_END(packer, PACKER_MAGIC);
    if (packer->packing == PACKING_GZIP)
        (void)(packer->unpacks ? inflateEnd(&packer->gzip) : deflateEnd(&packer->gzip));
    ZSTD_freeCCtx(packer->compress);
    ZSTD_freeDCtx(packer->decompress);
    free(packer);
}
