/* The subcommands. Each takes its own arguments, its name first, and returns the exit status. */
#ifndef TOOLS_CRAWLER_COMMANDS_H
#define TOOLS_CRAWLER_COMMANDS_H

#define COMMANDS_OK     0
#define COMMANDS_FAILED 1
#define COMMANDS_USAGE  64

/* keygen --key FILE: makes a key and prints its keyid. */
int keygen_main(int argc, char **argv);

/* directory --key FILE [--out FILE]: writes the key directory. */
int directory_main(int argc, char **argv);

/* serve --key FILE --listen ADDRESS:PORT: serves the key directory until SIGTERM or SIGINT. */
int serve_main(int argc, char **argv);

/* fetch … URL…: fetches pages and pays for them. 1 when any was not fetched or a receipt is not right. */
int fetch_main(int argc, char **argv);

/* account … SITE, and the others of tools/crawler/account: what the crawler's account at a site says. */
int account_main(int argc, char **argv);
int statement_main(int argc, char **argv);
int invoice_main(int argc, char **argv);
int proof_main(int argc, char **argv);
int dispute_main(int argc, char **argv);

/* reconcile … SITE: 2 when receipts and entries differ. */
int reconcile_main(int argc, char **argv);

#endif
