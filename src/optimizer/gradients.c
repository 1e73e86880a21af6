/* The public builders of derivatives. What they differentiate has been through the stabilizing rules: the derivative of
 * log(1 + e^x) as it is written is e^x / (1 + e^x), which is NaN where e^x overflows, that of softplus is not. */
#include "differentiate.h"
#include "sweep.h"

static void stabilize(gn_graph *g, size_t n, gn_expr **ys, size_t m, gn_expr *const *xs)
{
    const gn_rule_set *const sets[] = { &gn_rules_stabilize };
    struct gn_core core = { .graph = g, .out = { .at = ys, .n = n, .capacity = n } };
    gn_sweep(&core, sets, 1, &(gn_sweep_options){ .pass = "grad", .as_written = true, .opaque = xs, .nopaque = m }, NULL);
}

static void differentiate(gn_loc loc, gn_differentiation d)
{
    d.prepare = stabilize;
    gn_differentiate(loc, &d);
}

void gn_grads_at(gn_loc loc, gn_expr *loss, size_t n, gn_expr *const *xs, gn_expr **out, gn_disconnected disconnected)
{
    differentiate(loc,
                  (gn_differentiation){
                      .op = "grad", .n = 1, .ys = &loss, .m = n, .xs = xs, .out = out, .disconnected = disconnected });
}

gn_expr *gn_grad_at(gn_loc loc, gn_expr *loss, gn_expr *x)
{
    gn_expr *out = NULL;
    gn_grads_at(loc, loss, 1, &x, &out, GN_DISCONNECTED_ERROR);
    return out;
}

void gn_vjp_at(gn_loc loc, size_t n, gn_expr *const *ys, gn_expr *const *dys, size_t m, gn_expr *const *xs, gn_expr **out)
{
    differentiate(loc, (gn_differentiation){ .op = "vjp",
                                             .n = n,
                                             .ys = ys,
                                             .dys = dys,
                                             .m = m,
                                             .xs = xs,
                                             .out = out,
                                             .disconnected = GN_DISCONNECTED_ZERO });
}

void gn_jvp_at(gn_loc loc, size_t n, gn_expr *const *ys, size_t m, gn_expr *const *xs, gn_expr *const *dxs, gn_expr **out)
{
    differentiate(loc, (gn_differentiation){
                           .op = "jvp", .n = n, .ys = ys, .dys = dxs, .m = m, .xs = xs, .out = out, .forward = true });
}
