/* Redirects are not followed: the location is the crawler's identity, and one that sends elsewhere is
 * another's. Outside the well-known path a server may give its keys any media type; there it must be the
 * registered one, or any page at that path would be a directory. */
#include "server/agent/answer.h"

#include "server/agent/unpack.h"

bool answer_type_fits(struct slice content_type)
{
    static const char *const types[] = {"application/http-message-signatures-directory+json",
                                        "application/http-message-signatures-directory",
                                        "application/jwk-set+json", "application/json"};
    struct slice type = slice_trim((struct slice){content_type.data, slice_find(content_type, ';')});
    for (size_t i = 0; i < content_type.len; i++)
        if (content_type.data[i] < 0x20 || content_type.data[i] > 0x7e)
            return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (slice_eq_nocase(type, slice_of(types[i])))
            return true;
    return false;
}

const char *answer_refusal(long status, const struct message *answer, struct answer_question question)
{
    const struct message_field *type = message_field(answer, SLICE("content-type"));
    if (status == 304 && question.conditional)
        return NULL;
    if (status >= 300 && status < 400)
        return "redirects are not followed";
    if (status != 200)
        return "the status is not 200";
    if (unpack_coding(answer) == UNPACK_UNKNOWN)
        return "the body is encoded in a way that is not known here, although identity was asked for";
    if (question.well_known && (!type || message_field_next(answer, type) || !answer_type_fits(type->value)))
        return "the media type is not that of a key directory";
    return NULL;
}
