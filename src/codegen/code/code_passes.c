/* The table of passes. */
#include "code_passes.h"
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
    { "interleave", "a point's chain of long functions is cut: a processor then has one of each point under way at once",
      gn_code_interleave },
    { "unread", "an array whose values no longer cross from loop to loop is not needed", gn_code_drop_idle },
    { "rows", "the part of an address that a loop does not change is computed before it and has a name",
      gn_code_name_rows },
    { NULL, NULL, NULL },
};

#ifndef NDEBUG
/* No access is outside its place for some sizes, if none was before the passes: what a text knows, they know. */
static void look_at_ranges(const gn_code *c, const gn_code_pass *p, bool *outside)
{
    gn_arena scratch = { .allocator = c->arena->allocator };
    const gn_code_ranges r = gn_code_verify_ranges(c, &scratch);
    const char *const what = r.outside ? gn_arena_string(c->arena, r.outside) : NULL;
    gn_arena_free(&scratch);
    if (what && p && !*outside) gn_throw(GN_EINTERNAL, "pass %s: %s", p->name, what);
    *outside = what;
}
#endif

static void look(gn_code *c, const gn_code_pass *p, bool *outside, void (*seen)(void *user, const gn_code *, const gn_code_pass *),
                 void *user)
{
    bool wanted = seen || !p || !p[1].name;
#ifndef NDEBUG
    wanted = true;
#endif
    if (!wanted) return;
    const gn_work done = gn_work_done; /* of compiling, not of looking at it */
    gn_code_find_facts(c);
    gn_code_find_carried(c);
#ifndef NDEBUG
    gn_code_verify(c);
    if (!*outside) look_at_ranges(c, p, outside);
#endif
    gn_work_done = done;
    if (seen) seen(user, c, p);
}

void gn_code_run_passes(gn_code *c, void (*seen)(void *user, const gn_code *, const gn_code_pass *), void *user)
{
    bool outside = false; /* for sizes that a call refuses */
    gn_map answers = { 0 };
    c->answers = &answers;
    look(c, NULL, &outside, seen, user);
    for (const gn_code_pass *p = gn_code_passes; p->name; p++) {
        for (size_t i = 0; i < c->steps.n; i++) p->run(c, &c->steps.at[i].body);
        look(c, p, &outside, seen, user);
    }
    c->answers = NULL;
}
