/* Units: the definitions of the words that generated text uses, made from templates.
 *
 *     @ fma : f32x16                                   one or more ops, then the tags they are for
 *     GN_INLINE $v gn_$o_$t($v a, $v b, $v c) { return (gn_f32x16)__builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4); }
 *
 * An entry ends at the next line that starts with '@' or is empty; what follows that is a comment. A header is '@' ops
 * ':' tags
 * ['from' tags]; a tag may end in x* (any lanes), b* is any mask; no tag at all: a word without one. The first entry
 * that fits, in the order of the target's files, defines the word. `type` is the op of a vector type's own name. In the
 * text:
 *
 *     $o op           $t tag                $v its C type             $e C type of an element     $d dtype of an
 * element $s source tag   $w its C type         $n lanes                  $k lanes / 2                $h tag of half
 * the lanes $m mask tag     $g half's mask tag    $i signed tag, same width $u unsigned tag             $l tag i64xN
 *     $[text]  text once per lane with # replaced by its number, joined by ", " (by " " if it ends in ; or } or starts
 * with |)
 *     $<text>  the same for half of the lanes; #+ is the lane in the upper half
 *     $c the number at the end of the op's name, as in up4; #^ is # + $n - $c */
#include <stdlib.h>
#include <string.h>
#include "ascii.h"
#include "dtype.h"
#include "error.h"
#include "target.h"
#include "vec.h"

typedef struct tag {
    gn_dtype dtype;
    int lanes; /* 0: no tag */
} tag;

typedef struct word {
    const char *name, *op; /* "gn_cast_f32x16_i32x16", "cast" */
    tag type, source;      /* i32x16, f32x16 */
} word;

typedef struct unit {
    gn_text *out;
    gn_arena *arena;
    const gn_target *target;
    GN_VEC(const char *) done;
    int depth;
} unit;

static bool same(const char *text, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(text, name, n) == 0;
}

static tag read_tag(const char *text, size_t n)
{
    size_t digits = 0;
    int lanes = 0;
    while (digits < n && gn_is_digit(text[n - 1 - digits])) digits++;
    for (size_t i = n - digits; i < n; i++) lanes = lanes * 10 + text[i] - '0';
    if (n == digits + 1 && text[0] == 'b') return (tag){GN_BOOL, lanes};
    const bool vector = n > digits && text[n - digits - 1] == 'x';
    const size_t length = vector ? n - digits - 1 : n;
    for (int t = 0; t < GN_NDTYPES; t++)
        if (same(text, length, gn_dtypes[t].name)) return (tag){(gn_dtype)t, vector ? lanes : 1};
    return (tag){0};
}

void gn_spell_tag(gn_text *out, gn_dtype t, int lanes)
{
    if (lanes == 1)
        gn_text_add(out, gn_dtypes[t].name);
    else if (t == GN_BOOL)
        gn_textf(out, "b%d", lanes);
    else
        gn_textf(out, "%sx%d", gn_dtypes[t].name, lanes);
}

static void put_ctype(gn_text *out, gn_dtype t, int lanes)
{
    if (lanes == 1) {
        gn_text_add(out, gn_dtypes[t].c_name);
        return;
    }
    gn_text_add(out, "gn_");
    gn_spell_tag(out, t, lanes);
}

/* "gn_hsum_f32x16": the trailing one or two tags, the op before them. */
static word read_word(unit *u, const char *name)
{
    word w = {.name = name};
    const char *text = name + 3;
    size_t n = strlen(text);
    w.type = read_tag(text, n);
    if (w.type.lanes > 1) {
        w.op = "type";
        return w;
    }
    w.type.lanes = 0;
    for (int i = 0; i < 2; i++) {
        size_t cut = n;
        while (cut > 0 && text[cut - 1] != '_') cut--;
        const tag t = cut > 0 ? read_tag(text + cut, n - cut) : (tag){0};
        if (!t.lanes) break;
        *(i ? &w.source : &w.type) = t;
        n = cut - 1;
    }
    char *op = gn_arena_copy(u->arena, text, n + 1);
    op[n] = '\0';
    w.op = op;
    return w;
}

static const char *skip_spaces(const char *p)
{
    while (*p == ' ') p++;
    return p;
}

/* One item of a header: up to a space, a newline or the end. */
static size_t item_length(const char *p)
{
    return strcspn(p, " \n");
}

static bool pattern_fits(const char *p, size_t n, tag t)
{
    if (n > 0 && p[n - 1] == '*') {
        if (n == 2 && p[0] == 'b') return t.dtype == GN_BOOL && t.lanes > 1;
        return t.lanes > 1 && same(p, n - 2, gn_dtypes[t.dtype].name);
    }
    const tag exact = read_tag(p, n);
    return exact.lanes == t.lanes && exact.dtype == t.dtype;
}

/* Does the header at `p` (after '@') define w? `other_tag`: its ops have w's, but for other tags. */
static bool header_fits(const char *p, const word *w, bool *other_tag)
{
    bool op = false, type = false, source = false, any_type = false, any_source = false;
    for (p = skip_spaces(p); *p != ':'; p = skip_spaces(p + item_length(p))) op |= same(p, item_length(p), w->op);
    bool from = false;
    for (p = skip_spaces(p + 1); *p && *p != '\n'; p = skip_spaces(p + item_length(p))) {
        const size_t n = item_length(p);
        if (same(p, n, "from")) {
            from = true;
        } else if (from) {
            any_source = true;
            source |= pattern_fits(p, n, w->source);
        } else {
            any_type = true;
            type |= pattern_fits(p, n, w->type);
        }
    }
    *other_tag |= op;
    return op && (any_type ? type : !w->type.lanes) && (any_source ? source : !w->source.lanes);
}

/* The text of the entry that defines w: from after its header line, `*end` where it ends. NULL: none. */
static const char *find_entry(const gn_target *target, const word *w, const char **end, bool *other_tag)
{
    for (size_t i = 0; target->prelude[i]; i++)
        for (const char *p = target->prelude[i]; p; p = strstr(p, "\n@") ? strstr(p, "\n@") + 1 : NULL) {
            if (*p != '@' || !header_fits(p + 1, w, other_tag)) continue;
            const char *text = strchr(p, '\n') + 1;
            *end = text;
            while (**end && **end != '@' && **end != '\n') *end = strchr(*end, '\n') + 1;
            return text;
        }
    return NULL;
}

static gn_dtype int_of_width(gn_dtype t, bool is_unsigned)
{
    switch (gn_dtypes[t].size) {
    case 1: return is_unsigned ? GN_U8 : GN_I8;
    case 2: return is_unsigned ? GN_U16 : GN_I16;
    case 4: return is_unsigned ? GN_U32 : GN_I32;
    default: return is_unsigned ? GN_U64 : GN_I64;
    }
}

/* The number at the end of its op. */
static int count_of(const word *w)
{
    size_t n = strlen(w->op);
    while (n > 0 && gn_is_digit(w->op[n - 1])) n--;
    return (int)strtol(w->op + n, NULL, 10);
}

static void put_variable(gn_text *out, const word *w, char c)
{
    const gn_dtype t = w->type.dtype;
    const int n = w->type.lanes;
    switch (c) {
    case 'o': gn_text_add(out, w->op); break;
    case 't': gn_spell_tag(out, t, n); break;
    case 'v': put_ctype(out, t, n); break;
    case 'e': put_ctype(out, t, 1); break;
    case 'd': gn_spell_tag(out, t, 1); break;
    case 's': gn_spell_tag(out, w->source.dtype, w->source.lanes); break;
    case 'w': put_ctype(out, w->source.dtype, w->source.lanes); break;
    case 'n': gn_textf(out, "%d", n); break;
    case 'k': gn_textf(out, "%d", n / 2); break;
    case 'c': gn_textf(out, "%d", count_of(w)); break;
    case 'h': gn_spell_tag(out, t, n / 2); break;
    case 'm': gn_spell_tag(out, GN_BOOL, n); break;
    case 'g': gn_spell_tag(out, GN_BOOL, n / 2); break;
    case 'i': gn_spell_tag(out, int_of_width(t, false), n); break;
    case 'u': gn_spell_tag(out, int_of_width(t, true), n); break;
    case 'l': gn_spell_tag(out, GN_I64, n); break;
    default: GN_ASSERT(!"a letter of templates");
    }
}

static void put_text(gn_text *out, const word *w, const char *p, const char *end, int lane);

/* "$[..]" or "$<..>" at p; returns where it ends. */
static const char *put_lanes(gn_text *out, const word *w, const char *p, const char *end)
{
    const char open = p[1], close = open == '[' ? ']' : '>';
    const char *text = p + 2, *stop = text;
    for (int depth = 0; stop < end && (*stop != close || depth > 0); stop++) depth += (*stop == open) - (*stop == close);
    const int n = open == '[' ? w->type.lanes : w->type.lanes / 2;
    for (int lane = 0; lane < n; lane++) {
        if (lane) gn_text_add(out, stop[-1] == ';' || stop[-1] == '}' || *text == '|' ? " " : ", ");
        put_text(out, w, text, stop, lane);
    }
    return stop + 1;
}

static void put_text(gn_text *out, const word *w, const char *p, const char *end, int lane)
{
    while (p < end) {
        if (*p == '$' && (p[1] == '[' || p[1] == '<')) {
            p = put_lanes(out, w, p, end);
        } else if (*p == '$') {
            put_variable(out, w, p[1]);
            p += 2;
        } else if (*p == '#' && lane >= 0) {
            const int on = p[1] == '+' ? w->type.lanes / 2 : p[1] == '^' ? w->type.lanes - count_of(w) : 0;
            gn_textf(out, "%d", lane + on);
            p += p[1] == '+' || p[1] == '^' ? 2 : 1;
        } else {
            gn_text_char(out, *p++);
        }
    }
}

/* ---- the words of a unit ---- */

void gn_words_need(gn_words *w, const char *text)
{
    const char *const name = gn_symbol(w->arena, &w->symbols, text);
    void **known = gn_map_put(w->arena, &w->known, GN_KEY(name));
    if (*known) return;
    *known = w;
    gn_push(w->arena, &w->at, name);
}

void gn_words_need_all(gn_words *w, const gn_words *more)
{
    for (size_t i = 0; i < more->at.n; i++) gn_words_need(w, more->at.at[i]);
}

void gn_words_read(gn_words *w, const char *text)
{
    for (const char *p = text; (p = strstr(p, "gn_")) != NULL;) {
        const size_t n = gn_name_length(p);
        if (p == text || !gn_in_name(p[-1])) gn_words_need(w, gn_symbol_n(w->arena, &w->symbols, p, n));
        p += n;
    }
}

/* ---- units ---- */

/* Prints the definition of a word, after those of the words in it. What only a template says may be a name of its own. */
static void define(unit *u, const char *name, bool own)
{
    for (size_t i = 0; i < u->done.n; i++)
        if (strcmp(u->done.at[i], name) == 0) return;
    gn_push(u->arena, &u->done, name);
    const word w = read_word(u, name);
    bool other_tag = false;
    const char *end, *text = find_entry(u->target, &w, &end, &other_tag);
    if (!text && own && !other_tag) return;
    if (!text) gn_throw(GN_EINTERNAL, "target %s: the prelude has no %s", u->target->name, name);
    gn_text t = {.arena = u->arena};
    put_text(&t, &w, text, end, -1);
    GN_ASSERT(++u->depth <= 64); /* definitions end */
    gn_words inner = {.arena = u->arena};
    gn_words_read(&inner, gn_text_done(&t));
    for (size_t i = 0; i < inner.at.n; i++) define(u, inner.at.at[i], true);
    u->depth--;
    gn_text_add(u->out, gn_text_done(&t));
}

void gn_target_unit(gn_text *out, const gn_target *target, const gn_words *words, const char *body)
{
    unit u = {.out = out, .arena = out->arena, .target = target};
    for (size_t i = 0; target->head[i]; i++) gn_text_add(out, target->head[i]);
    gn_text_add(out, "\n/* What the functions below call, each as this target has it. */\n");
    for (size_t i = 0; i < words->at.n; i++) define(&u, words->at.at[i], false);
    gn_text_char(out, '\n');
    gn_text_add(out, body);
    gn_text_add(out, target->tail);
}
