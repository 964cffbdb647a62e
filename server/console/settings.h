/* The configuration for people: each setting that is not empty, without what is secret. */
#ifndef SERVER_CONSOLE_SETTINGS_H
#define SERVER_CONSOLE_SETTINGS_H

#include "ledger/base/config/config.h"

#include <jansson.h>

/* A list of {"key": "listen", "value": "127.0.0.1:8402"}. */
json_t *settings_json(const struct config *config);

/* What each rule costs, in micro-units, by site and rule; those that cost nothing are not there. */
json_t *settings_prices(const struct config *config);

#endif
