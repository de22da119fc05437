"""Every public function, compiled, against itself: `make fuzz`, or python tests/support/fuzz.py.

Value, first and second derivatives, in float32 and float64, on fresh inputs at each call, with NaN
in every array of the program before each replay, and everything equal bit for bit. What is tried:
the cases of every rule on the sheet (rule_cases.py), and below every function of the packages.
"""

import sys
import time
import warnings

import numpy as np

from minigrad import Tensor, activations, attention, grad, losses, nn, norms
from minigrad.compiling import CompileError, compile
from rule_cases import CASES as RULE_CASES
from rule_cases import REGIONS

CALLS = 8  # one ordinary, two recorded, four replayed, one recorded again


def line(*shape):
    return lambda rng: rng.normal(size=shape)


def unit(*shape):
    return lambda rng: rng.uniform(0.05, 0.95, shape)


def simplex(*shape):
    return lambda rng: (lambda a: a / a.sum(-1, keepdims=True))(rng.uniform(0.1, 1, shape))


def log_simplex(*shape):
    return lambda rng: np.log(simplex(*shape)(rng))


def classes(k, *shape):
    return lambda rng: rng.integers(0, k, shape)


def signs(*shape):
    return lambda rng: rng.choice([-1.0, 1.0], shape)


W = np.array([1.0, 2.0, 0.5, 1.5])
L, A, N, T = losses, activations, norms, attention

# name: (function, makers of its arguments). The first word of a name is the public function's.
FUNCTIONS = {
    **{name: (getattr(A, name), [line(5, 4)]) for name in A.__all__ if name not in ("bilinear", "prelu")},
    "bilinear": (A.bilinear, [line(5, 4)]),
    "prelu": (A.prelu, [line(5, 4), line(4)]),
    "leaky_relu slope": (lambda x: A.leaky_relu(x, 0.3), [line(5, 4)]),
    "gelu tanh": (lambda x: A.gelu(x, approximate="tanh"), [line(5, 4)]),
    "gelu sigmoid": (lambda x: A.gelu(x, approximate="sigmoid"), [line(5, 4)]),
    "swish beta": (lambda x, b: A.swish(x, b), [line(5, 4), unit(1)]),
    "softmax axis": (lambda x: A.softmax(x, axis=0), [line(5, 4)]),
    "log_softmax axis": (lambda x: A.log_softmax(x, axis=1), [line(2, 3, 4)]),
    "logsumexp keepdims": (lambda x: A.logsumexp(x, axis=0, keepdims=True), [line(5, 4)]),
    **{
        f"{name} {reduction}": (lambda x, y, name=name, r=reduction: getattr(L, name)(x, y, reduction=r), [line(5, 4), line(5, 4)])
        for name in ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "log_cosh_loss", "quantile_loss")
        for reduction in ("mean", "sum", "none")
    },
    "mse_loss weight": (lambda x, y: L.mse_loss(x, y, weight=np.ones((5, 4)) * W), [line(5, 4), line(5, 4)]),
    "cross_entropy": (L.cross_entropy, [line(5, 4), classes(4, 5)]),
    "cross_entropy sum": (lambda x, y: L.cross_entropy(x, y, reduction="sum"), [line(5, 4), classes(4, 5)]),
    "cross_entropy ignored": (lambda x, y: L.cross_entropy(x, y, ignore_index=2), [line(9, 4), classes(4, 9)]),
    "cross_entropy weight": (lambda x, y: L.cross_entropy(x, y, weight=W), [line(5, 4), classes(4, 5)]),
    "cross_entropy both": (lambda x, y: L.cross_entropy(x, y, weight=W, ignore_index=1), [line(9, 4), classes(4, 9)]),
    "cross_entropy smooth": (lambda x, y: L.cross_entropy(x, y, label_smoothing=0.1), [line(5, 4), classes(4, 5)]),
    "cross_entropy distribution": (L.cross_entropy, [line(5, 4), simplex(5, 4)]),
    "cross_entropy maps": (L.cross_entropy, [line(2, 4, 3), classes(4, 2, 3)]),
    "cross_entropy one": (L.cross_entropy, [line(4), classes(4)]),
    "nll_loss": (L.nll_loss, [log_simplex(5, 4), classes(4, 5)]),
    "nll_loss weight": (lambda x, y: L.nll_loss(x, y, weight=W), [log_simplex(5, 4), classes(4, 5)]),
    "binary_cross_entropy": (L.binary_cross_entropy, [unit(5, 4), unit(5, 4)]),
    "binary_cross_entropy_with_logits": (L.binary_cross_entropy_with_logits, [line(5, 4), unit(5, 4)]),
    "binary_cross_entropy_with_logits pos": (lambda x, y: L.binary_cross_entropy_with_logits(x, y, pos_weight=W), [line(5, 4), unit(5, 4)]),
    "focal_loss": (L.focal_loss, [line(5, 4), classes(4, 5)]),
    "focal_loss alpha": (lambda x, y: L.focal_loss(x, y, alpha=W), [line(5, 4), classes(4, 5)]),
    "focal_loss binary": (lambda x, y: L.focal_loss(x, y, alpha=0.3), [line(6), classes(2, 6)]),
    "kl_div": (lambda x, y: L.kl_div(x, y, reduction="batchmean"), [log_simplex(5, 4), simplex(5, 4)]),
    "kl_div log": (lambda x, y: L.kl_div(x, y, log_target=True), [log_simplex(5, 4), log_simplex(5, 4)]),
    "kl_divergence": (L.kl_divergence, [simplex(5, 4), simplex(5, 4)]),
    "js_divergence": (L.js_divergence, [simplex(5, 4), simplex(5, 4)]),
    "triplet_margin_loss": (L.triplet_margin_loss, [line(5, 4)] * 3),
    "triplet_margin_loss swap": (lambda a, b, c: L.triplet_margin_loss(a, b, c, swap=True), [line(5, 4)] * 3),
    "cosine_embedding_loss": (L.cosine_embedding_loss, [line(5, 4), line(5, 4), signs(5)]),
    "margin_ranking_loss": (L.margin_ranking_loss, [line(5), line(5), signs(5)]),
    "hinge_embedding_loss": (L.hinge_embedding_loss, [line(5), signs(5)]),
    "contrastive_loss": (L.contrastive_loss, [line(5, 4), line(5, 4), classes(2, 5)]),
    "info_nce_loss": (L.info_nce_loss, [line(5, 4), line(5, 4)]),
    "clip_loss": (L.clip_loss, [line(5, 4), line(5, 4)]),
    "nce_loss": (L.nce_loss, [line(5), line(5), line(5, 3), line(5, 3)]),
    "circle_loss": (L.circle_loss, [unit(3), unit(4)]),
    "cosent_loss": (L.cosent_loss, [unit(5), lambda rng: np.array([1, 0, 1, 0, 0])]),
    "ranknet_loss": (L.ranknet_loss, [line(2, 4), lambda rng: np.array([[3, 1, 0, 2], [0, 1, 2, 1]])]),
    "lambdarank_loss": (L.lambdarank_loss, [line(2, 4), lambda rng: np.array([[3, 1, 0, 2], [0, 1, 2, 1]])]),
    "listnet_loss": (L.listnet_loss, [line(2, 4), line(2, 4)]),
    "layer_norm": (lambda x, w, b: N.layer_norm(x, 4, w, b), [line(5, 4), line(4), line(4)]),
    "layer_norm plain": (lambda x: N.layer_norm(x, (3, 4)), [line(5, 3, 4)]),
    "rms_norm": (lambda x, w: N.rms_norm(x, 4, w), [line(5, 4), line(4)]),
    "batch_norm": (lambda x, w, b: N.batch_norm(x, None, None, w, b, training=True), [line(5, 4), line(4), line(4)]),
    "batch_norm maps": (lambda x, w, b: N.batch_norm(x, None, None, w, b, training=True), [line(5, 4, 3, 2), line(4), line(4)]),
    "batch_norm known": (lambda x, m, v, w: N.batch_norm(x, m.data, v.data, w), [line(5, 4), line(4), unit(4), line(4)]),
    "group_norm": (lambda x, w, b: N.group_norm(x, 2, w, b), [line(5, 4, 3), line(4), line(4)]),
    "instance_norm": (N.instance_norm, [line(5, 4, 3, 3)]),
    "scaled_dot_product_attention": (T.scaled_dot_product_attention, [line(2, 3, 4)] * 3),
    "scaled_dot_product_attention causal": (lambda q, k, v: T.scaled_dot_product_attention(q, k, v, is_causal=True), [line(2, 3, 4)] * 3),
    "scaled_dot_product_attention shared": (lambda q, k, v: T.scaled_dot_product_attention(q, k, v, enable_gqa=True), [line(2, 4, 3, 4), line(2, 2, 3, 4), line(2, 2, 3, 4)]),
    "scaled_dot_product_attention mask": (lambda q, k, v, m: T.scaled_dot_product_attention(q, k, v, m), [line(2, 3, 4)] * 3 + [line(3, 3)]),
    "rotary": (lambda x: T.rotary(x, np.arange(3)), [line(2, 3, 4)]),
    "linear": (nn.linear, [line(5, 4), line(3, 4), line(3)]),
    "linear deep": (nn.linear, [line(2, 3, 4), line(5, 4), line(5)]),
    "dropout": (lambda x: nn.dropout(x, 0.3, training=False), [line(5, 4)]),
    "operators": (lambda a, b: (a + b) * (a - 2.0) / (b * b + 1) - 3 * a**2 + a**3 - (-b) % 1.5, [line(5, 4), line(5, 4)]),
    "broadcasting": (lambda a, b: a * b[:, :1] + b[0] - a.sum(0) * b.mean(1, keepdims=True), [line(5, 4), line(5, 4)]),
    "reuse": (lambda a, b: (a + a.T.reshape(5, 4)) * a + (a.T @ b).sum() * a.T.reshape(-1)[:4], [line(5, 4), line(5, 4)]),
    "indices": (lambda a, b: a[1:3] * b[::2][:2] + a[[0, 0]] * b[np.array([True, False, True, False, False])][:, ::-1], [line(5, 4), line(5, 4)]),
    "labels": (lambda a, y: a[np.arange(5), y] * 2 - a[y].sum(1), [line(5, 4), classes(4, 5)]),
    "comparisons": (lambda a, b: a * (b > 0) + np.where(a > b, a, b * 2) * (a == a), [line(5, 4), line(5, 4)]),
    "casts": (lambda a, b: (a.astype(np.float32) * b.astype(np.float64)).astype(np.float32), [line(5, 4), line(5, 4)]),
    "numbers": (lambda a: (a.sum() ** 2 + a.max() * a.min()) * a.mean() / (a.std() + 1.0), [line(5, 4)]),
    "scalars": (lambda a: a * a + np.sin(a) ** 3 - a**0.5, [unit()]),
    "joins": (lambda a, b: np.concatenate([a, b[:2], np.stack([a[0], b[1]])]) * np.hstack([a[:, :2], b[:, 2:]])[:1], [line(5, 4), line(5, 4)]),
    "joined constants": (lambda a: np.concatenate([a[0], np.ones(3), [2.0], a[1] * a[2]]) ** 2, [line(5, 4)]),
    "flat": (lambda a, b: np.concatenate([a.T.reshape(-1), (a * b).reshape(-1), b[0]]) ** 2, [line(5, 4), line(5, 4)]),
    "statistics": (lambda a: np.var(a, axis=0) + np.std(a, axis=0) * np.linalg.norm(a, axis=0) + np.cumsum(a, axis=1)[0], [line(5, 4)]),
    "logistic": (lambda a: 1 / (1 + np.exp(-a)) + np.tanh(a) + np.log1p(a * a), [line(5, 4)]),
}  # fmt: skip
# what is public and no function of arrays: tried in test_training.py
ELSEWHERE = {*nn.__all__} - {"linear", "dropout"} | {*norms.__all__} & {*nn.__all__} | {
    "KVCache", "MultiheadAttention",
}  # fmt: skip


def cases():
    """(name, function of Tensors, makers of its arrays)."""
    for name, (f, makers) in FUNCTIONS.items():
        yield name, f, makers
    for f, given in RULE_CASES.items():
        for i, (call, shapes, region) in enumerate(given):
            makers = [lambda rng, s=s, r=region: np.asarray(REGIONS[r](rng, s)) for s in shapes]
            yield f"rule {getattr(f, '__name__', f)} {i}", call, makers


def derived(f, order):
    """The values of f, and their derivatives by everything, up to an order."""

    def values(*arrays):
        inputs = [Tensor(a) for a in arrays]
        for t in inputs:
            t.requires_grad = t.dtype.kind == "f"
        leaves = [t for t in inputs if t.requires_grad]
        y = f(*inputs)
        found = [y]
        for _ in range(order):
            u = y if y.size == 1 else (y * np.cos(np.arange(y.size)).reshape(y.shape)).sum()
            if not u.requires_grad or not u.size:
                break
            gs = [g for g in grad(u, leaves, create_graph=True, allow_unused=True) if g is not None]
            found += gs
            y = sum((g * g).sum() for g in gs)
            if not isinstance(y, Tensor):
                break
        return found

    return values


def fuzz(name, f, makers, order, dtype, seed=0):
    """One case. Returns what is wrong, or None."""
    rng = np.random.default_rng(seed)
    values = derived(f, order)
    fast = compile(values)
    for i in range(CALLS):
        arrays = [m(rng) for m in makers]
        arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
        for program in fast.programs.values():
            program.poison()
        try:
            expected = values(*arrays)
        except Exception as error:
            return f"the case itself fails: {error!r}"
        try:
            got = fast(*arrays)
        except CompileError as error:
            return f"refused: {error}"
        except Exception as error:
            return f"raised: {error!r}"
        if len(got) != len(expected):
            return f"{len(got)} results for {len(expected)}"
        for k, (a, b) in enumerate(zip(got, expected)):
            a, b = np.asarray(a._data), np.asarray(b._data)
            if (a.dtype, a.shape) != (b.dtype, b.shape) or not np.array_equal(a, b, equal_nan=True):
                return f"wrong at call {i}, result {k}: {a!r} for {b!r}"
    return None if fast.programs else "never replayed"


# What compile() refuses, and why; each of these is a look at a number that decides what is done.
REFUSED = {"rule standardize 5": "the case appends to a list"}


def main():
    warnings.simplefilter("ignore")
    start, n, bad = time.time(), 0, []
    for name, f, makers in cases():
        for order in (0, 1, 2):
            for dtype in (np.float32, np.float64):
                wrong = fuzz(name, f, makers, order, dtype)
                n += 1
                refused = wrong is not None and wrong.startswith("refused") and name in REFUSED
                if wrong is not None and not refused:
                    bad.append(f"{name}, order {order}, {np.dtype(dtype)}: {wrong[:300]}")
    print(f"{n} runs in {time.time() - start:.0f} s, {len(bad)} wrong", *bad, sep="\n")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
