#include "ledger/base/places.h"

/* The defaults are the checkout's; tools/deploy/rules.mk says what an installation has instead. */
#ifndef PLACES_CONFIG
#define PLACES_CONFIG     "config.yaml"
#define PLACES_STATE      "var"
#define PLACES_CONNECTION "host=var/postgres dbname=crawltab"
#define PLACES_SITE       "tools/demo/site"
#define PLACES_COMMAND    "crawltab"
#define PLACES_CONSOLE    "../server/console/assets"
#endif

const char places_config[] = PLACES_CONFIG;
const char places_state[] = PLACES_STATE;
const char places_connection[] = PLACES_CONNECTION;
const char places_site[] = PLACES_SITE;
const char places_command[] = PLACES_COMMAND;
const char places_console[] = PLACES_CONSOLE;
