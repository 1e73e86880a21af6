/** @file Derivatives. They are expressions like any other: differentiate them again, print them, compile them.
 *
 *      gn_expr *xs[] = { w, b }, *grads[2];
 *      gn_grads(loss, 2, xs, grads);
 *      gn_expr *curvature = gn_grad(gn_sum_all(gn_mul(gn_grad(loss, w), v)), w);       a Hessian-vector product */
#pragma once
#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What gn_grads does with an x that the loss does not depend on through floating values: report it, or give zeros. */
typedef enum gn_disconnected { GN_DISCONNECTED_ERROR, GN_DISCONNECTED_ZERO } gn_disconnected;

/** Gradients of a scalar with respect to n expressions, in one reverse sweep whose cost is linear in the expressions between them.
 *  xs may be any floating expressions, inputs and variables or results; one that depends on another passes its gradient on to it.
 *  Shapes    loss (); out[i] has the dtype and shape of xs[i].
 *  Choices   ties of max and min share equally; kinks give the mean of both sides, but for relu's, which gives 0;
 *            steps (floor, sign, comparisons) give 0 or nothing. What a select does not take gets 0, also where its
 *            own derivative is infinite (log at 0). The stabilizing rules of docs/rules.md come first: the
 *            derivative of log(1 + e^x) is that of softplus, which does not overflow. All of them do: what a compile
 *            disables by name is left out of that compile, not of gradients built before.
 *  Errors    GN_EGRAD if loss is no floating scalar, an x has a dtype without a gradient, an op on the way has no
 *            derivative, or no gradient reaches an x (unless disconnected is GN_DISCONNECTED_ZERO). As with builders
 *            the error node is written to out.
 *  Source    A. Griewank, A. Walther, Evaluating Derivatives, 2nd edition, 2008. */
GN_API void gn_grads_at(gn_loc, gn_expr *loss, size_t n, gn_expr *const *xs, gn_expr **out, gn_disconnected);
#define gn_grads(loss, n, xs, out) gn_grads_at(GN_HERE, loss, n, xs, out, GN_DISCONNECTED_ERROR)
GN_API gn_expr *gn_grad_at(gn_loc, gn_expr *loss, gn_expr *x);
#define gn_grad(loss, x) gn_grad_at(GN_HERE, loss, x)

/** Vector-Jacobian products: for given gradients `dys` of n outputs `ys` (the "known gradients"), those of m expressions `xs`.
 *  Shapes    dys[i] as ys[i]; out[i] as xs[i]; zeros where nothing reaches.
 *  Errors    GN_EGRAD for a dtype without a gradient, an op without a derivative, a dys[i] of another dtype or shape than ys[i]. */
GN_API void gn_vjp_at(gn_loc, size_t n, gn_expr *const *ys, gn_expr *const *dys, size_t m, gn_expr *const *xs, gn_expr **out);
#define gn_vjp(n, ys, dys, m, xs, out) gn_vjp_at(GN_HERE, n, ys, dys, m, xs, out)
/** Jacobian-vector products (forward mode): the derivative of each of n outputs along the direction in which each
 *  xs[i] moves by dxs[i].
 *  Shapes    dxs[i] as xs[i]; out[i] as ys[i]; zeros where nothing moves.
 *  Errors    as gn_vjp. */
GN_API void gn_jvp_at(gn_loc, size_t n, gn_expr *const *ys, size_t m, gn_expr *const *xs, gn_expr *const *dxs, gn_expr **out);
#define gn_jvp(n, ys, m, xs, dxs, out) gn_jvp_at(GN_HERE, n, ys, m, xs, dxs, out)
/** x itself, through which no gradient flows, in either mode. Any dtype and shape. */
GN_API gn_expr *gn_stop_gradient_at(gn_loc, gn_expr *x);
#define gn_stop_gradient(x) gn_stop_gradient_at(GN_HERE, x)

#ifdef __cplusplus
}
#endif
