#include "server/console/base/role.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *role;
    unsigned rights;
} roles[] = {
    {"owner", RIGHT_TRAFFIC | RIGHT_BOOKS | RIGHT_RECORDS | RIGHT_MONEY | RIGHT_TERMS | RIGHT_KEYS},
    {"finance", RIGHT_TRAFFIC | RIGHT_BOOKS | RIGHT_MONEY},
    {"auditor", RIGHT_TRAFFIC | RIGHT_BOOKS | RIGHT_RECORDS},
    {"reader", RIGHT_TRAFFIC},
};

bool role_may(const char *role, enum role_right right)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
        if (strcmp(roles[i].role, role) == 0)
            return (roles[i].rights & right) == right;
    return false;
}

const char *role_right_name(enum role_right right)
{
    switch (right) {
    case RIGHT_TRAFFIC:
        return "traffic";
    case RIGHT_BOOKS:
        return "books";
    case RIGHT_RECORDS:
        return "records";
    case RIGHT_MONEY:
        return "money";
    case RIGHT_TERMS:
        return "terms";
    case RIGHT_KEYS:
        return "keys";
    }
    return "";
}
