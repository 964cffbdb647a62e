#include "ledger/format/paper/pdf_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

/* Cairo's and GObject's functions are found in it, too, as it needs them itself. */
#define LIBRARY "libpangocairo-1.0.so.0"

struct pdf_library pdf;
static bool is_loaded;

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* kept until the program ends */
    is_loaded = library != NULL;
#define PDF_FIND(name) is_loaded = is_loaded && (pdf.name = (__typeof__(pdf.name))dlsym(library, #name));
    PDF_FUNCTIONS(PDF_FIND)
#undef PDF_FIND
}

const char *pdf_library_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded ? NULL : "no PDF can be drawn without " LIBRARY "; install libpangocairo-1.0-0";
}
