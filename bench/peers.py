#!/usr/bin/env python3
"""The peers' side of bench/rows: the same work in JAX, PyTorch and NumPy, whichever are installed, each at its best.

usage: peers.py [THREADS [ROW...]]     one line a row and peer: name, shape, median, low .. high; rows as bench/rows names them
"""
import os, statistics, sys, time

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
keys = {"small MLP": "small", "chain of 5 operations": "chain", "softmax": "softmax", "layer norm": "layernorm", "layer norm + gradients": "normgradient",
        "cross-entropy + gradient": "crossentropy", "logistic regr. + gradient": "logistic", "MLP step, SGD": "mlp",
        "N-body forces": "bodies", "N-body energy + gradient": "energy", "MLP step, Adam": "adam",
        "transpose and bias": "transpose", "scatter-add, in place": "scatter"}
# Memory that a call returns is kept on huge pages, else every call pays for page faults (torch: 127 instead of 62 ms).
tunables = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=%d:glibc.malloc.trim_threshold=%d" % (8 << 30, 16 << 30)
if "GLIBC_TUNABLES" not in os.environ:
    os.execve(sys.executable, [sys.executable] + sys.argv, dict(os.environ, GLIBC_TUNABLES=tunables))
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=%s" % ("true" if threads > 1 else "false")


def wanted(name, shape):
    key = "blackscholes" + shape[-2:] if name == "Black-Scholes" else keys.get(name) or name + shape.split("x")[0]
    return len(sys.argv) < 3 or any(word in key for word in sys.argv[2:])


def measure(fn, rounds=9, least=0.05):
    fn()
    reps = 1
    while True:
        start = time.perf_counter()
        for _ in range(reps):
            fn()
        if time.perf_counter() - start >= least:
            break
        reps *= 2
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(reps):
            fn()
        times.append((time.perf_counter() - start) / reps)
    return sorted(times)


def report(peer, name, shape, fn):
    t = measure(fn)
    print("%-26s %-22s %9.2f us %8.2f..%8.2f   %s" % (name, shape, statistics.median(t) * 1e6, t[0] * 1e6, t[-1] * 1e6, peer), flush=True)


def jax_rows():
    import jax, jax.numpy as jnp, numpy as np
    peer = "jax " + jax.__version__
    r = np.random.default_rng(1)
    f = lambda *s: jnp.asarray(r.uniform(-1, 1, s).astype(np.float32))

    def row(name, shape, fn, *args):
        if not wanted(name, shape):
            return
        compiled = jax.jit(fn)
        report(peer, name, shape, lambda: jax.block_until_ready(compiled(*args)))

    def small(x, w1, b1, w2, b2):
        return jnp.sum((jnp.tanh(x @ w1 + b1) @ w2 + b2) ** 2)
    row("small MLP", "1x16-16-16", jax.value_and_grad(small, argnums=(1, 2, 3, 4)), f(1, 16), f(16, 16), f(16), f(16, 16), f(16))
    for n in (512, 1024, 2048):
        row("contraction", "%dx%dx%d" % (n, n, n), lambda a, b: a @ b, f(n, n), f(n, n))
    row("chain of 5 operations", "64 MiB", lambda x: jnp.maximum(((x - 0.5) * 1.5 + x) * 0.25, 0), f(64 << 18))
    row("softmax", "4096x1024", lambda x: jax.nn.softmax(x, axis=1), f(4096, 1024))

    def norm(x, s, b):
        m = x.mean(1, keepdims=True)
        return (x - m) * jax.lax.rsqrt(((x - m) ** 2).mean(1, keepdims=True) + 1e-5) * s + b
    row("layer norm", "4096x1024", lambda x: norm(x, 1.0, 0.0), f(4096, 1024))

    def norm_all(x, dy, s, b):
        y, back = jax.vjp(norm, x, s, b)
        return y, back(dy)
    row("layer norm + gradients", "4096x1024", norm_all, f(4096, 1024), f(4096, 1024), f(1024), f(1024))
    t = jnp.arange(64) * 700

    def xent(z):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), t[:, None], 1))
    row("cross-entropy + gradient", "64x50257", jax.value_and_grad(xent), f(64, 50257))

    def logistic(w, x, y):
        z = x @ w
        return jnp.mean(jax.nn.softplus(z) - y * z)
    row("logistic regr. + gradient", "100000x128", jax.value_and_grad(logistic), f(128), f(100000, 128), f(100000))

    def pairs(x):
        d = x[None, :] - x[:, None]
        return d, (d * d).sum(2) + 1e-3

    def forces(x, m):
        d, r = pairs(x)
        return (d * (m[None, :] * jax.lax.rsqrt(r) ** 3)[:, :, None]).sum(1)

    def energy(x, m):
        return (m[None, :] * m[:, None] * jax.lax.rsqrt(pairs(x)[1])).sum()
    row("N-body forces", "4096x3", forces, f(4096, 3), f(4096))
    row("N-body energy + gradient", "4096x3", jax.value_and_grad(energy), f(4096, 3), f(4096))

    def prices(s, k, t):
        rate, sigma = 0.02, 0.3
        root = sigma * jnp.sqrt(t)
        d1 = (jnp.log(s / k) + t * (rate + sigma * sigma / 2)) / root
        later, n1, n2 = k * jnp.exp(-rate * t), jax.scipy.stats.norm.cdf(d1), jax.scipy.stats.norm.cdf(d1 - root)
        return s * n1 - later * n2, later * (1 - n2) - s * (1 - n1)
    jax.config.update("jax_enable_x64", True)
    for shape, n, dtype in (("16M f32", 16 << 20, np.float32), ("4M f64", 4 << 20, np.float64)):
        if wanted("Black-Scholes", shape):
            a = [jnp.asarray(r.uniform(l, h, n).astype(dtype)) for l, h in ((10, 100), (10, 100), (0.1, 2))]
            row("Black-Scholes", shape, prices, *a)
    jax.config.update("jax_enable_x64", False)
    for m, n in ((4096, 4096), (1000, 37), (113, 57)):
        row("transpose and bias", "%dx%d" % (m, n), lambda x, b: x.T + b, f(m, n), f(m))

    if wanted("MLP step, Adam", "256x784-1024-1024-10"):
        def deep(p, x, t):
            z = jax.nn.relu(jax.nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]) @ p[4] + p[5]
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), t[:, None], 1))

        def adam(state, x, t):
            p, m, v, i = state
            loss, g = jax.value_and_grad(deep)(p, x, t)
            i = i + 1
            m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
            v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
            p = [w - 1e-3 * (a / (1 - 0.9 ** i)) / (jnp.sqrt(b / (1 - 0.999 ** i)) + 1e-8) for w, a, b in zip(p, m, v)]
            return (p, m, v, i), loss
        train = jax.jit(adam, donate_argnums=0)
        p = [f(784, 1024), f(1024), f(1024, 1024), f(1024), f(1024, 10), f(10)]
        world = [(p, [0 * w for w in p], [0 * w for w in p], jnp.float32(0))]
        xs, ts = f(256, 784), jnp.arange(256) % 10

        def turn():
            world[0], loss = train(world[0], xs, ts)
            loss.block_until_ready()
        report(peer, "MLP step, Adam", "256x784-1024-1024-10", turn)

    def mlp(p, x, t):
        z = jnp.tanh(x @ p[0] + p[1]) @ p[2] + p[3]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), t[:, None], 1))

    def step(p, x, t):
        loss, g = jax.value_and_grad(mlp)(p, x, t)
        return [a - 0.01 * b for a, b in zip(p, g)], loss
    if not wanted("MLP step, SGD", "60x784-500-10"):
        return
    compiled = jax.jit(step, donate_argnums=0)
    state = [[f(784, 500), f(500), f(500, 10), f(10)]]
    x, t = f(60, 784), jnp.arange(60) % 10

    def one():
        state[0], loss = compiled(state[0], x, t)
        loss.block_until_ready()
    report(peer, "MLP step, SGD", "60x784-500-10", one)


def torch_rows():
    import torch
    torch.set_num_threads(threads)
    peer = "torch " + torch.__version__
    torch.manual_seed(1)
    f = lambda *s: torch.rand(*s) * 2 - 1

    def row(name, shape, fn, *args):
        if not wanted(name, shape):
            return
        with torch.no_grad():
            report(peer + " eager", name, shape, lambda: fn(*args))
            compiled = torch.compile(fn, mode="max-autotune-no-cudagraphs")
            compiled(*args)
            report(peer + " compile", name, shape, lambda: compiled(*args))
    for n in (512, 1024, 2048):
        row("contraction", "%dx%dx%d" % (n, n, n), lambda a, b: a @ b, f(n, n), f(n, n))
    row("chain of 5 operations", "64 MiB", lambda x: torch.relu(((x - 0.5) * 1.5 + x) * 0.25), f(64 << 18))
    row("softmax", "4096x1024", lambda x: torch.softmax(x, 1), f(4096, 1024))
    row("layer norm", "4096x1024", lambda x: torch.nn.functional.layer_norm(x, (1024,)), f(4096, 1024))

    F, grad_and_value = torch.nn.functional, torch.func.grad_and_value

    def norm_all(x, dy, s, b):
        y, back = torch.func.vjp(lambda x, s, b: F.layer_norm(x, (1024,), s, b, 1e-5), x, s, b)
        return y, back(dy)
    row("layer norm + gradients", "4096x1024", norm_all, f(4096, 1024), f(4096, 1024), f(1024), f(1024))
    t = torch.arange(64) * 700
    row("cross-entropy + gradient", "64x50257", grad_and_value(lambda z: F.cross_entropy(z, t)), f(64, 50257))

    def logistic(w, x, y):
        z = x @ w
        return (F.softplus(z) - y * z).mean()
    row("logistic regr. + gradient", "100000x128", grad_and_value(logistic), f(128), f(100000, 128), f(100000))

    def pairs(x):
        d = x[None, :] - x[:, None]
        return d, (d * d).sum(2) + 1e-3

    def forces(x, m):
        d, r = pairs(x)
        return (d * (m[None, :] * torch.rsqrt(r) ** 3)[:, :, None]).sum(1)

    def energy(x, m):
        return (m[None, :] * m[:, None] * torch.rsqrt(pairs(x)[1])).sum()
    row("N-body forces", "4096x3", forces, f(4096, 3), f(4096))
    row("N-body energy + gradient", "4096x3", grad_and_value(energy), f(4096, 3), f(4096))

    def prices(s, k, t):
        rate, sigma = 0.02, 0.3
        root = sigma * torch.sqrt(t)
        d1 = (torch.log(s / k) + t * (rate + sigma * sigma / 2)) / root
        cdf = lambda x: 0.5 * (1 + torch.erf(x * 0.7071067811865476))
        later, n1, n2 = k * torch.exp(-rate * t), cdf(d1), cdf(d1 - root)
        return s * n1 - later * n2, later * (1 - n2) - s * (1 - n1)
    for shape, n, dtype in (("16M f32", 16 << 20, torch.float32), ("4M f64", 4 << 20, torch.float64)):
        if wanted("Black-Scholes", shape):
            a = [torch.rand(n, dtype=dtype) * (h - l) + l for l, h in ((10, 100), (10, 100), (0.1, 2))]
            row("Black-Scholes", shape, prices, *a)
    for m, n in ((4096, 4096), (1000, 37), (113, 57)):
        row("transpose and bias", "%dx%d" % (m, n), lambda x, b: x.T.contiguous() + b, f(m, n), f(m))
    if wanted("scatter-add, in place", "4096x64"):
        table, at, u = torch.zeros(100000, 64), torch.randint(0, 100000, (4096,)), f(4096, 64)
        report(peer + " eager", "scatter-add, in place", "4096x64", lambda: table.index_add_(0, at, u))

    if wanted("MLP step, Adam", "256x784-1024-1024-10"):
        L = torch.nn.Linear
        net = torch.nn.Sequential(L(784, 1024), torch.nn.ReLU(), L(1024, 1024), torch.nn.ReLU(), L(1024, 10))
        opt, xs, ts = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True), f(256, 784), torch.arange(256) % 10
        run = torch.compile(lambda: F.cross_entropy(net(xs), ts), mode="max-autotune-no-cudagraphs")

        def turn(forward):
            opt.zero_grad(set_to_none=True)
            forward().backward()
            opt.step()
        report(peer + " eager", "MLP step, Adam", "256x784-1024-1024-10", lambda: turn(lambda: F.cross_entropy(net(xs), ts)))
        report(peer + " compile", "MLP step, Adam", "256x784-1024-1024-10", lambda: turn(run))

    def mlp(p, x, t):
        return F.cross_entropy(torch.tanh(x @ p[0] + p[1]) @ p[2] + p[3], t)

    def step(p, x, t):
        g, loss = grad_and_value(mlp)(p, x, t)
        for w, d in zip(p, g):
            w.sub_(d, alpha=0.01)
        return loss
    row("MLP step, SGD", "60x784-500-10", step, [f(784, 500), f(500), f(500, 10), f(10)], f(60, 784), torch.arange(60) % 10)


for rows in (jax_rows, torch_rows):
    try:
        rows()
    except ImportError as missing:
        print("%-26s skipped: %s" % (rows.__name__[:-5], missing))
