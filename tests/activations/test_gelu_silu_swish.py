"""GELU, SiLU, Swish, Mish: the formulas and published figures."""

import numpy as np
import pytest
from activation_inputs import X, sigma

from compares import compares
from minigrad import Tensor
from minigrad import activations as A


@compares("Ramachandran, Zoph & Le 2017", "activations.swish")
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
