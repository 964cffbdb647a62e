/* The API's description (OpenAPI 3.1), made of the tables of pages, views and deeds. */
#ifndef SERVER_CONSOLE_OPENAPI_H
#define SERVER_CONSOLE_OPENAPI_H

#include <jansson.h>

/* NULL without memory. */
json_t *openapi_json(void);

#endif
