// What a C++ program writes. With C++20 gn_compile takes its options by name; before that, as a struct.
#include <gnomon/gnomon.h>
#include <cstdio>
#include <cstring>

static gn_status compile(gn_func **f, gn_graph *g, gn_exprs in, gn_exprs out, gn_updates update)
{
#if __cplusplus >= 202002L
    return gn_compile(f, g, .in = in, .out = out, .update = update, .name = "plain");
#else
    gn_compile_options o = gn_compile_options();
    o.in = in, o.out = out, o.update = update, o.name = "plain";
    return gn_compile_at(GN_HERE, f, g, &o);
#endif
}

// Every arithmetic type is a number beside an expression: 15 of them.
static gn_expr *numbers(gn_expr *x)
{
    gn_expr *y = gn_add(x, true);
    y = gn_add(y, 'a'), y = gn_sub(y, static_cast<signed char>('a')), y = gn_add(y, static_cast<unsigned char>(1));
    y = gn_add(y, static_cast<short>(1)), y = gn_add(y, static_cast<unsigned short>(1)), y = gn_add(y, 1), y = gn_add(y, 1u);
    y = gn_add(y, 1l), y = gn_add(y, 1ul), y = gn_add(y, 1ll), y = gn_add(y, 1ull);
    return gn_sub(gn_mul(gn_div(y, 1.0f), 1.0), 1.0L);
}

int main()
{
    gn_graph *g = gn_graph_new(nullptr);
    gn_expr *x = gn_input(g, "x", GN_F32, "n, %d", 2), *w = gn_param(g, "w", GN_F32, GN_CONSTANT(2.0), "2"), *k = gn_input(g, "k", GN_U64, "()");
    gn_param(g, "v", GN_F32, GN_GLOROT, "2, 2"), gn_param(g, "u", GN_F32, GN_UNIFORM(-1, 1), "2");
    gn_expr *y = gn_sum(gn_concat(GN_EXPRS(numbers(x), gn_mul(x, w)), 1), GN_AXES(0, -1));
    gn_expr *big = gn_eq(k, 18446744073709551615ull);
    gn_func *f = nullptr;
    const float in[4] = { 1, 2, 3, 4 };
    const uint64_t most = UINT64_MAX;
    const int64_t shape[2] = { 2, 2 };
    float out = 0, after[2] = { 0, 0 };
    bool is_big = false;
    gn_array grad;
    int bad = compile(&f, g, GN_EXPRS(x, k), GN_EXPRS(y, big, gn_grad(y, x)), GN_UPDATES({ w, gn_add(w, 1) }))
           || gn_call(f, GN_ARRAYS(gn_array_of(const_cast<float *>(in), GN_F32, 2, shape), GN_SCALAR(&most)),
                      GN_ARRAYS(GN_SCALAR(&out), GN_SCALAR(&is_big), GN_NEW(&grad)))
           || gn_get(w, GN_VIEW(after, 2));
    if (bad) std::fprintf(stderr, "%s\n", gn_message());
    const bool right = !bad && out == 10 + 4 * 9 + 20 && is_big && after[0] == 3 && static_cast<float *>(grad.data)[3] == 3;
    if (!bad && !right) std::fprintf(stderr, "%g %d %g\n", static_cast<double>(out), is_big, static_cast<double>(after[0]));
    if (!bad) gn_array_free(&grad);
    gn_func_free(f);
    gn_graph_free(g);
    return right ? 0 : 1;
}
