"""Losses and their first and second derivatives equal PyTorch's."""

import warnings
import zlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loss_inputs import REDUCTIONS, S4, F, P, W, Y, shapes
from scipy.special import softmax

from compares import compares
from derivatives import assert_same, ours, theirs
from minigrad import losses as L
from torch_reference import needs_torch, reference, torch


def signs(rng, n):
    return rng.choice([-1.0, 1.0], n)


def t(a):
    """An array that PyTorch's functions take as a constant."""
    return torch.tensor(np.asarray(a))


def normal(*shape):
    return lambda rng: rng.normal(0, 1.5, shape)


def probabilities(*shape):
    return lambda rng: rng.uniform(0.02, 0.98, shape)


W43 = np.random.default_rng(43).uniform(0.2, 2, (4, 3))
YD = np.array([[2, 0], [1, 1], [0, 2], [2, 2]])
IGNORED = np.array([2, -100, 1, -100])
PD = softmax(np.random.default_rng(6).normal(size=(4, 3, 2)), axis=1)
S43 = np.array([[1.0, -1.0, -1.0]] * 4)


def same(name, inputs, constants=(), **options):
    """minigrad's and PyTorch's function of one name, on the same inputs, constants and options."""

    def f(*xs, reduction):
        return getattr(L, name)(*xs, *constants, reduction=reduction, **options)

    def g(*xs, reduction):
        to = {k: t(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # kl_div's "mean"
            return getattr(F, name)(*xs, *map(t, constants), reduction=reduction, **to)

    return f, g, inputs


def log_softmaxed(name, inputs, constants=(), axis=1, **options):
    """The same, of log-probabilities."""
    f, g, inputs = same(name, inputs, constants, **options)

    def lse(x):
        return np.log(np.exp(x).sum(axis=axis, keepdims=True))

    return (
        lambda x, *xs, reduction: f(x - lse(x), *xs, reduction=reduction),
        lambda x, *xs, reduction: g(torch.log_softmax(x, axis), *xs, reduction=reduction),
        inputs,
    )


two = (normal(4, 3), normal(4, 3))
SAME = {
    "mse": same("mse_loss", two),
    "mse-weight": same("mse_loss", two, weight=W43),
    "l1": same("l1_loss", two),
    "l1-weight": same("l1_loss", two, weight=W43),
    "huber": same("huber_loss", two),
    "huber-0.3": same("huber_loss", two, delta=0.3),
    "huber-weight": same("huber_loss", two, delta=2.0, weight=W43),
    "smooth_l1": same("smooth_l1_loss", two),
    "smooth_l1-0.3": same("smooth_l1_loss", two, beta=0.3),
    "smooth_l1-0": same("smooth_l1_loss", two, beta=0.0),
    "ce": same("cross_entropy", (normal(4, 3),), (Y,)),
    "ce-1d": same("cross_entropy", (normal(3),), (np.array(1),)),
    "ce-2d": same("cross_entropy", (normal(4, 3, 2),), (YD,)),
    "ce-weight": same("cross_entropy", (normal(4, 3),), (Y,), weight=W[3]),
    "ce-ignored": same("cross_entropy", (normal(4, 3),), (IGNORED,)),
    "ce-ignore-2": same("cross_entropy", (normal(4, 3),), (Y,), ignore_index=2),
    "ce-ignored-weight": same("cross_entropy", (normal(4, 3),), (IGNORED,), weight=W[3]),
    "ce-smooth": same("cross_entropy", (normal(4, 3),), (Y,), label_smoothing=0.1),
    "ce-smooth-1": same("cross_entropy", (normal(4, 3),), (Y,), label_smoothing=1.0),
    "ce-everything": same(
        "cross_entropy", (normal(4, 3, 2),), (np.where(YD == 1, -7, YD),),
        weight=W[3], ignore_index=-7, label_smoothing=0.3,
    ),
    "ce-p": same("cross_entropy", (normal(4, 3),), (P,)),
    "ce-p-1d": same("cross_entropy", (normal(3),), (P[0],)),
    "ce-p-2d": same("cross_entropy", (normal(4, 3, 2),), (PD,)),
    "ce-p-everything": same(
        "cross_entropy", (normal(4, 3, 2),), (PD,), weight=W[3], label_smoothing=0.2
    ),
    "nll": log_softmaxed("nll_loss", (normal(4, 3),), (Y,)),
    "nll-raw": same("nll_loss", (normal(4, 3),), (Y,)),
    "nll-1d": log_softmaxed("nll_loss", (normal(3),), (np.array(2),), axis=0),
    "nll-2d": log_softmaxed("nll_loss", (normal(4, 3, 2),), (YD,), weight=W[3], ignore_index=1),
    "nll-weight": log_softmaxed("nll_loss", (normal(4, 3),), (IGNORED,), weight=W[3]),
    "bce": same("binary_cross_entropy", (probabilities(4, 3), probabilities(4, 3))),
    "bce-weight": same("binary_cross_entropy", (probabilities(4, 3), probabilities(4, 3)), weight=W43),
    "bce-weight-row": same("binary_cross_entropy", (probabilities(4, 3),), (P,), weight=W[3]),
    "bcel": same("binary_cross_entropy_with_logits", (normal(4, 3), probabilities(4, 3))),
    "bcel-weight": same("binary_cross_entropy_with_logits", (normal(4, 3), probabilities(4, 3)), weight=W43),
    "bcel-pos": same("binary_cross_entropy_with_logits", (normal(4, 3), probabilities(4, 3)), pos_weight=W[3]),
    "bcel-both": same(
        "binary_cross_entropy_with_logits", (normal(4, 3),), (P,), weight=W[3], pos_weight=W43
    ),
    "kl": log_softmaxed("kl_div", (normal(4, 3), probabilities(4, 3))),
    "kl-log": log_softmaxed("kl_div", (normal(4, 3), normal(4, 3)), log_target=True),
    "ranking": same("margin_ranking_loss", (normal(4), normal(4)), (S4,)),
    "ranking-margin": same("margin_ranking_loss", two, (S43,), margin=0.7),
    "hinge": same("hinge_embedding_loss", (normal(4),), (S4,)),
    "hinge-margin": same("hinge_embedding_loss", (normal(4, 3),), (S43,), margin=0.2),
    "triplet": same("triplet_margin_loss", (normal(4, 3),) * 3),
    "triplet-1d": same("triplet_margin_loss", (normal(3),) * 3, margin=9.0),
    "triplet-swap": same("triplet_margin_loss", (normal(4, 3),) * 3, margin=2.0, swap=True),
    "triplet-p1": same("triplet_margin_loss", (normal(4, 3),) * 3, margin=3.0, p=1.0),
    "triplet-p1.5": same("triplet_margin_loss", (normal(4, 3),) * 3, margin=3.0, p=1.5),
    "triplet-p3": same("triplet_margin_loss", (normal(4, 3),) * 3, margin=3.0, p=3, eps=1e-3),
    "triplet-p0.5": same("triplet_margin_loss", (normal(4, 3),) * 3, margin=9.0, p=0.5),
    "triplet-inf": same("triplet_margin_loss", (normal(4, 3),) * 3, margin=3.0, p=float("inf")),
    "cosine": same("cosine_embedding_loss", two, (S4,)),
    "cosine-margin": same("cosine_embedding_loss", two, (S4,), margin=-0.4),
    "cosine-large": same("cosine_embedding_loss", (lambda rng: rng.normal(0, 1e3, (4, 3)),) * 2, (S4,)),
    "cosine-small": same("cosine_embedding_loss", (lambda rng: rng.normal(0, 1e-3, (4, 3)),) * 2, (S4,)),
    "cosine-1d": same("cosine_embedding_loss", (normal(3), normal(3)), (np.array(1),)),
}  # fmt: skip


def draw(key):
    f, g, inputs = SAME[key]
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    return f, g, [make(rng) for make in inputs]


@compares(
    "torch.nn.functional",
    "losses.mse_loss", "losses.l1_loss", "losses.huber_loss", "losses.smooth_l1_loss",
    "losses.cross_entropy", "losses.nll_loss", "losses.binary_cross_entropy",
    "losses.binary_cross_entropy_with_logits", "losses.kl_div", "losses.margin_ranking_loss",
    "losses.hinge_embedding_loss", "losses.triplet_margin_loss", "losses.cosine_embedding_loss",
)  # fmt: skip
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("key", SAME)
def test_equals_pytorch(key, reduction):
    f, g, inputs = draw(key)
    want = reference(
        f"losses/{key}-{reduction}",
        lambda torch: theirs(torch, lambda *x: g(*x, reduction=reduction), inputs),
    )
    # PyTorch adds 1e-12 to the denominators of the second derivative of binary_cross_entropy
    loose = {"rtol": 1e-8, "atol": 1e-11} if key in ("bce", "bce-weight", "bce-weight-row") else {}
    assert_same(ours(lambda *x: f(*x, reduction=reduction), inputs), want, **loose)


@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("shape", [(4, 3), (3,), ()])
def test_batchmean_equals_pytorch(shape, log_target):
    rng = np.random.default_rng(8)
    inputs = [-rng.uniform(0.1, 2, shape), rng.uniform(0.1, 0.9, shape)]
    want = reference(
        f"losses/batchmean-{shape}-{log_target}",
        lambda torch: theirs(
            torch, lambda x, y: F.kl_div(x, y, reduction="batchmean", log_target=log_target), inputs
        ),
    )
    got = ours(lambda x, y: L.kl_div(x, y, reduction="batchmean", log_target=log_target), inputs)
    assert_same(got, want)


def test_gradient_by_the_target_distribution_equals_pytorch():
    z = np.random.default_rng(1).normal(size=(4, 3))

    def mixed(x, target, exp):
        e = exp(target)
        return x, e / e.sum(1).reshape(-1, 1)

    options = dict(label_smoothing=0.2)
    want = reference(
        "losses/ce-target",
        lambda torch: theirs(
            torch, lambda x, y: F.cross_entropy(*mixed(x, y, torch.exp), weight=t(W[3]), **options), [z, z**2]
        ),
    )
    got = ours(lambda x, y: L.cross_entropy(*mixed(x, y, np.exp), weight=W[3], **options), [z, z**2])
    assert_same(got, want)


def test_defaults_are_pytorchs():
    # every loss once with nothing but its operands
    x, y = np.random.default_rng(2).normal(size=(2, 4, 3))
    p = softmax(x, axis=1)
    calls = {
        "mse_loss": (x, y), "l1_loss": (x, y), "huber_loss": (3 * x, y), "smooth_l1_loss": (3 * x, y),
        "cross_entropy": (x, IGNORED), "nll_loss": (x, IGNORED), "binary_cross_entropy": (p, P),
        "binary_cross_entropy_with_logits": (x, P), "kl_div": (x, P), "margin_ranking_loss": (x, y, S43),
        "hinge_embedding_loss": (x, S43), "triplet_margin_loss": (x, y, -y),
        "cosine_embedding_loss": (x, y, S4),
    }  # fmt: skip

    def compute(torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [getattr(F, name)(*map(t, a)) for name, a in calls.items()]

    got = [getattr(L, name)(*a).item() for name, a in calls.items()]
    np.testing.assert_allclose(got, reference("losses/defaults", compute), rtol=1e-12)


ZERO, ONE = np.zeros(2), np.ones(2)
KINKS = {  # of functions f(x, module, how the module takes a constant)
    "l1": (lambda x, m, c: m.l1_loss(x, c(ZERO), reduction="sum"), ZERO),
    "smooth_l1": (lambda x, m, c: m.smooth_l1_loss(x, c(ZERO), reduction="sum"), [1.0, -1.0]),
    "huber": (lambda x, m, c: m.huber_loss(x, c(ZERO), reduction="sum"), [1.0, -1.0]),
    "ranking": (lambda x, m, c: m.margin_ranking_loss(x, c(ZERO), c(ONE), reduction="sum"), ZERO),
    "hinge": (lambda x, m, c: m.hinge_embedding_loss(x, c(-ONE), reduction="sum"), ONE),
    "triplet": (lambda x, m, c: m.triplet_margin_loss(x, c(ONE), c(ONE), eps=0.0), ONE),
    "triplet-0": (lambda x, m, c: m.triplet_margin_loss(x, c(-x), c(x), margin=4.0, eps=0.0), [4.0, 0.0]),
    "cosine": (lambda x, m, c: m.cosine_embedding_loss(x, c(ONE), c(np.array(-1.0))), [1.0, -1.0]),
}  # fmt: skip


@pytest.mark.parametrize("key", KINKS)
def test_kinks_are_pytorchs(key):
    f, x = KINKS[key]
    x = np.array(x)

    def constant(a):
        return t(a) if isinstance(a, np.ndarray) else a

    (want,) = reference(
        f"losses/kink-{key}", lambda torch: theirs(torch, lambda x: f(x, F, constant), [x])[1:2]
    )
    np.testing.assert_allclose(ours(lambda x: f(x, L, lambda a: a), [x])[1], want, atol=1e-15)


seeds = st.integers(0, 2**32 - 1)
reductions = st.sampled_from(REDUCTIONS)


def compare(name, inputs, constants, reduction, rtol=1e-9, **options):
    f, g, _ = same(name, (), constants, **options)
    assert_same(
        ours(lambda *x: f(*x, reduction=reduction), inputs),
        theirs(torch, lambda *x: g(*x, reduction=reduction), inputs),
        rtol=rtol,
        atol=1e-12,
    )


@needs_torch
@settings(max_examples=40, deadline=None)
@given(shapes, seeds, reductions, st.floats(0.05, 5), st.just(0.0) | st.floats(0.01, 5), st.booleans())
def test_regression_anywhere(shape, seed, reduction, delta, beta, weighted):
    rng = np.random.default_rng(seed)
    inputs = list(rng.normal(0, 3, (2, *shape)))
    weight = {"weight": rng.uniform(0.1, 1, shape)} if weighted else {}
    compare("mse_loss", inputs, (), reduction, **weight)
    compare("l1_loss", inputs, (), reduction, **weight)
    compare("huber_loss", inputs, (), reduction, delta=delta, **weight)
    compare("smooth_l1_loss", inputs, (), reduction, beta=beta)


@needs_torch
@settings(max_examples=80, deadline=None)
@given(
    n=st.none() | st.integers(1, 4),
    K=st.integers(1, 5),
    d=st.lists(st.integers(1, 3), max_size=2),
    seed=seeds,
    reduction=reductions,
    weighted=st.booleans(),
    ignore=st.none() | st.integers(-2, 4),
    smoothing=st.sampled_from([0.0, 0.0, 0.1, 0.9, 1.0]),
)
def test_classification_anywhere(n, K, d, seed, reduction, weighted, ignore, smoothing):
    rng = np.random.default_rng(seed)
    lead = () if n is None else (n,)
    tail = tuple(d) if lead else ()
    z = rng.normal(0, 3, (*lead, K, *tail))
    options = {"weight": rng.uniform(0.1, 2, K)} if weighted else {}
    t_soft = softmax(rng.normal(size=z.shape), axis=len(lead))
    compare("cross_entropy", [z], (t_soft,), reduction, label_smoothing=smoothing, **options)
    y = rng.integers(0, K, (*lead, *tail))
    if ignore is not None:
        y = np.where(rng.random(y.shape) < 0.3, ignore, y)
        options["ignore_index"] = ignore
        assume(reduction != "mean" or (y != ignore).any())
    compare("cross_entropy", [z], (y,), reduction, label_smoothing=smoothing, **options)
    compare("nll_loss", [z], (y,), reduction, **options)


@needs_torch
@settings(max_examples=40, deadline=None)
@given(shapes, seeds, reductions, st.booleans(), st.booleans(), st.booleans())
def test_binary_and_kl_anywhere(shape, seed, reduction, weighted, pos_weighted, log_target):
    rng = np.random.default_rng(seed)
    p, target = rng.uniform(0.01, 0.99, (2, *shape))
    weight = {"weight": rng.uniform(0.1, 1, shape[-1])} if weighted else {}
    pos = {"pos_weight": rng.uniform(0.1, 3, shape)} if pos_weighted else {}
    x = rng.normal(0, 8, shape)
    inner = 0.1 + 0.8 * p  # PyTorch's second derivative is off by 1e-12 / p
    compare("binary_cross_entropy", [inner, target], (), reduction, rtol=1e-7, **weight)
    compare("binary_cross_entropy_with_logits", [x, target], (), reduction, **weight, **pos)
    log = np.log(target) if log_target else target
    compare("kl_div", [np.log(p), log], (), reduction, log_target=log_target)


@needs_torch
@settings(max_examples=40, deadline=None)
@given(
    n=st.none() | st.integers(1, 4),
    D=st.integers(1, 5),
    seed=seeds,
    reduction=reductions,
    margin=st.floats(0.1, 4),
    p=st.sampled_from([1.0, 2.0, 2.0, 3.0, 2.5, np.inf]),
    swap=st.booleans(),
)
def test_embeddings_anywhere(n, D, seed, reduction, margin, p, swap):
    rng = np.random.default_rng(seed)
    lead = () if n is None else (n,)
    a, b, c = rng.normal(0, 2, (3, *lead, D))
    y = np.array(signs(rng, lead))
    compare("margin_ranking_loss", [a, b], (signs(rng, a.shape),), reduction, margin=margin - 2)
    compare("hinge_embedding_loss", [a], (signs(rng, a.shape),), reduction, margin=margin)
    if D > 1:  # in one dimension the cosine is a sign, and its derivatives all rounding
        compare("cosine_embedding_loss", [a, b], (y,), reduction, margin=(margin - 2) / 2)
    if D > 1 or p == 2:  # PyTorch's second derivative of |x|^p, p != 2, in one dimension is not 0
        compare("triplet_margin_loss", [a, b, c], (), reduction, margin=margin, p=p, swap=swap)


def test_bce_at_0_and_1_equals_pytorch():
    x, y = np.array([0.0, 1.0, 0.0, 1.0, 1e-30]), np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    want = reference(
        "losses/bce-edge",
        lambda torch: theirs(torch, lambda x: F.binary_cross_entropy(x, t(y), reduction="none"), [x])[:2],
    )
    got = ours(lambda x: L.binary_cross_entropy(x, y, reduction="none"), [x])
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-8)  # PyTorch's 1e-12 is a float32
