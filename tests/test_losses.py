"""Losses: equal to PyTorch to second order, the papers' formulas, limits, extremes, errors."""

import inspect
import itertools
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import logsumexp, softmax

from derivatives import assert_same, ours, theirs
from minigrad import Tensor, grad
from minigrad import losses as L
from torch_reference import needs_torch, reference, torch

F = torch.nn.functional if torch is not None else None
REDUCTIONS = ("mean", "sum", "none")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _the_same_numbers_in_whatever_order_the_tests_run(request):
    seed = zlib.crc32(request.node.name.encode())
    RNG.bit_generator.state = np.random.default_rng(seed).bit_generator.state


def signs(rng, n):
    return rng.choice([-1.0, 1.0], n)


def t(a):
    """An array that PyTorch's functions take as a constant."""
    return torch.tensor(np.asarray(a))


def normal(*shape):
    return lambda rng: rng.normal(0, 1.5, shape)


def probabilities(*shape):
    return lambda rng: rng.uniform(0.02, 0.98, shape)


# key: (minigrad's, PyTorch's, how to draw its inputs), each with `reduction` to be filled in.
# `rng` draws constants; both sides see the same.
W = {k: np.random.default_rng(k).uniform(0.2, 2, k) for k in (3, 4)}
W43 = np.random.default_rng(43).uniform(0.2, 2, (4, 3))
Y = np.array([2, 0, 1, 2])
YD = np.array([[2, 0], [1, 1], [0, 2], [2, 2]])
IGNORED = np.array([2, -100, 1, -100])
P = softmax(np.random.default_rng(5).normal(size=(4, 3)), axis=1)
PD = softmax(np.random.default_rng(6).normal(size=(4, 3, 2)), axis=1)
S4 = np.array([1, -1, 1, -1])
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


# --- the same against a live PyTorch, on random shapes and options

shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)
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


# --- what PyTorch lacks: each formula, written out with loops


@pytest.mark.parametrize(
    "name,defaults",
    [
        ("quantile_loss", {"q": 0.5}),
        ("focal_loss", {"gamma": 2.0, "alpha": None}),  # Lin et al. (2017)
        ("ranknet_loss", {"sigma": 1.0, "ties": False}),
        ("lambdarank_loss", {"sigma": 1.0}),
        ("cosent_loss", {"scale": 20}),
        ("circle_loss", {"m": 0.25, "gamma": 256}),  # Sun et al. (2020), for faces
        ("contrastive_loss", {"margin": 1.0}),
        ("info_nce_loss", {"temperature": 0.1}),
        ("clip_loss", {"temperature": 0.07}),  # Radford et al. (2021), its first value
    ],
)
def test_defaults(name, defaults):
    parameters = inspect.signature(getattr(L, name)).parameters
    assert {k: parameters[k].default for k in defaults} == defaults


@pytest.mark.parametrize("name", L.__all__)
def test_the_mean_is_the_default(name):
    assert inspect.signature(getattr(L, name)).parameters["reduction"].default == "mean"


def reduced(f, *args, **kwargs):
    """The single losses, after checking that mean and sum are made of them."""
    single = f(*args, reduction="none", **kwargs).numpy()
    np.testing.assert_allclose(f(*args, reduction="sum", **kwargs).numpy(), single.sum(), rtol=1e-13)
    np.testing.assert_allclose(f(*args, reduction="mean", **kwargs).numpy(), single.mean(), rtol=1e-13)
    np.testing.assert_allclose(f(*args, **kwargs).numpy(), single.mean(), rtol=1e-13)
    return single


def slopes(f, x):
    """The central difference of a function of an array that gives one number."""
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = 1e-6
        g[i] = (f(x + e) - f(x - e)) / 2e-6
    return g


def gradient(f, x):
    x = Tensor(x, requires_grad=True)
    return grad(f(x), x).numpy()


def sigma(x):
    return 1 / (1 + np.exp(-x))


def test_log_cosh_is_the_formula():
    x, y = RNG.normal(0, 2, (2, 4, 3))
    np.testing.assert_allclose(reduced(L.log_cosh_loss, x, y), np.log(np.cosh(x - y)), rtol=1e-11)
    np.testing.assert_allclose(gradient(lambda x: L.log_cosh_loss(x, y, "sum"), x), np.tanh(x - y))


def test_log_cosh_keeps_its_digits():
    d = np.array([1e-160, 1e-9, 1e-4, 0.999999999, 1.000000001, 30.0, 1e4])
    got = L.log_cosh_loss(d, np.zeros(7), "none").numpy()
    small = d[:3] ** 2 / 2 - d[:3] ** 4 / 12
    np.testing.assert_allclose(got[:3], small, rtol=1e-12)
    np.testing.assert_allclose(got[3:5], np.log(np.cosh(1.0)), rtol=1e-8)
    np.testing.assert_allclose(got[5:], d[5:] - np.log(2), rtol=1e-15)
    assert abs(got[4] - got[3] - 2e-9 * np.tanh(1)) < 1e-15  # no step where the two forms meet


def test_quantile_is_the_formula_and_finds_the_quantile():
    x, y = RNG.normal(0, 2, (2, 4, 3))
    want = np.where(y > x, 0.3 * (y - x), 0.7 * (x - y))
    np.testing.assert_allclose(reduced(L.quantile_loss, x, y, 0.3), want, rtol=1e-13)
    np.testing.assert_allclose(L.quantile_loss(x, y).item(), L.l1_loss(x, y).item() / 2)
    data = RNG.exponential(1, 999)
    grid = np.sort(data)
    risk = [L.quantile_loss(np.full(999, g), data, q=0.9).item() for g in grid]
    assert abs(grid[np.argmin(risk)] - np.quantile(data, 0.9)) < 0.02
    at_zero = gradient(lambda x: L.quantile_loss(x, np.zeros(1), 0.9), np.zeros(1))
    np.testing.assert_allclose(at_zero, [-0.4])  # the mean of -0.9 and 0.1


def test_minimisers_are_mean_and_median():
    data = np.array([0.0, 1.0, 2.0, 3.0, 50.0])
    grid = np.linspace(0, 20, 20001)
    for f, at in ((L.mse_loss, data.mean()), (L.l1_loss, np.median(data))):
        risk = f(*np.broadcast_arrays(grid[:, None], data), reduction="none").numpy().mean(axis=1)
        assert abs(grid[risk.argmin()] - at) < 1e-9


def test_huber_between_mse_and_l1():
    x, y = RNG.normal(0, 2, (2, 5))
    np.testing.assert_allclose(L.huber_loss(x, y, delta=1e6).item(), L.mse_loss(x, y).item() / 2)
    np.testing.assert_allclose(L.huber_loss(x, y, delta=1e-9).item() / 1e-9, L.l1_loss(x, y).item(), rtol=1e-8)  # fmt: skip
    tiny = ours(lambda x: L.smooth_l1_loss(x, y, "sum", beta=1e-310), [x])  # 1/beta overflows
    assert_same(tiny, ours(lambda x: L.l1_loss(x, y, "sum"), [x]))
    np.testing.assert_allclose(L.huber_loss(x, y, delta=0.7).item() / 0.7, L.smooth_l1_loss(x, y, beta=0.7).item())  # fmt: skip


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_focal_is_the_formula(gamma, weighted):
    z, y = RNG.normal(0, 2, (2, 5, 3)), RNG.integers(0, 3, (2, 5))
    p = softmax(z, axis=-1)
    p_t = np.take_along_axis(p, y[..., None], -1)[..., 0]
    a = W[3] if weighted else None
    want = -(1 if a is None else a[y]) * (1 - p_t) ** gamma * np.log(p_t)
    np.testing.assert_allclose(reduced(L.focal_loss, z, y, gamma, a), want, rtol=1e-12)
    slope = slopes(lambda z: L.focal_loss(z, y, gamma, a).item(), z)
    np.testing.assert_allclose(gradient(lambda z: L.focal_loss(z, y, gamma, a), z), slope, atol=1e-8)

    x, b = RNG.normal(0, 2, (4, 3)), RNG.integers(0, 2, (4, 3))
    p_t = np.where(b == 1, sigma(x), 1 - sigma(x))
    a_t = np.where(b == 1, 0.25, 0.75) if weighted else 1
    want = -a_t * (1 - p_t) ** gamma * np.log(p_t)
    alpha = 0.25 if weighted else None
    np.testing.assert_allclose(reduced(L.focal_loss, x, b, gamma, alpha), want, rtol=1e-12)


def test_focal_limits_and_figures():
    z, y = RNG.normal(0, 2, (5, 3)), RNG.integers(0, 3, 5)
    np.testing.assert_allclose(L.focal_loss(z, y, gamma=0).item(), L.cross_entropy(z, y).item(), rtol=1e-13)
    x, b = z[:, 0], y.clip(0, 1)
    np.testing.assert_allclose(
        L.focal_loss(x, b, gamma=0).item(), L.binary_cross_entropy_with_logits(x, b).item(), rtol=1e-13
    )
    np.testing.assert_allclose(L.focal_loss(x, b).item(), L.focal_loss(x, b, 2.0).item())
    # Lin et al. (2017), section 3.2: with gamma = 2 an example with p = 0.9 counts 100 times less,
    # one with p = 0.968 about 1000 times, and one with p <= 0.5 at most 4 times
    for p, times in ((0.9, 100), (0.968, 976.6), (0.5, 4)):
        logit = np.array([np.log(p / (1 - p))])
        ratio = L.focal_loss(logit, [1], gamma=0).item() / L.focal_loss(logit, [1], gamma=2).item()
        assert abs(ratio - times) < 0.1
    # two classes by softmax are one by sigmoid
    two_classes = np.stack([np.zeros(5), x], axis=1)
    np.testing.assert_allclose(L.focal_loss(two_classes, b, 1.5).item(), L.focal_loss(x, b, 1.5).item(), rtol=1e-12)  # fmt: skip


def test_focal_keeps_the_digits_of_easy_examples():
    x = np.array([40.0, 300.0])
    want = np.exp(-3 * x)  # (1 - p)^2 (1 - p), p being 1 to all digits
    np.testing.assert_allclose(L.focal_loss(x, [1, 1], reduction="none").numpy(), want, rtol=1e-11)
    rows = np.stack([np.zeros(2), x], axis=1)
    np.testing.assert_allclose(L.focal_loss(rows, [1, 1], reduction="none").numpy(), want, rtol=1e-11)


def test_divergences_are_the_formulas():
    p, q = softmax(RNG.normal(size=(2, 4, 3)), axis=-1)
    kl = (p * np.log(p / q)).sum(axis=-1)
    np.testing.assert_allclose(reduced(L.kl_divergence, p, q), kl, rtol=1e-12)
    m = (p + q) / 2
    js = ((p * np.log(p / m)).sum(axis=-1) + (q * np.log(q / m)).sum(axis=-1)) / 2
    np.testing.assert_allclose(reduced(L.js_divergence, p, q), js, rtol=1e-12)
    np.testing.assert_allclose(L.js_divergence(q, p).numpy(), L.js_divergence(p, q).numpy(), rtol=1e-14)
    np.testing.assert_allclose(L.kl_div(np.log(q), p, "batchmean").item(), kl.mean(), rtol=1e-12)
    entropy = -(p * np.log(p)).sum(axis=-1)
    cross = L.cross_entropy(np.log(q), p, reduction="none").numpy()
    np.testing.assert_allclose(cross, entropy + kl, rtol=1e-12)  # CE = H + KL
    assert L.kl_divergence(p, p).item() == 0 and L.js_divergence(p, p).item() == 0


def test_divergences_with_zeros():
    assert L.kl_divergence([0.0, 1.0], [0.5, 0.5]).item() == np.log(2)
    assert L.kl_divergence([0.0, 1.0], [0.0, 1.0]).item() == 0
    assert L.kl_divergence([0.5, 0.5], [0.0, 1.0]).item() == np.inf
    assert abs(L.js_divergence([0.0, 1.0], [1.0, 0.0]).item() - np.log(2)) < 1e-15
    tiny = 5e-324  # p/2 would be 0
    assert L.js_divergence([tiny, 1.0], [0.0, 1.0]).item() < 1e-300
    assert L.kl_div([-np.inf, 0.0], [0.0, 1.0], "sum").item() == 0
    assert L.kl_div([-np.inf, 0.0], [-np.inf, 0.0], "sum", log_target=True).item() == 0
    assert L.kl_div([-np.inf, 0.0], [0.5, 0.5], "sum").item() == np.inf
    for f in (L.kl_divergence, L.js_divergence, lambda p, q: L.kl_div(np.log(q + 0.1), p)):
        p = Tensor([0.0, 0.4, 0.6], requires_grad=True)
        q = Tensor([0.5, 0.5, 0.0] if f is L.js_divergence else [0.5, 0.25, 0.25], requires_grad=True)
        f(p, q).backward()
        assert np.isfinite(p.grad).all() and np.isfinite(q.grad).all()
    p = Tensor([0.0, 0.4, 0.6], requires_grad=True)
    L.kl_div(np.log([0.5, 0.25, 0.25]), p, "sum").backward()
    np.testing.assert_allclose(p.grad[0], 1 + np.log(2))  # log p is taken as 0
    p = Tensor([0.0, 0.4, 0.6], requires_grad=True)
    L.kl_divergence(p, [0.5, 0.25, 0.25]).backward()
    np.testing.assert_allclose(p.grad, [1, 1 + np.log(1.6), 1 + np.log(2.4)])  # as documented


def test_gaussians_kl_in_the_limit():
    # KL between N(0, 1) and N(m, s^2), finely discretised, is log s + (1 + m^2)/(2 s^2) - 1/2
    x = np.linspace(-12, 12, 20001)
    p, q = np.exp(-(x**2) / 2), np.exp(-((x - 0.7) ** 2) / (2 * 1.5**2))
    got = L.kl_divergence(p / p.sum(), q / q.sum()).item()
    assert abs(got - (np.log(1.5) + (1 + 0.49) / 4.5 - 0.5)) < 1e-6


def pairs(r):
    return [(i, j) for i in range(len(r)) for j in range(len(r)) if r[i] > r[j]]


def test_ranknet_is_the_formula():
    s, r = RNG.normal(size=(2, 5)), np.array([[3, 0, 1, 1, 2], [0, 0, 1, 0, 1]])

    def cost(s_i, s_j, S):
        P_bar, P = (1 + S) / 2, sigma(0.7 * (s_i - s_j))
        return -P_bar * np.log(P) - (1 - P_bar) * np.log(1 - P)

    want, tied = np.zeros(2), np.zeros(2)
    for k in range(2):
        for i, j in itertools.combinations(range(5), 2):
            S = np.sign(r[k, i] - r[k, j])
            tied[k] += cost(s[k, i], s[k, j], S)
            want[k] += cost(s[k, i], s[k, j], S) * (S != 0)
    np.testing.assert_allclose(reduced(L.ranknet_loss, s, r, 0.7), want, rtol=1e-12)
    np.testing.assert_allclose(reduced(L.ranknet_loss, s, r, 0.7, ties=True), tied, rtol=1e-12)
    # one pair: -log sigmoid(s_i - s_j)
    np.testing.assert_allclose(L.ranknet_loss([0.3, -0.4], [1, 0]).item(), -np.log(sigma(0.7)))


def dcg(r, order):
    return sum((2.0 ** r[i] - 1) / np.log2(2 + k) for k, i in enumerate(order))


def test_lambdarank_is_ranknet_with_the_change_of_ndcg():
    s, r = RNG.normal(size=6), np.array([3, 0, 1, 1, 2, 4])
    order = list(np.argsort(-s))
    best = dcg(r, np.argsort(-r))
    want, lam = 0, np.zeros(6)
    for i, j in pairs(r):
        swapped = [{i: j, j: i}.get(k, k) for k in order]
        delta = abs(dcg(r, swapped) - dcg(r, order)) / best
        want += delta * np.log1p(np.exp(-0.7 * (s[i] - s[j])))
        lambda_ij = -0.7 / (1 + np.exp(0.7 * (s[i] - s[j]))) * delta  # section 4
        lam[i] += lambda_ij
        lam[j] -= lambda_ij
    np.testing.assert_allclose(L.lambdarank_loss(s, r, 0.7).item(), want, rtol=1e-12)
    np.testing.assert_allclose(gradient(lambda s: L.lambdarank_loss(s, r, 0.7), s), lam, rtol=1e-10)
    stacked = reduced(L.lambdarank_loss, np.stack([s, -s]), np.stack([r, r]), sigma=0.7)
    np.testing.assert_allclose(stacked[0], want, rtol=1e-12)


def test_ranking_without_a_preference_costs_nothing():
    s = np.array([[1.0, 2.0], [2.0, 1.0]])
    for f in (L.ranknet_loss, L.lambdarank_loss):
        assert f(s, [[1, 1], [0, 0]], reduction="none").numpy().tolist() == [0, 0]
        assert f([1.0], [3]).item() == 0
    # equal scores rank in the order they stand in
    assert L.lambdarank_loss([1.0, 1.0], [0, 1]).item() > 0
    # a grade of 2000 would overflow 2^r
    assert np.isfinite(L.lambdarank_loss([1.0, 2.0], [2000, 0]).item())


def test_listnet_is_the_formula():
    s, r = RNG.normal(size=(2, 5)), np.array([[3, 0, 1, 1, 2], [0, 0, 1, 0, 1]])
    want = -(softmax(r, axis=-1) * np.log(softmax(s, axis=-1))).sum(axis=-1)
    np.testing.assert_allclose(reduced(L.listnet_loss, s, r), want, rtol=1e-12)
    # top one probability is the sum over all permutations that begin with it (Plackett-Luce)
    e, first = np.exp(s[0]), np.zeros(5)
    for order in itertools.permutations(range(5)):
        first[order[0]] += np.prod([e[order[k]] / e[list(order[k:])].sum() for k in range(5)])
    want = -(softmax(r[0]) * np.log(first)).sum()
    np.testing.assert_allclose(L.listnet_loss(s[0], r[0]).item(), want, rtol=1e-12)


def test_cosent_is_the_formula():
    s, y = RNG.uniform(-1, 1, (2, 6)), np.array([[3, 0, 1, 1, 2, 0], [1, 0, 1, 0, 1, 1]])
    want = [
        np.log(1 + sum(np.exp(20 * (s[k, j] - s[k, i])) for i, j in pairs(y[k]))) for k in range(2)
    ]
    np.testing.assert_allclose(reduced(L.cosent_loss, s, y), want, rtol=1e-12)
    np.testing.assert_allclose(L.cosent_loss(s[0], y[0], scale=3).item(), np.log(1 + sum(np.exp(3 * (s[0, j] - s[0, i])) for i, j in pairs(y[0]))), rtol=1e-12)  # fmt: skip
    slope = slopes(lambda s: L.cosent_loss(s, y).item(), s)
    np.testing.assert_allclose(gradient(lambda s: L.cosent_loss(s, y), s), slope, atol=1e-8)
    # of two similarities it is RankNet of one pair with sigma = scale
    np.testing.assert_allclose(L.cosent_loss([0.2, 0.5], [1, 0]).item(), L.ranknet_loss([0.2, 0.5], [1, 0], sigma=20.0).item())  # fmt: skip
    alike = Tensor([0.1, 0.9], requires_grad=True)
    loss = L.cosent_loss(alike, [1, 1])
    loss.backward()
    assert loss.item() == 0 and alike.grad.tolist() == [0, 0]


def circle(sp, sn, m, gamma, alpha_p=None, alpha_n=None):
    """Sun et al. (2020), section 3, with O_p = 1 + m, O_n = -m, Delta_p = 1 - m, Delta_n = m."""
    alpha_p = np.maximum(1 + m - sp, 0) if alpha_p is None else alpha_p
    alpha_n = np.maximum(sn + m, 0) if alpha_n is None else alpha_n
    exponents = [
        gamma * (alpha_n[j] * (sn[j] - m) - alpha_p[i] * (sp[i] - (1 - m)))
        for i, j in itertools.product(range(len(sp)), range(len(sn)))
    ]
    return logsumexp([0.0, *exponents])  # log(1 + the sum of their exponentials)


def test_circle_is_the_formula():
    sp, sn = RNG.uniform(-1, 1, (2, 4)), RNG.uniform(-1, 1, (2, 3))
    want = [circle(sp[k], sn[k], 0.25, 20) for k in range(2)]
    np.testing.assert_allclose(reduced(L.circle_loss, sp, sn, gamma=20), want, rtol=1e-12)
    np.testing.assert_allclose(L.circle_loss(sp[0], sn[0], 0.4, 2).item(), circle(sp[0], sn[0], 0.4, 2))
    np.testing.assert_allclose(L.circle_loss(sp[0], sn[0]).item(), circle(sp[0], sn[0], 0.25, 256), rtol=1e-12)  # fmt: skip
    # the weights are constants for the gradient
    a_p, a_n = np.maximum(1.25 - sp[0], 0), np.maximum(sn[0] + 0.25, 0)
    slope = slopes(lambda sp: circle(sp, sn[0], 0.25, 5, a_p, a_n), sp[0])
    np.testing.assert_allclose(gradient(lambda sp: L.circle_loss(sp, sn[0], gamma=5), sp[0]), slope, atol=1e-7)  # fmt: skip
    slope = slopes(lambda sn: circle(sp[0], sn, 0.25, 5, a_p, a_n), sn[0])
    np.testing.assert_allclose(gradient(lambda sn: L.circle_loss(sp[0], sn, gamma=5), sn[0]), slope, atol=1e-7)  # fmt: skip


@pytest.mark.parametrize("angle", [0.1, 0.7, 1.3])
def test_circle_has_its_boundary_on_the_circle(angle):
    m = 0.25  # s_n^2 + (1 - s_p)^2 = 2 m^2: the exponent is 0, the loss log 2
    radius = np.sqrt(2) * m
    sn, sp = radius * np.cos(angle), 1 - radius * np.sin(angle)
    np.testing.assert_allclose(L.circle_loss([sp], [sn], m=m).item(), np.log(2), rtol=1e-11)


def test_circle_and_cosent_are_one_formula():
    # without self-pacing, log(1 + sum exp(gamma (s_n - s_p))) is CoSENT with labels 1 and 0
    sp, sn = RNG.uniform(-1, 1, 4), RNG.uniform(-1, 1, 3)
    cosent = L.cosent_loss(np.concatenate([sp, sn]), [1] * 4 + [0] * 3, scale=20).item()
    unified = np.log(1 + sum(np.exp(20 * (n - p)) for p in sp for n in sn))  # eq. 1
    np.testing.assert_allclose(cosent, unified, rtol=1e-12)
    constant = circle(sp, sn, 0.5, 20, np.ones(4), np.ones(3))  # both margins are 1/2 then
    np.testing.assert_allclose(constant, unified, rtol=1e-12)


def test_contrastive_is_the_formula():
    a, b = RNG.normal(0, 1, (2, 6, 3))
    y = np.array([1, 0, 1, 0, 0, 1])
    b[1] = a[1] + 0.5  # a pair within the margin
    D = np.sqrt(((a - b) ** 2).sum(axis=1))
    want = np.where(y == 1, D**2 / 2, np.maximum(0, 2 - D) ** 2 / 2)
    np.testing.assert_allclose(reduced(L.contrastive_loss, a, b, y, 2.0), want, rtol=1e-12)
    assert (D[y == 0] < 2).any()
    slope = slopes(lambda a: L.contrastive_loss(a, b, y, 2.0).item(), a)
    np.testing.assert_allclose(gradient(lambda a: L.contrastive_loss(a, b, y, 2.0), a), slope, atol=1e-8)
    # equal vectors: at the margin's height, without a direction
    assert gradient(lambda a: L.contrastive_loss(a, b[:2], [0, 1]), b[:2]).tolist() == [[0] * 3] * 2
    np.testing.assert_allclose(L.contrastive_loss(b, b, np.zeros(6)).item(), 0.5)


def info_nce(q, k, tau):
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    k = k / np.linalg.norm(k, axis=1, keepdims=True)
    e = np.exp(q @ k.T / tau)
    return -np.log(np.diag(e) / e.sum(axis=1))


def test_info_nce_and_clip_are_the_formulas():
    q, k = RNG.normal(0, 3, (2, 5, 4))
    np.testing.assert_allclose(reduced(L.info_nce_loss, q, k), info_nce(q, k, 0.1), rtol=1e-11)
    np.testing.assert_allclose(reduced(L.info_nce_loss, q, k, 0.5), info_nce(q, k, 0.5), rtol=1e-11)
    both = (info_nce(q, k, 0.07) + info_nce(k, q, 0.07)) / 2
    np.testing.assert_allclose(reduced(L.clip_loss, q, k), both, rtol=1e-11)
    # all pairs alike: a guess among N
    np.testing.assert_allclose(L.info_nce_loss(np.ones((5, 2)), np.ones((5, 2))).item(), np.log(5))
    assert L.info_nce_loss(q, q, 0.001).item() < 1e-12 and L.info_nce_loss(q[:1], k[:1]).item() == 0


@pytest.mark.parametrize("f", [L.info_nce_loss, L.clip_loss])
def test_contrasts_have_these_slopes_and_ignore_lengths(f):
    q, k = RNG.normal(0, 3, (2, 5, 4))
    slope = slopes(lambda q: f(q, k, 0.5).item(), q)
    np.testing.assert_allclose(gradient(lambda q: f(q, k, 0.5), q), slope, atol=1e-8)
    tau = Tensor([0.5], requires_grad=True)
    f(q, k, tau).backward()
    slope = slopes(lambda tau: f(q, k, tau.item()).item(), np.array([0.5]))
    np.testing.assert_allclose(tau.grad, slope, atol=1e-8)
    np.testing.assert_allclose(f(7 * q, k / 9).item(), f(q, k).item(), rtol=1e-12)


@needs_torch
def test_info_nce_equals_pytorchs_building_blocks():
    q, k = RNG.normal(0, 3, (2, 5, 4))

    def compute(q, k):
        q, k = F.normalize(q), F.normalize(k)
        return F.cross_entropy(q @ k.T / 0.1, torch.arange(5), reduction="none")

    assert_same(ours(lambda q, k: L.info_nce_loss(q, k, reduction="none"), [q, k]), theirs(torch, compute, [q, k]), rtol=1e-9, atol=1e-10)  # fmt: skip


def test_nce_is_the_formula():
    mx, nx = RNG.normal(size=(2, 4))
    my, ny = RNG.normal(size=(2, 4, 3))

    def h(log_m, log_n):
        m, n = np.exp(log_m), np.exp(log_n)
        return m / (m + 3 * n)

    want = -np.log(h(mx, nx)) - np.log(1 - h(my, ny)).sum(axis=1)
    np.testing.assert_allclose(reduced(L.nce_loss, mx, nx, my, ny), want, rtol=1e-12)


def test_nce_with_the_true_noise_and_its_minimum():
    # a model equal to the noise cannot be told from it: h = 1/(1 + k), whatever is drawn
    for k in (1, 5):
        x, y = RNG.normal(size=4), RNG.normal(size=(4, k))
        got = L.nce_loss(x, x, y, y).item()
        np.testing.assert_allclose(got, np.log(1 + k) + k * np.log((1 + k) / k), rtol=1e-12)
    # the normaliser is found: data and noise from N(0, 1) and N(0, 2^2), -x^2/2 + c as the model
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 1, 20000), rng.normal(0, 2, (20000, 4))

    def log_noise(u):
        return -(u**2) / 8 - np.log(2 * np.sqrt(2 * np.pi))

    grid = np.linspace(-1.2, -0.6, 121)
    risk = [L.nce_loss(c - x**2 / 2, log_noise(x), c - y**2 / 2, log_noise(y)).item() for c in grid]
    assert abs(grid[np.argmin(risk)] + np.log(np.sqrt(2 * np.pi))) < 0.02


# --- leading axes

R = np.random.default_rng(9)
A, B, C = R.normal(0, 1, (3, 2, 4, 3))
BITS = R.integers(0, 2, (2, 4))
ALONG_THE_LAST = {  # of arrays (2, 4, ...): the same as of each of the two
    "triplet": (L.triplet_margin_loss, (A, B, C)),
    "triplet-1": (lambda *x, **k: L.triplet_margin_loss(*x, p=1.0, **k), (A, B, C)),
    "triplet-3": (lambda *x, **k: L.triplet_margin_loss(*x, p=3.0, swap=True, **k), (A, B, C)),
    "triplet-inf": (lambda *x, **k: L.triplet_margin_loss(*x, p=np.inf, **k), (A, B, C)),
    "cosine": (L.cosine_embedding_loss, (A, B, 2 * BITS - 1)),
    "contrastive": (L.contrastive_loss, (A, B, BITS)),
    "kl": (L.kl_divergence, (softmax(A, -1), softmax(B, -1))),
    "js": (L.js_divergence, (softmax(A, -1), softmax(B, -1))),
    "ranknet": (L.ranknet_loss, (A, R.integers(0, 3, (2, 4, 3)))),
    "ranknet-ties": (lambda *x, **k: L.ranknet_loss(*x, ties=True, **k), (A, R.integers(0, 2, (2, 4, 3)))),
    "lambdarank": (L.lambdarank_loss, (A, R.integers(0, 3, (2, 4, 3)))),
    "listnet": (L.listnet_loss, (A, B)),
    "cosent": (L.cosent_loss, (A, B)),
    "circle": (L.circle_loss, (A, B[..., :2])),
    "nce": (L.nce_loss, (A[..., 0], B[..., 0], A, B)),
    "focal": (L.focal_loss, (A, R.integers(0, 3, (2, 4)))),
    "focal-2": (L.focal_loss, (A[..., 0], BITS)),
}  # fmt: skip


@pytest.mark.parametrize("key", ALONG_THE_LAST)
def test_leading_axes_are_single_losses(key):
    f, arrays = ALONG_THE_LAST[key]
    whole = f(*arrays, reduction="none").numpy()
    assert whole.shape == (2, 4)
    parts = [[f(*(a[i, j] for a in arrays)).item() for j in range(4)] for i in range(2)]
    np.testing.assert_allclose(whole, parts, rtol=1e-12, atol=1e-15)


def test_weights_broadcast():
    x, y = softmax(A[0], -1), BITS[0][:, None] * np.ones(3)
    for f in (L.binary_cross_entropy, L.binary_cross_entropy_with_logits):
        w = W[4][:, None]
        want = f(x, y, reduction="none").numpy() * w
        np.testing.assert_allclose(f(x, y, weight=w, reduction="none").numpy(), want)
        np.testing.assert_allclose(f(x, y, weight=Tensor(w, requires_grad=True)).item(), want.mean())


# --- numbers at the edge

BIG = np.array([1000.0, -1000.0, 0.0, 20.0])
EDGE = {
    "l1": lambda x: L.l1_loss(x, -x, "none"),
    "huber": lambda x: L.huber_loss(x, -x, "none"),
    "smooth_l1": lambda x: L.smooth_l1_loss(x, -x, "none"),
    "log_cosh": lambda x: L.log_cosh_loss(x, -x, "none"),
    "quantile": lambda x: L.quantile_loss(x, -x, 0.3, "none"),
    "ce": lambda x: L.cross_entropy(np.stack([x, -x]), [1, 0], reduction="none"),
    "ce-smooth": lambda x: L.cross_entropy(x, 2, label_smoothing=0.1),
    "ce-p": lambda x: L.cross_entropy(x, [0.25] * 4),
    "nll": lambda x: L.nll_loss(x, 1),
    "bce": lambda x: L.binary_cross_entropy(np.clip(x, 0, 1), [0, 1, 1, 0], reduction="none"),
    "bcel": lambda x: L.binary_cross_entropy_with_logits(x, [0, 1, 1, 0], reduction="none"),
    "bcel-pos": lambda x: L.binary_cross_entropy_with_logits(x, [0, 1, 1, 0], pos_weight=3.0, reduction="none"),
    "focal": lambda x: L.focal_loss(x, [0, 1, 1, 0], reduction="none"),
    "focal-K": lambda x: L.focal_loss(np.stack([x, -x]), [1, 0], gamma=0.5, reduction="none"),
    "kl_div": lambda x: L.kl_div(x, [0, 1, 0, 0], "none"),
    "kl_div-log": lambda x: L.kl_div(x, -np.abs(x), "none", log_target=True),
    "ranking": lambda x: L.margin_ranking_loss(x, -x, [1, -1, 1, -1], 0.5, "none"),
    "ranknet": lambda x: L.ranknet_loss(x, [2, 1, 0, 3]),
    "lambdarank": lambda x: L.lambdarank_loss(x, [2, 1, 0, 3]),
    "listnet": lambda x: L.listnet_loss(x, [2, 1, 0, 3]),
    "cosent": lambda x: L.cosent_loss(x / 1000, [2, 1, 0, 3]),
    "circle": lambda x: L.circle_loss(x / 1000, -x / 1000),
    "hinge": lambda x: L.hinge_embedding_loss(x, [1, -1, 1, -1], 0.5, "none"),
    "triplet": lambda x: L.triplet_margin_loss(x, -x, x / 2, reduction="none"),
    "triplet-zero": lambda x: L.triplet_margin_loss(x, x, x, eps=0.0, swap=True),
    "triplet-zero-p3": lambda x: L.triplet_margin_loss(x, x, x, p=3.0, eps=0.0),
    "triplet-p3": lambda x: L.triplet_margin_loss(x, -x, x / 2, p=3.0),
    "cosine": lambda x: L.cosine_embedding_loss(x, x[::-1], 1),
    "cosine-zero": lambda x: L.cosine_embedding_loss(x * 0.0, x, -1, margin=-0.5),
    "contrastive": lambda x: L.contrastive_loss(x, x + 0.0, 0),
    "contrastive-far": lambda x: L.contrastive_loss(x, -x, 0),
    "info_nce": lambda x: L.info_nce_loss(np.stack([x, -x]), np.stack([x, x * 0.0])),
    "clip": lambda x: L.clip_loss(np.stack([x, -x]), np.stack([x, x * 0.0])),
    "nce": lambda x: L.nce_loss(x, -x, np.stack([x, -x], axis=1), np.stack([-x, x], axis=1)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("key", EDGE)
def test_nothing_overflows_and_dtypes_stay(key, dtype):
    for values in (BIG, BIG / 1000, BIG * 0):
        x = Tensor(values.astype(dtype), requires_grad=True)
        y = EDGE[key](x)
        (first,) = grad(y, [x], np.ones(y.shape, dtype), create_graph=True)
        assert y.dtype == first.dtype == dtype
        assert np.isfinite(y.numpy()).all() and np.isfinite(first.numpy()).all()
        if first.requires_grad and dtype != np.float16:
            (second,) = grad(first, [x], np.ones(4, dtype), allow_unused=True)
            assert second is None or np.isfinite(second.numpy()).all()


@pytest.mark.parametrize("dtype,rtol", [(np.float32, 1e-4), (np.float16, 5e-2)])
@pytest.mark.parametrize("key", EDGE)
def test_low_precision_is_the_same_function(key, dtype, rtol):
    x = np.array([0.3, -0.7, 0.9, 0.15]).astype(dtype)
    (got, slope), (want, want_slope) = (ours(EDGE[key], [v])[:2] for v in (x, x.astype(float)))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)
    if key != "triplet-zero":
        np.testing.assert_allclose(slope, want_slope, rtol=rtol, atol=20 * rtol)


def test_logits_keep_their_digits():
    x = np.array([-50.0, 50.0, 700.0])
    want = np.array([np.exp(-50), 50 + np.exp(-50), 700])
    got = L.binary_cross_entropy_with_logits(x, np.zeros(3), reduction="none").numpy()
    np.testing.assert_allclose(got, want, rtol=1e-14)
    got = L.binary_cross_entropy_with_logits(-x, np.ones(3), reduction="none").numpy()
    np.testing.assert_allclose(got, want, rtol=1e-14)
    slope = gradient(lambda x: L.binary_cross_entropy_with_logits(x, np.ones(3), reduction="sum"), x)
    np.testing.assert_allclose(slope, [-1, -np.exp(-50), -np.exp(-700)], rtol=1e-12)  # not 0


def test_bce_at_0_and_1_equals_pytorch():
    x, y = np.array([0.0, 1.0, 0.0, 1.0, 1e-30]), np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    want = reference(
        "losses/bce-edge",
        lambda torch: theirs(torch, lambda x: F.binary_cross_entropy(x, t(y), reduction="none"), [x])[:2],
    )
    got = ours(lambda x: L.binary_cross_entropy(x, y, reduction="none"), [x])
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-8)  # PyTorch's 1e-12 is a float32


def test_a_mean_of_ten_thousand_is_no_difficulty():
    x = (1e4 + np.arange(4)).astype(np.float32)
    assert L.mse_loss(x, x + np.float32(1)).item() == 1
    assert L.huber_loss(x, x + np.float32(1)).item() == 0.5


def test_dtypes_of_lists_and_integers():
    x = Tensor(np.array([0.5, 0.25], np.float32), requires_grad=True)
    for loss in (
        L.mse_loss(x, [0.1, 0.2]),
        L.mse_loss(x, np.array([1, 0])),
        L.huber_loss(x, [1, 0], delta=np.float64(0.1), weight=np.ones(2)),
        L.binary_cross_entropy(x, [1, 0], weight=[1.0, 2.0]),
        L.cross_entropy(x, 1, weight=np.ones(2), label_smoothing=np.float64(0.1)),
        L.cross_entropy(x, [0.5, 0.5]),
        L.ranknet_loss(x, [1, 0], sigma=np.float64(2)),
        L.lambdarank_loss(x, [1, 0]),
        L.focal_loss(x, [1, 0], alpha=0.25),
        L.margin_ranking_loss(x, x, [1, -1], margin=np.float64(1)),
    ):
        assert loss.dtype == np.float32
    assert L.mse_loss(np.array([0], np.uint8), np.array([1], np.uint8)).item() == 1  # not 255^2
    assert L.focal_loss([1.0, -1.0], np.array([1, 0], np.uint8)).item() < 0.1
    assert L.focal_loss([1.0, -1.0], [True, False]).item() < 0.1
    assert L.cross_entropy(np.eye(3), np.array([0, 1, 2], np.uint8)).item() < 1
    assert L.cross_entropy(np.eye(3), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]).item() < 1  # one-hot


def test_targets_may_be_tensors():
    z = Tensor(RNG.normal(size=(4, 3)), requires_grad=True)
    assert L.cross_entropy(z, Tensor(Y)).item() == L.cross_entropy(z, Y).item()
    assert L.nll_loss(z, Tensor(Y), weight=Tensor(W[3])).item() == L.nll_loss(z, Y, W[3]).item()
    assert L.ranknet_loss(z, Tensor(Y[:3] + np.zeros((4, 1)))).item() > 0
    y = Tensor(RNG.normal(size=(4, 3)), requires_grad=True)
    L.mse_loss(z, y, "sum").backward()
    np.testing.assert_allclose(y.grad, -z.grad)


# --- bad input

X, P3 = np.zeros((4, 3)), np.full((4, 3), 1 / 3)
PAIRS = ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "log_cosh_loss", "quantile_loss",
         "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div", "hinge_embedding_loss",
         "kl_divergence", "js_divergence", "ranknet_loss", "lambdarank_loss", "listnet_loss",
         "cosent_loss", "info_nce_loss", "clip_loss"]  # fmt: skip
BAD = [
    (lambda: L.mse_loss(X, X, reduction="average"), ValueError, 'mse_loss: reduction must be "mean", "sum" or "none", got \'average\''),
    (lambda: L.cross_entropy(X, Y, reduction=None), TypeError, 'cross_entropy: reduction must be "mean", "sum" or "none", got None'),
    (lambda: L.mse_loss(X[:0], X[:0]), ValueError, r"mse_loss: the mean over no losses does not exist \(shape \(0, 3\)"),
    (lambda: L.mse_loss("x", X), TypeError, "mse_loss: input must hold real numbers or booleans, got dtype <U1"),
    (lambda: L.mse_loss([[1.0], [1.0, 2.0]], X), ValueError, "mse_loss: input must be an array of numbers, got a nested list whose rows differ in length"),
    (lambda: L.mse_loss(X, X, weight=W[3]), ValueError, r"mse_loss: weight \(3,\) and input \(4, 3\) must have the same shape"),
    (lambda: L.mse_loss(X, X, weight=-P3), ValueError, "mse_loss: weight must be finite and at least 0, got -0.33"),
    (lambda: L.mse_loss(X, X, weight=np.full((4, 3), np.inf)), ValueError, "mse_loss: weight must be finite and at least 0, got inf"),
    (lambda: L.mse_loss(X, X, weight=0 * P3), ValueError, "the mean over no losses"),
    (lambda: L.l1_loss(X, X, weight=P3 * np.nan), ValueError, "l1_loss: weight must be finite and at least 0, got nan"),
    (lambda: L.huber_loss(X, X, delta=0), ValueError, r"huber_loss: delta must be in \(0, inf\), got 0"),
    (lambda: L.smooth_l1_loss(X, X, beta=-1.0), ValueError, r"smooth_l1_loss: beta must be in \[0, inf\), got -1\.0"),
    (lambda: L.quantile_loss(X, X, q=1.0), ValueError, r"quantile_loss: q must be in \(0, 1\), got 1.0"),
    (lambda: L.quantile_loss(X, X, q="a"), TypeError, r"quantile_loss: q must be a number in \(0, 1\), got 'a'"),
    (lambda: L.cross_entropy(X, [0, 1, 7, 2]), ValueError, r"cross_entropy: target must be in \[0, 3\), got 7 at row 2"),
    (lambda: L.cross_entropy(X, [0, -1, 1, 2]), ValueError, r"cross_entropy: target must be in \[0, 3\), got -1 at row 1"),
    (lambda: L.cross_entropy(X, [0, -1, 1, -2], ignore_index=-1), ValueError, "got -2 at row 3"),
    (lambda: L.cross_entropy(np.zeros((4, 3, 2)), np.full((4, 2), 3)), ValueError, r"got 3 at \(0, 0\)"),
    (lambda: L.cross_entropy(X[0], 3), ValueError, r"cross_entropy: target must be in \[0, 3\), got 3"),
    (lambda: L.cross_entropy(X, [0, 1, 2]), ValueError, r"cross_entropy: target must be class numbers of shape \(4,\), got \(3,\)"),
    (lambda: L.cross_entropy(X, [0.0, 1.0, 2.0, 0.0]), TypeError, r"cross_entropy: target must be class numbers \(integers\), got float64"),
    (lambda: L.cross_entropy(X, [True, False, True, True]), TypeError, r"cross_entropy: target must be class numbers \(integers\), got bool"),
    (lambda: L.cross_entropy(X, [[1], [2, 3]]), ValueError, "cross_entropy: target must be an array of numbers, got a nested list whose rows differ in length"),
    (lambda: L.cross_entropy(X, [-100] * 4), ValueError, "cross_entropy: the mean over no losses"),
    (lambda: L.cross_entropy(X, Y, ignore_index=1.5), TypeError, r"cross_entropy: ignore_index must be an integer in \(-inf, inf\), got 1\.5"),
    (lambda: L.cross_entropy(X, P3, ignore_index="a"), TypeError, r"cross_entropy: ignore_index must be an integer in \(-inf, inf\), got 'a'"),
    (lambda: L.nll_loss(X, Y, ignore_index=None), TypeError, r"nll_loss: ignore_index must be an integer in \(-inf, inf\), got None"),
    (lambda: L.cross_entropy(3.0, 0), ValueError, r"cross_entropy: input must be \(K,\), \(N, K\) or \(N, K, d...\) with K >= 1 classes, got \(\)"),
    (lambda: L.cross_entropy(np.zeros((4, 0)), [0] * 4), ValueError, "with K >= 1 classes"),
    (lambda: L.cross_entropy(X, Y, weight=[1.0, 2.0]), ValueError, r"cross_entropy: weight must broadcast to shape \(3,\), got shape \(2,\)"),
    (lambda: L.cross_entropy(X, Y, weight=[1.0]), ValueError, r"cross_entropy: weight must have one entry for each of the 3 classes"),
    (lambda: L.cross_entropy(X, Y, weight=[1.0, -1.0, 1.0]), ValueError, "weight must be finite and at least 0, got -1.0 at row 1"),
    (lambda: L.cross_entropy(X, Y, weight=[0.0] * 3), ValueError, "the mean over no losses"),
    (lambda: L.cross_entropy(X, Y, label_smoothing=1.1), ValueError, r"label_smoothing must be in \[0, 1\], got 1.1"),
    (lambda: L.cross_entropy(X, P3 * 2), ValueError, "cross_entropy: the sum of target must be 1, got 2.0 at row 0"),
    (lambda: L.cross_entropy(X, [[1.5, -0.5, 0.0]] * 4), ValueError, r"cross_entropy: target must be probabilities, at least 0, got -0.5 at \(0, 1\)"),
    (lambda: L.cross_entropy(X, P3 * np.nan), ValueError, "target must be probabilities, at least 0, got nan"),
    (lambda: L.cross_entropy(X, P3, ignore_index=1), ValueError, "cross_entropy: ignore_index is for class numbers, got 1 and distributions"),
    (lambda: L.nll_loss(X, [0, 1, 7, 2]), ValueError, r"nll_loss: target must be in \[0, 3\), got 7 at row 2"),
    (lambda: L.binary_cross_entropy(X + 1.5, X), ValueError, r"binary_cross_entropy: input must be in \[0, 1\], got 1.5 at \(0, 0\)"),
    (lambda: L.binary_cross_entropy(X * np.nan, X), ValueError, "binary_cross_entropy: input must be in"),
    (lambda: L.binary_cross_entropy(X, X - 1), ValueError, r"binary_cross_entropy: target must be in \[0, 1\], got -1.0"),
    (lambda: L.binary_cross_entropy_with_logits(X, X + 2), ValueError, r"target must be in \[0, 1\], got 2.0"),
    (lambda: L.binary_cross_entropy_with_logits(X, X, pos_weight=[1.0] * 4), ValueError, r"pos_weight must broadcast to shape \(4, 3\), got shape \(4,\)"),
    (lambda: L.binary_cross_entropy_with_logits(X, X, weight=[X]), ValueError, r"weight must broadcast to shape \(4, 3\), got shape \(1, 4, 3\)"),
    (lambda: L.kl_div(X, X - 1), ValueError, "kl_div: target must be probabilities, at least 0, got -1.0"),
    (lambda: L.kl_div(X[:0], X[:0], reduction="batchmean"), ValueError, "kl_div: the mean over no losses"),
    (lambda: L.mse_loss(X, X, reduction="batchmean"), ValueError, "mse_loss: reduction must be"),
    (lambda: L.kl_divergence(P3, P3 / 2), ValueError, "kl_divergence: the sum of q must be 1, got 0.5 at row 0"),
    (lambda: L.kl_divergence(P3 - 1, P3), ValueError, r"kl_divergence: p must be probabilities, at least 0, got -0.66\d+ at \(0, 0\)"),
    (lambda: L.kl_divergence(1.0, 1.0), ValueError, r"kl_divergence: p must hold distributions on its last axis, got shape \(\)"),
    (lambda: L.js_divergence(np.zeros((2, 0)), np.zeros((2, 0))), ValueError, "js_divergence: p must hold distributions"),
    (lambda: L.focal_loss(X, [0, 1, 3, 2]), ValueError, r"focal_loss: targets must be in \[0, 3\), got 3 at row 2"),
    (lambda: L.focal_loss(X, [0, 1, -1, 2]), ValueError, r"focal_loss: targets must be in \[0, 3\), got -1 at row 2"),
    (lambda: L.focal_loss(X, X + 0.5), ValueError, r"focal_loss: targets must be 0 or 1, got 0.5 at \(0, 0\)"),
    (lambda: L.focal_loss(X[:, :1], Y), ValueError, r"focal_loss: logits must be \(..., K\) with K >= 2 classes"),
    (lambda: L.focal_loss(X, Y, gamma=-1), ValueError, r"focal_loss: gamma must be in \[0, inf\), got -1"),
    (lambda: L.focal_loss(X, X, alpha=2), ValueError, r"focal_loss: alpha must be in \[0, 1\], got 2"),
    (lambda: L.focal_loss(X, X, alpha=[0.5]), TypeError, r"focal_loss: alpha must be a number in \[0, 1\], got \[0\.5\]"),
    (lambda: L.focal_loss(X, Y, alpha=0.25), ValueError, r"focal_loss: alpha must have one entry for each of the 3 classes, got shape \(\)"),
    (lambda: L.focal_loss(X, Y[:3]), ValueError, r"focal_loss: targets must be class numbers of shape \(4,\), got \(3,\)"),
    (lambda: L.margin_ranking_loss(X, X, X), ValueError, r"margin_ranking_loss: target must be 1 or -1, got 0.0 at \(0, 0\)"),
    (lambda: L.margin_ranking_loss(X, X, Y), ValueError, r"margin_ranking_loss: input1 \(4, 3\) and target \(4,\) must have the same shape"),
    (lambda: L.margin_ranking_loss(X, X, X + 1, margin=np.nan), ValueError, r"margin_ranking_loss: margin must be in \(-inf, inf\), got nan"),
    (lambda: L.hinge_embedding_loss(X, X), ValueError, "hinge_embedding_loss: target must be 1 or -1, got 0.0"),
    (lambda: L.ranknet_loss(X, X, sigma=0.0), ValueError, r"ranknet_loss: sigma must be in \(0, inf\), got 0\.0"),
    (lambda: L.ranknet_loss(X, X * np.nan), ValueError, "ranknet_loss: relevance must be finite, got nan"),
    (lambda: L.ranknet_loss(1.0, 1.0), ValueError, r"ranknet_loss: scores must be lists \(..., n\) with n >= 1, got \(\)"),
    (lambda: L.lambdarank_loss(X, X - 1), ValueError, "lambdarank_loss: relevance must be at least 0, got -1.0"),
    (lambda: L.listnet_loss(np.zeros((2, 0)), np.zeros((2, 0))), ValueError, "listnet_loss: scores must be lists"),
    (lambda: L.cosent_loss(X, X, scale=-1), ValueError, r"cosent_loss: scale must be in \(0, inf\), got -1"),
    (lambda: L.cosent_loss([], []), ValueError, r"cosent_loss: similarities must be lists \(..., n\) with n >= 1, got \(0,\)"),
    (lambda: L.circle_loss(X, X[:3]), ValueError, r"circle_loss: sp must be \(..., K\) and sn \(..., L\) with equal leading axes, K and L at least 1, got \(4, 3\) and \(3, 3\)"),
    (lambda: L.circle_loss([0.5], []), ValueError, "circle_loss: sp must be"),
    (lambda: L.circle_loss([0.5], 0.1), ValueError, "circle_loss: sp must be"),
    (lambda: L.circle_loss([0.5], [0.1], gamma=0), ValueError, r"circle_loss: gamma must be in \(0, inf\), got 0"),
    (lambda: L.circle_loss([0.5], [0.1], m=np.inf), ValueError, r"circle_loss: m must be in \(-inf, inf\), got inf"),
    (lambda: L.triplet_margin_loss(X, X, X, margin=0), ValueError, r"triplet_margin_loss: margin must be in \(0, inf\), got 0"),
    (lambda: L.triplet_margin_loss(X, X, X, p=0), ValueError, r"triplet_margin_loss: p must be in \(0, inf\], got 0"),
    (lambda: L.triplet_margin_loss(X, X, X, eps=-1e-6), ValueError, r"triplet_margin_loss: eps must be in \[0, inf\), got -1e-06"),
    (lambda: L.triplet_margin_loss(X, X, X[:, :2]), ValueError, r"anchor \(4, 3\) and negative \(4, 2\) must have the same shape"),
    (lambda: L.triplet_margin_loss(1.0, 1.0, 1.0), ValueError, "triplet_margin_loss: anchor must hold vectors on its last axis"),
    (lambda: L.cosine_embedding_loss(X, X, [1, -1, 0, 1]), ValueError, "cosine_embedding_loss: target must be 1 or -1, got 0.0 at row 2"),
    (lambda: L.cosine_embedding_loss(X, X, [1]), ValueError, r"cosine_embedding_loss: target must have one entry for each vector, shape \(4,\), got \(1,\)"),
    (lambda: L.cosine_embedding_loss(X, X, S4, margin=1.5), ValueError, r"margin must be in \[-1, 1\], got 1.5"),
    (lambda: L.contrastive_loss(X, X, S4), ValueError, "contrastive_loss: similar must be 0 or 1, got -1.0 at row 1"),
    (lambda: L.contrastive_loss(X, X, X), ValueError, "contrastive_loss: similar must have one entry for each vector"),
    (lambda: L.contrastive_loss(X, X, [0] * 4, margin=0), ValueError, r"contrastive_loss: margin must be in \(0, inf\), got 0"),
    (lambda: L.info_nce_loss(X, X, temperature=0), ValueError, r"info_nce_loss: temperature must be in \(0, inf\), got 0"),
    (lambda: L.info_nce_loss(X, X, Tensor([-1.0])), ValueError, r"info_nce_loss: temperature must be in \(0, inf\), got -1\.0"),
    (lambda: L.clip_loss(X, X, Tensor([1.0, 2.0])), ValueError, r"clip_loss: temperature must be one number, got shape \(2,\)"),
    (lambda: L.clip_loss(X[0], X[0]), ValueError, r"clip_loss: image and text must be \(N, D\), neither being 0, got \(3,\)"),
    (lambda: L.info_nce_loss(X[:0], X[:0]), ValueError, r"query and key must be \(N, D\), neither being 0, got \(0, 3\)"),
    (lambda: L.nce_loss(X[0], X[0], X, X), ValueError, r"nce_loss: log_model_at_noise must be \(3,\) and one more axis of k >= 1 samples, got \(4, 3\)"),
    (lambda: L.nce_loss(X[0], X[0], X[0], X[0]), ValueError, "nce_loss: log_model_at_noise must be"),
    (lambda: L.nce_loss(X[0], X[0], X.T[:, :0], X.T[:, :0]), ValueError, "nce_loss: log_model_at_noise must be"),
    (lambda: L.nce_loss(X[0], X[0, :2], X.T, X.T), ValueError, r"log_model \(3,\) and log_noise \(2,\) must have the same shape"),
    (lambda: L.nce_loss(X[0], X[0], X.T, X), ValueError, r"log_model_at_noise \(3, 4\) and log_noise_at_noise \(4, 3\) must"),
]  # fmt: skip


@pytest.mark.parametrize("call,error,message", BAD)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


@settings(max_examples=40, deadline=None)
@given(shapes, shapes, st.sampled_from(PAIRS))
def test_shapes_must_agree(a, b, name):
    assume(a != b)
    with pytest.raises(ValueError, match=f"^{name}: .* must have the same shape"):
        getattr(L, name)(np.zeros(a), np.zeros(b))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["cross_entropy", "nll_loss", "focal_loss"]),
    y=hnp.arrays(np.int64, (4,), elements=st.integers(-3, 5)),
)
def test_class_numbers_are_checked(name, y):
    f = getattr(L, name)
    if ((y >= 0) & (y < 3)).all():
        assert np.isclose(f(X, y).item(), 0 if name == "nll_loss" else f(X, Y).item())
    else:
        row = int(np.argmax((y < 0) | (y >= 3)))
        with pytest.raises(ValueError, match=rf"{name}: targets? must be in \[0, 3\), got {y[row]} at row {row}"):
            f(X, y)


@settings(max_examples=60, deadline=None)
@given(y=hnp.arrays(np.float64, (4,), elements=st.sampled_from([1.0, -1.0, -1.0, 0.0, 0.5, np.nan, np.inf])))
def test_signs_are_checked(y):
    good = np.isin(y, [1, -1])
    for f in (
        lambda: L.margin_ranking_loss(X[:, 0], X[:, 0], y),
        lambda: L.hinge_embedding_loss(X[:, 0], y),
        lambda: L.cosine_embedding_loss(X, X, y),
    ):
        if good.all():
            f()
        else:
            with pytest.raises(ValueError, match=f"target must be 1 or -1, got .* at row {good.argmin()}"):
                f()


@settings(max_examples=60, deadline=None)
@given(p=hnp.arrays(np.float64, (3,), elements=st.floats(-0.5, 1.5)), fix=st.booleans())
def test_distributions_are_checked(p, fix):
    if fix and p.sum() > 0.01:
        p = p / p.sum()
    good = (p >= 0).all() and abs(p.sum() - 1) <= 1e-5
    for f in (L.kl_divergence, L.js_divergence, lambda p, q: L.cross_entropy(q, p)):
        if good:
            f(p, P3[0])
        else:
            with pytest.raises(ValueError, match="must be (probabilities|1)"):
                f(p, P3[0])


@settings(max_examples=40, deadline=None)
@given(bad=st.just(np.nan) | st.floats(max_value=-2))
def test_options_must_be_in_range(bad):
    for key, call in {
        "huber_loss: delta": lambda: L.huber_loss(X, X, delta=bad),
        "smooth_l1_loss: beta": lambda: L.smooth_l1_loss(X, X, beta=bad),
        "quantile_loss: q": lambda: L.quantile_loss(X, X, q=bad),
        "cross_entropy: label_smoothing": lambda: L.cross_entropy(X, Y, label_smoothing=bad),
        "focal_loss: gamma": lambda: L.focal_loss(X, Y, gamma=bad),
        "cosent_loss: scale": lambda: L.cosent_loss(X, X, scale=bad),
        "circle_loss: gamma": lambda: L.circle_loss(X, X, gamma=bad),
        "triplet_margin_loss: margin": lambda: L.triplet_margin_loss(X, X, X, margin=bad),
        "triplet_margin_loss: p": lambda: L.triplet_margin_loss(X, X, X, p=bad),
        "cosine_embedding_loss: margin": lambda: L.cosine_embedding_loss(X, X, S4, margin=bad),
        "contrastive_loss: margin": lambda: L.contrastive_loss(X, X, [0] * 4, margin=bad),
        "info_nce_loss: temperature": lambda: L.info_nce_loss(X, X, temperature=bad),
    }.items():
        with pytest.raises(ValueError, match=key):
            call()


@settings(max_examples=20, deadline=None)
@given(reduction=st.text(max_size=8).filter(lambda r: r not in REDUCTIONS))
def test_reductions_are_checked(reduction):
    for f, args in (
        (L.mse_loss, (X, X)), (L.cross_entropy, (X, Y)), (L.cross_entropy, (X, P3)), (L.kl_div, (X, P3)),
        (L.focal_loss, (X, Y)), (L.clip_loss, (X, X)), (L.circle_loss, (X, X)), (L.ranknet_loss, (X, X)),
    ):  # fmt: skip
        if not (f is L.kl_div and reduction == "batchmean"):
            with pytest.raises(ValueError, match=f"{f.__name__}: reduction must be"):
                f(*args, reduction=reduction)
