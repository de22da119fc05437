"""BFGS and L-BFGS: the secant equation, and what is remembered."""

import math

import numpy as np
import pytest
from objectives import gradient, parallel, rosenbrock

from minigrad import hessian, minimize


def bfgs_replayed(path, scaling="first"):
    """H after each step, by the product form of the update, from the points alone."""
    H, history = None, []
    n = path.shape[1]
    for x, x_next in zip(path, path[1:]):
        s, y = x_next - x, gradient(rosenbrock, x_next) - gradient(rosenbrock, x)
        rho = 1 / (y @ s)
        if H is None:
            H = np.eye(n) * (s @ y / (y @ y) if scaling == "first" else 1)
        V = np.eye(n) - rho * np.outer(s, y)
        H = V @ H @ V.T + rho * np.outer(s, s)
        history.append((s, y, H))
    return history


@pytest.mark.parametrize("scaling", ["first", "none"])
def test_bfgs_keeps_the_secant_equation_at_every_step(scaling):
    x0 = [-1.2, 1.0, 0.5, 2.0]
    whole = minimize(rosenbrock, x0, method="bfgs", scaling=scaling)
    history = bfgs_replayed(whole.path, scaling)
    for k in [*range(1, 12), whole.nit]:
        part = minimize(rosenbrock, x0, method="bfgs", scaling=scaling, maxiter=k)
        s, y, H = history[k - 1]
        assert (part.path == whole.path[: k + 1]).all()
        scale = np.abs(part.hess_inv).max()
        np.testing.assert_allclose(part.hess_inv @ y, s, atol=1e-9 * np.abs(s).max())
        np.testing.assert_allclose(part.hess_inv, part.hess_inv.T, atol=1e-13 * scale)
        assert np.linalg.eigvalsh(part.hess_inv)[0] > 0
        np.testing.assert_allclose(part.hess_inv, H, atol=1e-6 * scale)
    # and at the minimum it resembles what it approximates
    true = np.linalg.inv(hessian(rosenbrock, whole.x).data)
    assert np.linalg.norm(whole.hess_inv - true) < 0.2 * np.linalg.norm(true)


def test_bfgs_steps_along_minus_H_g():
    result = minimize(rosenbrock, [-1.2, 1.0, 0.5, 2.0], method="bfgs", maxiter=15)
    history = bfgs_replayed(result.path)
    first = result.path[1] - result.path[0]
    assert parallel(first, -gradient(rosenbrock, result.path[0]))
    for (_, _, H), x, x_next in zip(history, result.path[1:], result.path[2:]):
        assert parallel(x_next - x, -H @ gradient(rosenbrock, x))


@pytest.mark.parametrize("scaling", ["first", "none"])
def test_l_bfgs_that_forgets_nothing_is_bfgs(scaling):
    """Two forms of the same step: equal until rounding, which the method amplifies, parts them."""
    x0 = [-1.2, 1.0, 0.5, 2.0]
    full = minimize(rosenbrock, x0, method="bfgs", scaling=scaling, maxiter=20)
    limited = minimize(rosenbrock, x0, method="l-bfgs", scaling=scaling, memory=20, maxiter=20)
    np.testing.assert_allclose(limited.path, full.path, rtol=1e-6, atol=1e-8)
    short = minimize(rosenbrock, x0, method="l-bfgs", scaling=scaling, memory=2, maxiter=20)
    np.testing.assert_allclose(short.path[:4], full.path[:4], rtol=1e-9)  # nothing forgotten yet
    assert np.abs(short.path - full.path).max() > 1e-3


def test_l_bfgs_keeps_ten_steps_by_default():
    paths = {
        m: minimize(rosenbrock, [0.5, -1.0] * 3, method="l-bfgs", **m_).path
        for m, m_ in [(None, {}), (10, {"memory": 10}), (9, {"memory": 9})]
    }
    np.testing.assert_array_equal(paths[None], paths[10])
    assert paths[None].shape != paths[9].shape or (paths[None] != paths[9]).any()


@pytest.mark.parametrize("memory", [1, 3, 10])
def test_l_bfgs_steps_along_the_bfgs_matrix_of_the_last_pairs(memory):
    """Dense BFGS started from γI, γ from the latest pair, over the last `memory` pairs."""
    result = minimize(rosenbrock, [-1.2, 1.0, 0.5, 2.0], method="l-bfgs", memory=memory, maxiter=14)
    gs = [gradient(rosenbrock, x) for x in result.path]
    pairs = list(zip(np.diff(result.path, axis=0), np.diff(gs, axis=0)))
    for k in range(1, 14):
        s, y = pairs[k - 1]
        H = np.eye(4) * (s @ y) / (y @ y)
        for s, y in pairs[max(0, k - memory) : k]:
            V = np.eye(4) - np.outer(s, y) / (y @ s)
            H = V @ H @ V.T + np.outer(s, s) / (y @ s)
        assert parallel(pairs[k][0], -H @ gs[k])


def test_a_step_along_which_the_slope_falls_is_not_learnt():
    """y·s <= 0 contradicts H > 0: backtracking can produce it, and BFGS must skip it."""
    x0 = [0.3, 0.2]
    result = minimize(
        lambda x: np.cos(x).sum(), x0, method="bfgs", line_search="backtracking", maxiter=1
    )
    s, y = result.path[1] - result.path[0], -np.sin(result.path[1]) + np.sin(result.path[0])
    assert s @ y < 0 and result.hess_inv is None
    for method in ["bfgs", "l-bfgs"]:
        result = minimize(lambda x: np.cos(x).sum(), x0, method=method, line_search="backtracking")
        np.testing.assert_allclose(result.x, math.pi, atol=1e-5)
