"""Activations: equal to PyTorch to second order, the papers' formulas and figures, extremes, errors."""

import zlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import quad
from scipy.special import erfc

from derivatives import assert_same, ours, theirs
from minigrad import Tensor, grad
from minigrad import activations as A
from torch_reference import needs_torch, reference, torch

F = torch.nn.functional if torch is not None else None

# name: (minigrad's, PyTorch's, further shapes)
SAME = {
    "sigmoid": (A.sigmoid, lambda x: F.sigmoid(x)),
    "tanh": (A.tanh, lambda x: F.tanh(x)),
    "relu": (A.relu, lambda x: F.relu(x)),
    "leaky_relu": (A.leaky_relu, lambda x: F.leaky_relu(x)),
    "leaky_relu-0.3": (lambda x: A.leaky_relu(x, 0.3), lambda x: F.leaky_relu(x, 0.3)),
    "leaky_relu-2": (lambda x: A.leaky_relu(x, -2), lambda x: F.leaky_relu(x, -2.0)),
    "elu": (A.elu, lambda x: F.elu(x)),
    "elu-0.3": (lambda x: A.elu(x, alpha=0.3), lambda x: F.elu(x, alpha=0.3)),
    "selu": (A.selu, lambda x: F.selu(x)),
    "softplus": (A.softplus, lambda x: F.softplus(x)),
    "softplus-3-1": (lambda x: A.softplus(x, 3, 1), lambda x: F.softplus(x, 3, 1)),
    "softplus-0.1": (lambda x: A.softplus(x, beta=0.1), lambda x: F.softplus(x, beta=0.1)),
    "softmax": (A.softmax, lambda x: F.softmax(x, -1)),
    "softmax-0": (lambda x: A.softmax(x, axis=0), lambda x: F.softmax(x, 0)),
    "log_softmax": (A.log_softmax, lambda x: F.log_softmax(x, -1)),
    "log_softmax-0": (lambda x: A.log_softmax(x, axis=0), lambda x: F.log_softmax(x, 0)),
    "logsumexp": (A.logsumexp, lambda x: torch.logsumexp(x, -1)),
    "logsumexp-0": (lambda x: A.logsumexp(x, 0, True), lambda x: torch.logsumexp(x, 0, True)),
    "logsumexp-all": (
        lambda x: A.logsumexp(x, axis=tuple(range(x.ndim))),
        lambda x: torch.logsumexp(x, tuple(range(x.ndim))),
    ),
    "logsumexp-none": (lambda x: A.logsumexp(x, None), lambda x: torch.logsumexp(x.ravel(), 0)),
    "silu": (A.silu, lambda x: F.silu(x)),
    "gelu": (A.gelu, lambda x: F.gelu(x)),
    "gelu-tanh": (lambda x: A.gelu(x, approximate="tanh"), lambda x: F.gelu(x, approximate="tanh")),
    "mish": (A.mish, lambda x: F.mish(x)),
    "hard_swish": (A.hard_swish, lambda x: F.hardswish(x)),
}
ALONG_AN_AXIS = ("softmax", "log_softmax", "logsumexp")
X = np.random.default_rng(0).normal(0, 4, (5, 4))


def seed_of(key):
    return zlib.crc32(key.encode())


@pytest.mark.parametrize("key", SAME)
def test_equals_pytorch(key):
    f, g = SAME[key]
    x = np.random.default_rng(seed_of(key)).normal(0, 4, (3, 7))
    assert_same(ours(f, [x]), reference(f"activations/{key}", lambda torch: theirs(torch, g, [x])))


@pytest.mark.parametrize(
    "shapes", [((4, 3), ()), ((4, 3), (1,)), ((4, 3), (3,)), ((2, 3, 2), (3,)), ((4,), (1,)), ((), ())]
)
def test_prelu_equals_pytorch(shapes):
    rng = np.random.default_rng(1)
    inputs = [rng.normal(0, 1, s) for s in shapes]
    want = reference(
        f"activations/prelu-{shapes}", lambda torch: theirs(torch, lambda x, w: F.prelu(x, w), inputs)
    )
    assert_same(ours(A.prelu, inputs), want)


def test_prelu_of_one_number_and_a_slope_of_shape_1():
    assert A.prelu(-2.0, [0.5]).item() == -1 and A.prelu(-2.0, [0.5]).shape == ()


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_glu_equals_pytorch(axis):
    x = np.random.default_rng(2).normal(0, 2, (4, 6))
    want = reference(f"activations/glu{axis}", lambda torch: theirs(torch, lambda x: F.glu(x, axis), [x]))
    assert_same(ours(lambda x: A.glu(x, axis=axis), [x]), want)


# off the kink at 0, and off softplus's thresholds (β x = 20, or 1 with β = 3), where PyTorch's second
# derivative is 0
smooth_points = st.floats(-40, 40).map(
    lambda v: v + 0.25 if abs(v) < 1e-6 or v == 20 or v * 3 == 1 else v
)


@needs_torch
@pytest.mark.parametrize("key", SAME)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_equals_pytorch_anywhere(key, data):
    f, g = SAME[key]
    least = 1 if key.startswith(ALONG_AN_AXIS) else 0
    shape = data.draw(hnp.array_shapes(min_dims=least, max_dims=3, min_side=1, max_side=4))
    x = data.draw(hnp.arrays(np.float64, shape, elements=smooth_points))
    assert_same(ours(f, [x]), theirs(torch, g, [x]), rtol=1e-9, atol=1e-12)


@needs_torch
@settings(max_examples=40, deadline=None)
@given(
    x=st.lists(smooth_points, min_size=1, max_size=5),
    slope=st.floats(-3, 3),
    alpha=st.floats(-3, 3),
    beta=st.floats(0.05, 5),
    threshold=st.floats(0.5, 40),
)
def test_options_equal_pytorch(x, slope, alpha, beta, threshold):
    assume(all(beta * v != threshold for v in x))
    for f, g in (
        (lambda x: A.leaky_relu(x, slope), lambda x: F.leaky_relu(x, slope)),
        (lambda x: A.elu(x, alpha), lambda x: F.elu(x, alpha)),
        (lambda x: A.softplus(x, beta, threshold), lambda x: F.softplus(x, beta, threshold)),
    ):
        assert_same(ours(f, [x]), theirs(torch, g, [x]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "key,kinks",
    [("relu", [0.0]), ("leaky_relu-0.3", [0.0]), ("elu-0.3", [0.0]), ("selu", [0.0]), ("hard_swish", [-3.0, 3.0])],
)
def test_kinks_are_pytorchs(key, kinks):
    f, g = SAME[key]
    want = reference(f"activations/kink-{key}", lambda torch: theirs(torch, g, [np.array(kinks)])[:2])
    for a, b in zip(ours(f, [np.array(kinks)]), want):
        np.testing.assert_allclose(a, b, rtol=1e-15)


# --- what PyTorch lacks: the formulas, written out


def sigma(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 1.702, -2.0, [0.1, 0.2, 0.3, 0.4]])
def test_swish_is_the_formula(beta):
    np.testing.assert_allclose(A.swish(X, beta).numpy(), X * sigma(np.array(beta) * X), rtol=1e-13)
    b = Tensor(beta, requires_grad=True)
    np.testing.assert_array_equal(A.swish(X, b).numpy(), A.swish(X, beta).numpy())
    A.swish(X, b).sum().backward()
    s = sigma(np.array(beta) * X)
    slope = X * X * s * (1 - s)  # d/dbeta
    np.testing.assert_allclose(b.grad, slope.sum(axis=0) if b.ndim else slope.sum(), rtol=1e-11)


def test_limits_of_swish():
    np.testing.assert_array_equal(A.swish(X, 0.0).numpy(), X / 2)
    np.testing.assert_array_equal(A.swish(X, 1.0).numpy(), A.silu(X).numpy())
    np.testing.assert_array_equal(A.swish(X).numpy(), A.silu(X).numpy())
    np.testing.assert_allclose(A.swish(X, 1e5).numpy(), A.relu(X).numpy(), atol=1e-12)
    np.testing.assert_allclose(A.swish(X, -1e5).numpy(), -A.relu(-X).numpy(), atol=1e-12)
    np.testing.assert_array_equal(A.swish(X, 1.702).numpy(), A.gelu(X, approximate="sigmoid").numpy())


def test_gated_units_are_the_formulas():
    a, b = X[:, :2], X[:, 2:]
    relu, gelu = np.maximum(b, 0), b * erfc(-b / np.sqrt(2)) / 2
    for f, want in (
        (A.glu, a * sigma(b)),
        (A.bilinear, a * b),
        (A.reglu, a * relu),
        (A.geglu, a * gelu),
        (A.swiglu, a * b * sigma(b)),
        (lambda x, axis=-1: A.swiglu(x, 0.5, axis), a * b * sigma(b / 2)),
    ):
        np.testing.assert_allclose(f(X).numpy(), want, rtol=1e-12)
        np.testing.assert_allclose(f(X.T, axis=0).numpy(), want.T, rtol=1e-12)
        three = np.stack([X, 2 * X])  # leading axes
        np.testing.assert_allclose(f(three).numpy()[0], want, rtol=1e-12)


@pytest.mark.parametrize("f", [A.glu, A.bilinear, A.reglu, A.geglu, A.swiglu])
def test_gate_passes_the_gradient_of_the_linear_half(f):
    x = Tensor(X, requires_grad=True)
    f(x).sum().backward()
    gate = f(np.concatenate([np.ones((5, 2)), X[:, 2:]], axis=1)).numpy()
    np.testing.assert_allclose(x.grad[:, :2], gate, rtol=1e-12)  # d(a gate(b))/da


def test_swiglu_learns_beta():
    b = Tensor(1.5, requires_grad=True)
    A.swiglu(X, beta=b).sum().backward()
    s = sigma(1.5 * X[:, 2:])
    np.testing.assert_allclose(b.grad, (X[:, :2] * X[:, 2:] ** 2 * s * (1 - s)).sum(), rtol=1e-11)


# --- published figures


def gaussian_mean(f):
    density = lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi)  # noqa: E731
    return sum(quad(lambda z: f(z) * density(z), a, b, epsabs=1e-13)[0] for a, b in ((-20, 0), (0, 20)))


def test_selu_keeps_mean_0_and_variance_1():
    assert abs(gaussian_mean(lambda z: A.selu(z).item())) < 1e-9
    assert abs(gaussian_mean(lambda z: A.selu(z).item() ** 2) - 1) < 1e-9


@pytest.mark.parametrize(
    "f,at,least",
    [
        (A.silu, -1.27846, -0.27846),  # Elfwing et al. (2018): about -0.28 at about -1.28
        (A.mish, -1.19243, -0.30884),  # Misra (2019): bounded below by about -0.31
        (A.gelu, -0.75179, -0.16997),
    ],
)
def test_minima(f, at, least):
    x = np.linspace(-3, 0, 300001)
    y = f(x).numpy()
    assert abs(x[y.argmin()] - at) < 2e-5 and abs(y.min() - least) < 1e-5


def test_errors_of_gelus_approximations():
    x = np.linspace(-6, 6, 120001)
    exact = A.gelu(x).numpy()
    assert abs(np.abs(A.gelu(x, "tanh").numpy() - exact).max() - 4.73e-4) < 1e-6
    assert abs(np.abs(A.gelu(x, "sigmoid").numpy() - exact).max() - 0.0203) < 1e-4


def test_gelu_is_the_mean_of_masked_inputs():
    rng = np.random.default_rng(0)
    x = np.array([-1.0, 0.5, 2.0])
    masked = x * (rng.standard_normal((400_000, 3)) < x)  # kept with probability Phi(x)
    np.testing.assert_allclose(A.gelu(x).numpy(), masked.mean(axis=0), atol=4e-3)


def test_identities():
    np.testing.assert_allclose(A.tanh(X).numpy(), 2 * A.sigmoid(2 * X).numpy() - 1, atol=1e-15)
    np.testing.assert_allclose(A.softmax(X).numpy().sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(A.softmax(X + 7).numpy(), A.softmax(X).numpy(), rtol=1e-12)
    np.testing.assert_allclose(A.softmax(X[:, :2])[:, 0].numpy(), sigma(X[:, 0] - X[:, 1]), rtol=1e-12)
    np.testing.assert_allclose(A.softplus(X).numpy() - A.softplus(-X).numpy(), X, rtol=1e-12)
    np.testing.assert_allclose(A.softplus(X, beta=1e4).numpy(), A.relu(X).numpy(), atol=1e-12)
    p = A.softmax(X[0]).numpy()
    x = Tensor(X[0], requires_grad=True)
    y = A.softmax(x)
    rows = [grad(y, x, u, retain_graph=True).numpy() for u in np.eye(4)]
    np.testing.assert_allclose(rows, np.diag(p) - np.outer(p, p), atol=1e-15)


# --- numbers at the edge

ALL = {
    **{key: f for key, (f, _) in SAME.items()},
    "prelu": lambda x: A.prelu(x, 0.25),
    "swish-2": lambda x: A.swish(x, 2.0),
    "gelu-sigmoid": lambda x: A.gelu(x, "sigmoid"),
    **{f.__name__: f for f in (A.glu, A.bilinear, A.reglu, A.geglu, A.swiglu)},
}
EXTREME = {
    np.float16: [0, 6e-8, -6e-8, 1e-3, -1e-3, 1, -1, 20, -20, 100, -100, 1000, -1000, 3e4, -3e4, -0.0],
    np.float32: [0, 1e-45, -1e-45, 1e-3, -1e-3, 1, -1, 20, -20, 100, -100, 1000, -1000, 1e4, 1e30, -1e30],
    np.float64: [0, 5e-324, -5e-324, 1e-3, -1e-3, 1, -1, 20, -20, 700, -700, 1000, -1000, 1e4, 1e160, -1e160],
}  # fmt: skip


@pytest.mark.parametrize("dtype", EXTREME)
@pytest.mark.parametrize("key", ALL)
def test_nothing_overflows_and_dtypes_stay(key, dtype):
    gated = key in ("glu", "bilinear", "reglu", "geglu", "swiglu")
    values = np.array(EXTREME[dtype], dtype)
    x = np.stack([np.ones_like(values), values], axis=-1) if gated else values
    x = Tensor(x, requires_grad=True)
    y = ALL[key](x)
    (first,) = grad(y, [x], np.ones(y.shape, dtype), create_graph=True)
    assert y.dtype == first.dtype == dtype
    assert np.isfinite(y.numpy()).all() and np.isfinite(first.numpy()).all()
    if first.requires_grad:
        (second,) = grad(first, [x], np.ones(x.shape, dtype))
        assert second.dtype == dtype and np.isfinite(second.numpy()).all()


@pytest.mark.parametrize("dtype,rtol", [(np.float32, 2e-5), (np.float16, 2e-2)])
@pytest.mark.parametrize("key", ALL)
def test_low_precision_is_the_same_function(key, dtype, rtol):
    x = np.random.default_rng(3).uniform(-4, 4, (3, 6)).astype(dtype)
    got, want = ours(ALL[key], [x]), ours(ALL[key], [x.astype(np.float64)])
    for a, b in zip(got[:2], want[:2]):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


def test_tails_keep_their_digits():
    x = np.array([-5.0, -10.0, -20.0, -37.0])
    np.testing.assert_allclose(A.gelu(x).numpy(), x * erfc(-x / np.sqrt(2)) / 2, rtol=1e-12)
    np.testing.assert_allclose(A.sigmoid([-40.0, -700.0]).numpy(), np.exp([-40.0, -700.0]), rtol=1e-12)
    np.testing.assert_allclose(A.softplus([-40.0, -700.0]).numpy(), np.exp([-40.0, -700.0]), rtol=1e-12)
    np.testing.assert_allclose(A.elu([-1e-12]).numpy(), [-1e-12], rtol=1e-11)
    np.testing.assert_allclose(A.softplus(30.0, threshold=np.inf).item() - 30, np.exp(-30), rtol=0.1)
    np.testing.assert_allclose(A.gelu(-8.0, "tanh").item(), -8 * sigma(-2 * 0.7978845608028654 * (8 + 0.044715 * 512)), rtol=1e-11)  # fmt: skip
    assert A.sigmoid([-1000.0, 1000.0]).numpy().tolist() == [0, 1]
    np.testing.assert_allclose(A.log_softmax([0.0, -800.0]).numpy(), [0, -800])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_softmax_does_not_mind_a_constant(dtype):
    x = np.array([1000, 1000.5, 999], dtype)
    want = A.softmax(x - dtype(1000)).numpy()
    assert np.array_equal(A.softmax(x).numpy(), want)
    assert np.array_equal(A.log_softmax(x).numpy(), A.log_softmax(x - dtype(1000)).numpy())
    assert np.isfinite(A.logsumexp(x).numpy())


def test_minus_infinity_masks():
    x = Tensor([0.0, -np.inf, 1.0], requires_grad=True)
    for f in (A.softmax, A.logsumexp):
        x.grad = None
        f(x).sum().backward()
        assert np.isfinite(x.grad).all() and x.grad[1] == 0
    assert A.softmax(x).numpy()[1] == 0 and A.log_softmax(x).numpy()[1] == -np.inf
    nothing = Tensor([-np.inf, -np.inf], requires_grad=True)
    y = A.logsumexp(nothing)
    y.backward()
    assert y.item() == -np.inf and nothing.grad.tolist() == [0, 0]
    assert A.logsumexp([np.inf, 0.0]).item() == np.inf


def test_integers_become_floats():
    assert A.sigmoid(np.array([0], np.int8)).dtype == np.float64  # SciPy would give float16
    assert A.relu(Tensor([-1, 2])).dtype == np.float64
    assert A.gelu([True, False]).numpy().round(4).tolist() == [0.8413, 0]
    assert A.leaky_relu(np.array([-1.0], np.float32), np.float64(0.1)).dtype == np.float32
    assert A.elu(np.array([-1.0], np.float32), np.float64(0.1)).dtype == np.float32


def test_empty_arrays_have_empty_results():
    for key, f in ALL.items():
        if key not in ("logsumexp-0", "logsumexp-all", "logsumexp-none", "softmax-0", "log_softmax-0"):
            assert f(np.zeros((0, 2))).size == 0


# --- bad input

BAD = [
    (lambda: A.relu("abc"), TypeError, "relu: x must hold real numbers or booleans, got dtype <U3"),
    (lambda: A.relu([1j]), TypeError, "relu: x must hold real numbers or booleans, got dtype complex128"),
    (lambda: A.relu(None), TypeError, "relu: x must hold real numbers or booleans, got dtype object"),
    (lambda: A.gelu([[1.0], [1.0, 2.0]]), ValueError, "gelu: x must be an array of numbers, got a nested list whose rows differ in length"),
    (lambda: A.leaky_relu(X, "0.1"), TypeError, r"leaky_relu: negative_slope must be a number in \(-inf, inf\), got '0\.1'"),
    (lambda: A.leaky_relu(X, np.inf), ValueError, r"leaky_relu: negative_slope must be in \(-inf, inf\), got inf"),
    (lambda: A.elu(X, alpha=np.nan), ValueError, r"elu: alpha must be in \(-inf, inf\), got nan"),
    (lambda: A.elu(X, alpha=True), TypeError, r"elu: alpha must be a number in \(-inf, inf\), got True"),
    (lambda: A.softplus(X, beta=0), ValueError, r"softplus: beta must be in \(0, inf\), got 0"),
    (lambda: A.softplus(X, threshold=-1), ValueError, r"softplus: threshold must be in \(0, inf\], got -1"),
    (lambda: A.prelu(X, [0.1, 0.2]), ValueError, r"prelu: weight must hold one slope, or one for each of the 4 channels \(axis 1\) of x \(5, 4\), got shape \(2,\)"),
    (lambda: A.prelu(X, X), ValueError, "prelu: weight must hold one slope"),
    (lambda: A.prelu(X[0], [0.1] * 4), ValueError, "prelu: weight must hold one slope, or one for each of the 1 channels"),
    (lambda: A.prelu(X, []), ValueError, "prelu: weight must hold one slope"),
    (lambda: A.softmax(X, axis=2), ValueError, r"softmax: axis 2 is not one of the 2 axes of shape \(5, 4\)"),
    (lambda: A.softmax(X, axis=1.0), TypeError, "softmax: axis must be an integer, got 1.0"),
    (lambda: A.softmax(X, axis=None), TypeError, "softmax: axis must be an integer, got None"),
    (lambda: A.softmax(3.0), ValueError, r"softmax: axis -1 is not one of the 0 axes of shape \(\)"),
    (lambda: A.log_softmax(np.zeros((2, 0))), ValueError, r"log_softmax: axis -1 of shape \(2, 0\) is empty"),
    (lambda: A.logsumexp(X, (0, 0)), ValueError, r"logsumexp: axis \(0, 0\) names one twice"),
    (lambda: A.logsumexp(X, (0, -2)), ValueError, "names one twice"),
    (lambda: A.logsumexp(X, (0, 5)), ValueError, "logsumexp: axis 5 is not one of"),
    (lambda: A.logsumexp([], None), ValueError, r"logsumexp: x of shape \(0,\) is empty"),
    (lambda: A.swish(X, "1"), TypeError, r"swish: beta must be a number in \(-inf, inf\), got '1'"),
    (lambda: A.swish(X, np.nan), ValueError, r"swish: beta must be in \(-inf, inf\), got nan"),
    (lambda: A.swish(X, [1.0, 2.0]), ValueError, r"swish: beta must broadcast to the \(5, 4\) of x, got shape \(2,\)"),
    (lambda: A.swish(X[0], X), ValueError, "swish: beta must broadcast"),
    (lambda: A.swiglu(X, beta=[1.0] * 4), ValueError, r"swiglu: beta must broadcast to the \(5, 2\) of x"),
    (lambda: A.gelu(X, approximate="erf"), ValueError, 'gelu: approximate must be "none", "tanh" or "sigmoid", got \'erf\''),
    (lambda: A.glu(X, axis=0), ValueError, r"glu: axis 0 of shape \(5, 4\) is split in two halves, so its size must be even, got 5"),
    (lambda: A.glu(X, axis=2), ValueError, "glu: axis 2 is not one of"),
    (lambda: A.glu(1.0), ValueError, "glu: axis -1 is not one of the 0 axes"),
    (lambda: A.reglu(np.zeros((3, 0))), ValueError, r"reglu: axis -1 of shape \(3, 0\) is empty"),
]  # fmt: skip


@pytest.mark.parametrize("call,error,message", BAD)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


@settings(max_examples=60, deadline=None)
@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    axis=st.integers(-5, 5),
)
def test_axes_that_fit_work_and_others_are_refused(shape, axis):
    x = np.ones(shape)
    fits = -len(shape) <= axis < len(shape) and shape[axis] > 0
    for f in (A.softmax, A.log_softmax, A.logsumexp):
        if fits:
            f(x, axis=axis)
        else:
            with pytest.raises(ValueError, match=f"{f.__name__}: axis {axis} "):
                f(x, axis=axis)
    for f in (A.glu, A.bilinear, A.reglu, A.geglu):
        if fits and shape[axis] % 2 == 0:
            assert f(x, axis=axis).shape[axis] == shape[axis] // 2
        else:
            with pytest.raises(ValueError, match=f"{f.__name__}: axis "):
                f(x, axis=axis)
