#include "server/agent/answer.h"

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

static bool is_encoded(const struct message *answer)
{
    for (const struct message_field *field = message_field(answer, SLICE("content-encoding")); field;
         field = message_field_next(answer, field))
        if (!slice_eq_nocase(slice_trim(field->value), SLICE("identity")))
            return true;
    return false;
}

const char *answer_refusal(long status, const struct message *answer, bool conditional)
{
    const struct message_field *type = message_field(answer, SLICE("content-type"));
    if (status == 304 && conditional)
        return NULL;
    if (status >= 300 && status < 400)
        return "redirects are not followed";
    if (status != 200)
        return "the status is not 200";
    if (is_encoded(answer))
        return "the body is encoded, although identity was asked for";
    if (!type || message_field_next(answer, type) || !answer_type_fits(type->value))
        return "the media type is not that of a key directory";
    return NULL;
}
