"""Gated linear units: the formulas, and the path of the gradient."""

import numpy as np
import pytest
from activation_inputs import X, sigma
from scipy.special import erfc

from compares import compares
from minigrad import Tensor
from minigrad import activations as A


@compares(
    "Shazeer 2020",
    "activations.bilinear", "activations.reglu", "activations.geglu", "activations.swiglu",
)  # fmt: skip
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
