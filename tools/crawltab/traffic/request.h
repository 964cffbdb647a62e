/* What `crawltab traffic` and `crawltab today` are asked, and the answer in the format that is wanted. */
#ifndef TOOLS_CRAWLTAB_TRAFFIC_REQUEST_H
#define TOOLS_CRAWLTAB_TRAFFIC_REQUEST_H

#include "tools/crawltab/frame/command.h"

struct traffic_request {
    const char *site;      /* NULL: each */
    const char *from, *to; /* NULL: the thirty days up to today */
    const char *by;        /* NULL: crawler; and of a page, which has its own tables */
    bool today;            /* today alone, beside yesterday and a week ago */
    bool json, csv;
    const char *html;  /* a file; NULL: none */
    const char *tried; /* another configuration, whose rules are tried; NULL: none */
};

/* Fills in what was not asked. EXIT_DONE, or EXIT_USAGE after saying what is wrong. */
enum exit_status traffic_request_check(struct traffic_request *request);

/* Writes the answer to standard output, or to the file. `config` is the present configuration. */
enum exit_status traffic_request_tell(struct pg *pg, const struct config *config,
                                      const struct traffic_request *request);

#endif
