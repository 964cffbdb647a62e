/* Without recursion, and with a memory for two stars alone: paths are chosen by whoever asks, and a matcher
 * that tries all ways would be a way to hold a thread. */
#include "ledger/base/text/glob.h"

#include <assert.h>

/* A star that was met: where to go on in the glob, and how far it has eaten the path. */
struct star {
    bool met;
    size_t glob;
    size_t path;
};

static bool retry(struct star *star, struct slice path, bool single, size_t *g, size_t *p)
{
    assert(!star->met || star->path <= path.len);
    if (!star->met || star->path >= path.len || (single && path.data[star->path] == '/'))
        return false;
    *g = star->glob;
    *p = ++star->path;
    return true;
}

/* The usual two-pointer match, with one memory for the last `*` and one for the last `**`: a later `**` makes
 * all earlier stars final, a later `*` only earlier single ones. */
bool glob_matches(struct slice glob, struct slice path)
{
    struct star one = {false, 0, 0};
    struct star two = {false, 0, 0};
    size_t g = 0;
    size_t p = 0;
    while (g < glob.len || p < path.len) {
        assert(g <= glob.len && p <= path.len);
        /* Each star starts by eating nothing, and eats on only when the rest does not fit. */
        if (g < glob.len && glob.data[g] == '*') {
            bool twice = g + 1 < glob.len && glob.data[g + 1] == '*';
            g += twice ? 2 : 1;
            *(twice ? &two : &one) = (struct star){true, g, p};
            one.met = one.met && !twice;
            continue;
        }
        bool fits = g < glob.len && p < path.len &&
                    (glob.data[g] == path.data[p] || (glob.data[g] == '?' && path.data[p] != '/'));
        if (fits) {
            g++;
            p++;
        } else if (!retry(&one, path, true, &g, &p)) {
            one.met = false;
            if (!retry(&two, path, false, &g, &p))
                return false;
        }
    }
    return true;
}
