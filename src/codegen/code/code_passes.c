/* The table of passes. */
#include <string.h>
#include "code_passes.h"
#include "code_text.h"
#include "code_verify.h"

const gn_code_pass gn_code_passes[] = {
    { "wait", "an element that the points of a tile add to one after the other is loaded and stored once", gn_code_wait },
    { "once", "points and statements say again what they need: it is computed once while nothing of it changes",
     gn_code_once },
    { "pack", "a function of the scalars of a tile's rows is one function of a vector", gn_code_pack },
    { "join", "branches with one condition are one: the stores of a row's vectors stand under one `row < rows`",
     gn_code_join },
    { "overwritten", "a constant that a register loses before anybody reads it is not put into it", gn_code_drop_sets },
    { "idle", "what nobody reads is not computed, a loop around nothing does not run", gn_code_drop_idle },
    { "hoist", "what does not change from turn to turn is computed before the loop", gn_code_hoist },
    { "again", "what several loops had inside, and has gone before them, is computed once", gn_code_once },
    { "roll",
     "what is done for one point of a tile after the other is an unrolled loop: less to read and to compile, the same "
     "instructions",
     gn_code_roll },
    { "fuse", "statements of one tile make a loop each: what is done for a point is done in one", gn_code_fuse },
    { "same", "what such statements each computed of a point is computed once", gn_code_once },
    { "unread", "an array whose values no longer cross from loop to loop is not needed, its name is free",
      gn_code_drop_idle },
    { "interleave", "a point's chain of long functions is cut: a processor then has one of each point under way at once",
      gn_code_interleave },
    { "reload", "what each part of a chain loads for itself is not loaded where nobody reads it", gn_code_drop_idle },
    { "rows", "the part of an address that a loop does not change is computed before it and has a name",
      gn_code_name_rows },
    { NULL, NULL, NULL },
};

typedef struct watch { /* between passes */
    void (*seen)(void *user, const gn_code *, const gn_code_pass *);
    void *user;
    bool outside;  /* an access is, for sizes that a call refuses */
    uint64_t text; /* of the code that was looked at last */
    gn_map answers;
} watch;

#ifndef NDEBUG
static bool is_as_before(const gn_code *c, watch *w)
{
    gn_arena scratch = { .allocator = c->arena->allocator };
    gn_text t = { .arena = &scratch };
    gn_code_print(&t, c);
    const char *const text = gn_text_done(&t);
    const uint64_t before = w->text;
    w->text = gn_hash_bytes(0, text, strlen(text));
    gn_arena_free(&scratch);
    return w->text == before;
}

/* No access is outside its place for some sizes, if none was before the passes. Of code that somebody watches: a kernel
 * of a graph does not say which sizes a call refuses. */
static void look_at_ranges(const gn_code *c, const gn_code_pass *p, watch *w)
{
    if (!w->seen || w->outside || is_as_before(c, w)) return;
    const char *const outside = gn_code_verify_ranges(c, c->arena).outside;
    if (outside && p) gn_throw(GN_EINTERNAL, "pass %s: %s", p->name, outside);
    w->outside = outside;
}
#endif

static void look(gn_code *c, const gn_code_pass *p, watch *w)
{
    bool wanted = w->seen || !p || !p[1].name;
#ifndef NDEBUG
    wanted = true;
#endif
    if (!wanted) return;
    const gn_work done = gn_work_done; /* of compiling, not of looking at it */
    gn_code_find_facts(c);
    gn_code_find_carried(c);
#ifndef NDEBUG
    gn_code_verify(c);
    look_at_ranges(c, p, w);
#endif
    gn_work_done = done;
    if (w->seen) w->seen(w->user, c, p);
}

void gn_code_run_passes(gn_code *c, void (*seen)(void *user, const gn_code *, const gn_code_pass *), void *user)
{
    watch *const w = GN_NEW_OBJECT(c->arena, watch);
    *w = (watch){ .seen = seen, .user = user };
    c->answers = &w->answers;
    look(c, NULL, w);
    for (const gn_code_pass *p = gn_code_passes; p->name; p++) {
        for (size_t i = 0; i < c->steps.n; i++) p->run(c, &c->steps.at[i].body);
        look(c, p, w);
    }
}
