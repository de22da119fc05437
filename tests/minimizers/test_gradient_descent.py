"""Gradient descent, and the loop that all methods share."""

import math

import numpy as np
import pytest
from objectives import A8, b8, quadratic

from minigrad import minimize


def test_fixed_steps_are_powers_of_a_matrix():
    """x_k − x* = (I − lr A)^k (x_0 − x*), which shrinks exactly if lr < 2 / L."""
    x0, place = np.ones(8), np.linalg.solve(A8, b8)
    L = np.linalg.eigvalsh(A8)[-1]
    result = minimize(quadratic, x0, method="gradient-descent", lr=1.5 / L, maxiter=25, gtol=0)
    M = np.eye(8) - 1.5 / L * A8
    for k, x in enumerate(result.path):
        want = place + np.linalg.matrix_power(M, k) @ (x0 - place)
        np.testing.assert_allclose(x, want, rtol=1e-10, atol=1e-12)
    assert result.nit == 25 and not result.success and "maxiter = 25" in result.message
    assert minimize(quadratic, x0, method="gradient-descent", lr=1.99 / L, maxiter=9999).success
    result = minimize(quadratic, x0, method="gradient-descent", lr=2.2 / L, maxiter=9999)
    assert not result.success and "the steps with lr" in result.message
    assert np.isfinite(result.x).all() and np.isfinite(result.fun)


def test_a_direction_that_goes_uphill_is_replaced():
    """Undamped Newton steps where f curves down point uphill; the line search gets −∇f instead."""
    result = minimize(lambda x: np.cos(x).sum(), [0.3, 1.0], method="newton", damping=False)
    np.testing.assert_allclose(result.x, [math.pi, math.pi], atol=1e-5)
    falls = np.diff([np.cos(x).sum() for x in result.path])
    assert result.success and (falls < 0).all()


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs", "cg"])
def test_where_no_step_satisfies_wolfe_the_descent_goes_on_along_the_gradient(method):
    result = minimize(lambda x: abs(x - 0.3).sum(), [1.0, 2.0], method=method)
    assert result.fun < 1e-8 and result.nit > 1


@pytest.mark.parametrize(("f", "obstacle"), [
    (lambda x: (x[0] ** 2 + 1e-8 * (x[1] - 9) ** 2) * 1e-3, "the curvatures there differ by a factor of 1e+08: measure x in other units"),
    (lambda x: (x[0] + x[1] - 1) ** 2 + 1e-7 * (x[0] - x[1]) ** 2, "the curvatures there differ by a factor of 1e+07"),
    (lambda x: x[0] ** 2 / 2 - np.cos(x[1] - 0.1), ""),
    (lambda x: x[0] ** 2 / 2 + np.cos(x[1] - 1), "f curves down there (an eigenvalue is -5.4e-01), as at no minimum"),
    (lambda x: x[0] ** 2 + x[1], "in some direction f does not curve there, within rounding"),
    (lambda x: (0.7 * x[0] + 1.3 * x[1] - 3) ** 2, "in some direction f does not curve there, within rounding"),
    (lambda x: x[0] + x[1], ""),
    # the two singular values are equal, and second derivatives raise an error
    (lambda x: np.linalg.svd(x[0] * np.eye(2), compute_uv=False).sum() + x[1], ""),
])  # fmt: skip
def test_a_failure_names_what_stands_in_the_way(f, obstacle):
    result = minimize(f, [1.0, 0.0], method="gradient-descent", maxiter=1, lr=1e-6, gtol=1e-12)
    size = np.abs(result.jac).max()
    message = f"maxiter = 1 steps were not enough: max |∇f| = {size:.1e}"
    assert not result.success
    assert result.message == message + (f"; {obstacle}" if obstacle else "")
