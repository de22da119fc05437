"""Activations of very large and very small numbers, in every precision."""

import numpy as np
import pytest
from activation_inputs import SAME, sigma
from scipy.special import erfc

from derivatives import ours
from minigrad import Tensor, grad
from minigrad import activations as A

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


# the limits at −∞ and ∞ of the value, and of the slope there
LIMITS = {
    "relu": (0, 0, np.inf, 1), "leaky_relu": (-np.inf, 0.01, np.inf, 1), "elu": (-1, 0, np.inf, 1),
    "softplus": (0, 0, np.inf, 1), "sigmoid": (0, 0, 1, 0), "tanh": (-1, 0, 1, 0),
    "gelu": (0, 0, np.inf, 1), "gelu-tanh": (0, 0, np.inf, 1), "gelu-sigmoid": (0, 0, np.inf, 1),
    "silu": (0, 0, np.inf, 1), "swish-2": (0, 0, np.inf, 1), "mish": (0, 0, np.inf, 1),
    "hard_swish": (0, 0, np.inf, 1),
}  # fmt: skip


@pytest.mark.parametrize("dtype", EXTREME)
@pytest.mark.parametrize("key", LIMITS)
def test_infinite_inputs_have_the_limits(key, dtype):
    f = ALL.get(key) or {"gelu-tanh": lambda x: A.gelu(x, "tanh")}.get(key) or getattr(A, key)
    x = Tensor(np.array([-np.inf, np.inf], dtype), requires_grad=True)
    y = f(x)
    y.backward(np.ones(2, dtype))
    low, low_slope, high, high_slope = np.array(LIMITS[key], dtype)
    assert y.data.tolist() == [low, high] and y.dtype == dtype
    assert x.grad.tolist() == [low_slope, high_slope]


def test_one_infinite_logit_takes_all():
    inf = np.inf
    for x, p in ([0, inf, -inf], [0, 1, 0]), ([-inf, 3, -inf], [0, 1, 0]), ([inf], [1]):
        x = Tensor(np.array([x, np.arange(len(x))], float), requires_grad=True)
        assert A.softmax(x).numpy()[0].tolist() == p
        with np.errstate(divide="ignore"):
            assert A.log_softmax(x).numpy()[0].tolist() == np.log(p).tolist()
        lse = A.logsumexp(x)
        assert lse.numpy()[0] == x.numpy()[0].max()
        np.testing.assert_allclose(grad(lse.sum(), x).numpy(), A.softmax(x).numpy(), rtol=1e-15)
    for x in [inf, inf, 0], [-inf, -inf]:  # no limit: any p could be meant
        with np.errstate(all="ignore"):
            assert np.isnan(A.softmax(x).numpy()).all()
            assert np.isnan(A.log_softmax(x).numpy()[:2]).all()
    assert A.logsumexp([-inf, -inf]).item() == -inf


@pytest.mark.parametrize("size", [0, 1e4, 1e10, 1e30])
def test_the_slopes_of_logsumexp_are_softmax_however_large(size):
    """exp(x - y) is not: in float32 PyTorch has slopes of 1 and 1 at (1e10, 1e10)."""
    x = Tensor(np.array([[1, 1, 0], [0, 0.5, 0]], np.float32) + np.float32(size), requires_grad=True)
    p = grad(A.logsumexp(x).sum(), x).numpy()
    np.testing.assert_allclose(p, A.softmax(x).numpy(), rtol=1e-6)
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-6)
