"""Minimizers against scipy.optimize, their textbook properties, and what can go wrong."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, grad, hessian, jacobian, minimize, no_grad
from minigrad.minimizers import backtracking, line_search, linear_cg, newton, problem, strong_wolfe
from minigrad.minimizers.methods import METHODS, OPTIONS

UNCONSTRAINED = ["gradient-descent", "newton", "newton-cg", "bfgs", "l-bfgs", "cg"]
CONSTRAINED = ["newton-kkt", "augmented-lagrangian"]


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def beale(z):
    x, y = z[0], z[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def powell(x):  # the Hessian at the minimum is singular
    a, b, c, d = x[0], x[1], x[2], x[3]
    return (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4


def wood(x):
    a, b, c, d = x[0], x[1], x[2], x[3]
    ravines = 100 * (b - a**2) ** 2 + (1 - a) ** 2 + 90 * (d - c**2) ** 2 + (1 - c) ** 2
    return ravines + 10 * (b + d - 2) ** 2 + 0.1 * (b - d) ** 2


def saddle(x):
    return x[0] ** 2 / 2 - x[1] ** 2 / 2 + x[1] ** 4 / 4


def positive_definite(n, condition=30.0, seed=0):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return Q * np.geomspace(1, condition, n) @ Q.T


A8, b8 = positive_definite(8), np.random.default_rng(1).normal(size=8)
A8 = (A8 + A8.T) / 2
_rng = np.random.default_rng(2)
X, w = _rng.normal(size=(80, 5)), _rng.normal(size=5)
labels = np.where(X @ w + 0.5 * _rng.normal(size=80) > 0, 1.0, -1.0)


def quadratic(x):
    return x @ A8 @ x / 2 - b8 @ x


def logistic(x):
    return np.logaddexp(0, -labels * (X @ x)).mean() + 0.005 * (x @ x)


# name: (f, start, the place of the minimum or None if it is not known in closed form)
PROBLEMS = {
    "rosenbrock": (rosenbrock, [-1.2, 1.0], [1, 1]),
    "rosenbrock-6": (rosenbrock, [0.5, -0.3, 0.8, 0.2, -0.1, 0.4], [1] * 6),
    "beale": (beale, [1.0, 1.5], [3, 0.5]),
    "powell": (powell, [3.0, -1.0, 0.0, 1.0], [0, 0, 0, 0]),
    "wood": (wood, [0.5, 0.5, 0.5, 0.5], [1, 1, 1, 1]),
    "quadratic": (quadratic, [0.0] * 8, np.linalg.solve(A8, b8)),
    "logistic": (logistic, [0.0] * 5, None),
    "saddle": (saddle, [1.8, 0.001], [0, 1]),
}
SCIPYS = {
    "newton": "trust-exact",
    "newton-cg": "Newton-CG",
    "bfgs": "BFGS",
    "l-bfgs": "L-BFGS-B",
    "cg": "CG",
}


def value(f, x):
    return f(Tensor(x)).item()


def gradient(f, x):
    x = Tensor(x, requires_grad=True)
    return grad(f(x), x).data


@pytest.mark.parametrize("method", SCIPYS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_same_minimum_as_scipy_in_as_many_steps(name, method):
    f, x0, place = PROBLEMS[name]
    options = {"xtol": 1e-8} if method == "newton-cg" else {"gtol": 1e-5}
    if method == "l-bfgs":
        options["ftol"] = 1e-15
    more = {"hess": lambda x: hessian(f, x).data} if method.startswith("newton") else {}

    def both(x0):
        theirs = scipy.optimize.minimize(
            lambda x: value(f, x),
            x0,
            jac=lambda x: gradient(f, x),
            method=SCIPYS[method],
            options=options,
            **more,
        )
        return minimize(f, x0, method=method), theirs

    ours, theirs = both(x0)
    assert ours.success, ours.message
    assert np.abs(gradient(f, ours.x)).max() <= 1e-5
    # |∇f| is within 1e-5 where x is still that far from the minimum, by the curvature there
    atol = {"powell": 0.1, "logistic": 2e-3}.get(name, 1e-4)
    np.testing.assert_allclose(ours.fun, theirs.fun, atol=1e-7 if name == "powell" else 1e-8)
    x, x_theirs = (abs(r.x) if name == "saddle" else r.x for r in (ours, theirs))  # two minima
    np.testing.assert_allclose(x, x_theirs, atol=atol)
    if place is not None:
        np.testing.assert_allclose(x, place, atol=atol)
    runs = [(ours, theirs)]
    if (name, method) == ("powell", "cg"):
        # from starts 1e-9 apart, either takes between 35 and 130 steps: so compare the medians
        noise = 1e-9 * np.random.default_rng(0).standard_normal((20, 4))
        runs = [both(np.array(x0) * (1 + e)) for e in noise]
    nit, nfev = np.median([[(r.nit, r.nfev) for r in run] for run in runs], axis=0).T
    assert nit[0] <= 1.5 * nit[1] + 10 and nfev[0] <= 2 * nfev[1] + 15


@pytest.mark.parametrize("line_search", ["strong_wolfe", "backtracking"])
@pytest.mark.parametrize("method", UNCONSTRAINED)
@pytest.mark.parametrize("name", ["quadratic", "logistic", "saddle", "beale"])
def test_every_method_with_every_line_search(name, method, line_search):
    f, x0, place = PROBLEMS[name]
    result = minimize(f, x0, method=method, line_search=line_search, gtol=1e-8, maxiter=4000)
    assert result.success, result.message
    if place is None:
        place = minimize(f, x0, method="newton", gtol=1e-12).x
    np.testing.assert_allclose(result.x, place, atol=1e-6)


def test_a_result_says_what_happened():
    calls = []

    def f(x):
        calls.append(x.numpy().copy())
        return rosenbrock(x)

    result = minimize(f, [-1.2, 1.0], method="bfgs")
    assert result.nfev == len(calls) == result.njev  # strong Wolfe looks at every trial's slope
    assert result.nhev == 0
    armijo = minimize(f, [-1.2, 1.0], method="bfgs", line_search="backtracking")
    assert armijo.nit + 1 == armijo.njev < armijo.nfev == len(calls) - result.nfev
    assert result.path.shape == (result.nit + 1, 2)
    assert result.path[0].tolist() == [-1.2, 1.0] and (result.path[-1] == result.x).all()
    assert result.fun == value(rosenbrock, result.x)
    np.testing.assert_array_equal(result.jac, gradient(rosenbrock, result.x))
    falls = np.diff([value(rosenbrock, x) for x in result.path])
    assert (falls < 0).all()  # a line search never lets f rise
    assert result.message.startswith("the gradient vanishes: max |∇f| = ")
    assert minimize(rosenbrock, [-1.2, 1.0]).nit == result.nit  # the default method


def test_shapes_dtypes_and_kinds_of_start():
    target = np.arange(6.0).reshape(2, 3)
    for x0 in [np.zeros((2, 3)), np.zeros((2, 3), int), Tensor(np.zeros((2, 3))), [[0] * 3] * 2]:
        for method in UNCONSTRAINED:
            result = minimize(lambda x: ((x - target) ** 2).sum(), x0, method=method)
            np.testing.assert_allclose(result.x, target, atol=1e-5)
            assert result.jac.shape == (2, 3) and result.path.shape[1:] == (2, 3)
    for method in UNCONSTRAINED:
        result = minimize(lambda x: (x - 2.0) ** 2 + 1.0, 5.0, method=method)
        assert result.x.shape == () and math.isclose(result.x, 2.0, abs_tol=1e-5)
        start = np.array([1.8, 0.3], np.float32)
        result = minimize(saddle, start, method=method, gtol=1e-4)
        assert result.success and result.x.dtype == result.path.dtype == np.float32
        assert start.tolist() == np.array([1.8, 0.3], np.float32).tolist()
    for method in CONSTRAINED:
        result = minimize(
            lambda x: ((x - 1) ** 2).sum(),
            start,
            method=method,
            gtol=1e-4,
            constraints=[
                {"type": "eq", "fun": lambda x: x[0] - 0.5},
                {"type": "ineq", "fun": lambda x: 0.7 - x},
            ],
        )
        assert result.success and result.x.dtype == np.float32
        np.testing.assert_allclose(result.x, [0.5, 0.7], atol=1e-3)


# --- gradient descent


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


# --- Newton


def test_newtons_digits_double():
    """For f = e^x − 2x:  e_{k+1} / e_k² → f''' / (2 f'') = 1/2."""
    result = minimize(
        lambda x: np.exp(x) - 2 * x, 1.5, method="newton", lr=1.0, damping=False, gtol=1e-15
    )
    errors = np.abs(result.path - math.log(2))
    errors = errors[errors > 1e-7]
    ratios = errors[1:] / errors[:-1] ** 2
    assert len(ratios) >= 3 and abs(ratios[-1] - 0.5) < 0.01
    assert abs(result.x - math.log(2)) < 1e-15


@pytest.mark.parametrize("line_search", ["strong_wolfe", "backtracking"])
def test_newtons_digits_double_behind_a_line_search_too(line_search):
    result = minimize(rosenbrock, [-1.2, 1.0], method="newton", gtol=1e-13, line_search=line_search)
    errors = np.linalg.norm(result.path - 1, axis=1)
    assert errors[-1] < 1e-14 and result.nit < 30
    last = errors[(errors < 1e-2) & (errors > 1e-15)]
    assert len(last) >= 2 and (last[1:] <= 500 * last[:-1] ** 2 + 1e-15).all()


def test_newton_solves_a_quadratic_in_one_step():
    for options in [{}, {"lr": 1.0, "damping": False}]:
        result = minimize(quadratic, np.ones(8), method="newton", gtol=1e-10, **options)
        assert result.nit == 1 and result.success


def test_pure_newton_goes_to_a_saddle_and_says_so_damped_newton_leaves():
    pure = minimize(saddle, [1.8, 0.1], method="newton", lr=1.0, damping=False)
    np.testing.assert_allclose(pure.x, 0, atol=1e-6)
    assert not pure.success and "saddle point or maximum" in pure.message
    assert "eigenvalue -1" in pure.message
    damped = minimize(saddle, [1.8, 0.1], method="newton")
    assert damped.success and damped.fun == pytest.approx(-0.25)
    # exactly on a maximum there is nothing to go by, and no success either
    assert not minimize(lambda x: np.cos(x).sum(), [0.0, 0.0], method="newton").success
    assert minimize(lambda x: np.cos(x).sum(), [0.0, 0.0], method="bfgs").success  # as documented


def test_the_shift_makes_the_hessian_positive_definite_and_is_0_if_it_is():
    rng = np.random.default_rng(3)
    for n in [1, 2, 5]:
        for _ in range(30):
            H = rng.normal(size=(n, n))
            H = (H + H.T) / 2
            least = np.linalg.eigvalsh(H)[0]
            tau = newton.shift(H)
            if least > 1e-6:
                assert tau == 0
            elif least < -1e-6:
                assert tau == pytest.approx(-2 * least)  # least eigenvalue: from −λ to λ
            assert np.linalg.eigvalsh(H + tau * np.eye(n))[0] > 0
    assert np.linalg.eigvalsh(newton.shift(np.zeros((2, 2))) * np.eye(2))[0] > 0
    H = np.diag([1.0, 0.0])
    assert 0 < newton.shift(H) < 1e-6


def test_a_direction_that_goes_uphill_is_replaced():
    """Undamped Newton steps where f curves down point uphill; the line search gets −∇f instead."""
    result = minimize(lambda x: np.cos(x).sum(), [0.3, 1.0], method="newton", damping=False)
    np.testing.assert_allclose(result.x, [math.pi, math.pi], atol=1e-5)
    falls = np.diff([np.cos(x).sum() for x in result.path])
    assert result.success and (falls < 0).all()


# --- Newton-CG


def test_newton_cg_meets_its_forcing_term_and_builds_no_hessian(monkeypatch):
    def refuse(*args):
        raise AssertionError("a Hessian was built")

    monkeypatch.setattr(problem, "hessian", refuse)
    tolerances = []
    real = newton.linear_cg

    def spy(A, b, rtol, maxiter):
        found = real(A, b, rtol=rtol, maxiter=maxiter)
        residual = np.linalg.norm(A(found.x) - b)
        assert residual <= rtol * np.linalg.norm(b) * (1 + 1e-9)
        assert rtol == min(0.5, math.sqrt(np.linalg.norm(b)))
        tolerances.append(rtol)
        return found

    monkeypatch.setattr(newton, "linear_cg", spy)
    result = minimize(logistic, np.ones(5), method="newton-cg", gtol=1e-10)
    assert result.success and result.nhev > 0 and len(tolerances) == result.nit
    with pytest.raises(AssertionError, match="a Hessian was built"):
        minimize(logistic, np.ones(5), method="newton")


def test_hessian_vector_products_are_the_hessians():
    at = problem.Point(problem.Function(rosenbrock, (6,)), np.linspace(-1, 1, 6))
    product, H = at.hvp(), at.hessian()
    np.testing.assert_allclose(H, H.T, atol=1e-12)
    np.testing.assert_allclose([product(e) for e in np.eye(6)], H, rtol=1e-12, atol=1e-12)


# --- quasi-Newton


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


def parallel(a, b):
    return a @ b >= (1 - 1e-9) * np.linalg.norm(a) * np.linalg.norm(b)


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


# --- conjugate gradients


@pytest.mark.parametrize("beta", ["fletcher-reeves", "polak-ribiere"])
def test_cg_steps_along_its_formula(beta):
    result = minimize(rosenbrock, [-1.2, 1.0, 0.5, 2.0], method="cg", beta=beta, maxiter=17)
    gs = [gradient(rosenbrock, x) for x in result.path]
    p = -gs[0]
    for k, step in enumerate(np.diff(result.path, axis=0)):
        if k:
            g, old = gs[k], gs[k - 1]
            b = g @ g if beta == "fletcher-reeves" else max(g @ (g - old), 0)
            p = -g + (k % 5 != 0) * b / (old @ old) * p  # afresh every n + 1 = 5 steps
        assert parallel(step, p)


def test_cg_ends_a_quadratic_in_few_steps():
    for beta in ["fletcher-reeves", "polak-ribiere"]:
        result = minimize(quadratic, np.zeros(8), method="cg", beta=beta, gtol=1e-6)
        assert result.success and result.nit <= 3 * 8


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_linear_cg_ends_in_n_steps_along_conjugate_directions(n):
    A, b = positive_definite(n, seed=n), np.random.default_rng(n).normal(size=n)
    A = (A + A.T) / 2
    result = linear_cg(A, b, rtol=1e-9)
    assert result.success and result.nit <= n
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), rtol=1e-7)
    directions = np.diff(result.path, axis=0)
    C = directions @ A @ directions.T
    assert np.abs(C - np.diag(np.diag(C))).max() <= 1e-8 * np.abs(C).max()
    residuals = b - result.path[:-1] @ A
    R = residuals @ residuals.T
    assert np.abs(R - np.diag(np.diag(R))).max() <= 1e-8 * np.abs(R).max()
    assert result.fun == pytest.approx(result.x @ A @ result.x / 2 - b @ result.x)
    np.testing.assert_allclose(result.jac, A @ result.x - b, atol=1e-9)


def test_linear_cg_is_best_in_every_krylov_space():
    """x_k has the least ½xᵀAx − bᵀx among the combinations of b, Ab, …, A^{k−1}b."""
    result = linear_cg(A8, b8, rtol=1e-12)
    K = np.stack([np.linalg.matrix_power(A8, k) @ b8 for k in range(8)], axis=1)
    for k in range(1, 7):
        Q, _ = np.linalg.qr(K[:, :k])
        best = Q @ np.linalg.solve(Q.T @ A8 @ Q, Q.T @ b8)
        np.testing.assert_allclose(result.path[k], best, rtol=1e-7, atol=1e-9)


def test_linear_cg_needs_a_step_for_each_distinct_eigenvalue():
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 30)))
    A = Q * np.repeat([1.0, 7.0, 100.0], 10) @ Q.T
    result = linear_cg(A + A.T, np.ones(30), rtol=1e-9)
    assert result.success and result.nit == 3 and result.nfev == 3


def test_linear_cg_is_as_fast_as_its_bound():
    """|x_k − x*|_A <= 2 ((√κ − 1)/(√κ + 1))^k |x_0 − x*|_A"""
    for condition in [4, 100, 2500]:
        A, b = positive_definite(60, condition), np.ones(60)
        A = (A + A.T) / 2
        result = linear_cg(A, b, rtol=1e-10, maxiter=200)
        error = result.path - np.linalg.solve(A, b)
        energy = np.sqrt(np.einsum("ki,ij,kj->k", error, A, error))
        q = (math.sqrt(condition) - 1) / (math.sqrt(condition) + 1)
        k = np.arange(len(energy))
        assert (energy <= 2 * q**k * energy[0] * (1 + 1e-6) + 1e-8 * energy[0]).all()


def test_linear_cg_takes_scipys_steps():
    A = positive_definite(40, 1e3)
    A, b, d = (A + A.T) / 2, np.linspace(-1, 1, 40), np.linspace(1, 9, 40)
    for M in [None, lambda r: r / d]:
        steps = [np.zeros(40)]
        operator = None if M is None else scipy.sparse.linalg.LinearOperator((40, 40), matvec=M)
        scipy.sparse.linalg.cg(
            A,
            b,
            rtol=1e-8,
            maxiter=30,
            M=operator,
            callback=lambda x, steps=steps: steps.append(x.copy()),
        )
        result = linear_cg(A, b, preconditioner=M, rtol=1e-8, maxiter=30)
        np.testing.assert_allclose(result.path, steps, rtol=1e-6, atol=1e-9)
    # the same through a function, Tensors, and from another start
    again = linear_cg(lambda v: Tensor(A @ v), Tensor(b), x0=result.x, rtol=1e-8)
    np.testing.assert_allclose(again.x, np.linalg.solve(A, b), rtol=1e-4)
    assert again.success and (again.path[0] == result.x).all()


def test_linear_cg_is_as_exact_as_scipys_by_default():
    A, b = positive_definite(60, 1e3), np.ones(60)
    A, steps = (A + A.T) / 2, []
    scipy.sparse.linalg.cg(A, b, callback=steps.append)
    assert linear_cg(A, b).nit == len(steps) > linear_cg(A, b, rtol=1e-4).nit


def test_preconditioning_is_cg_in_other_coordinates():
    L = np.diag(np.linspace(1, 4, 8))  # M = L Lᵀ;  x = L⁻ᵀ u turns A into L⁻¹ A L⁻ᵀ
    inverse = np.linalg.inv(L)
    there = linear_cg(inverse @ A8 @ inverse.T, inverse @ b8, rtol=1e-13)
    here = linear_cg(A8, b8, preconditioner=lambda r: inverse.T @ inverse @ r, rtol=1e-13)
    np.testing.assert_allclose(here.path[:7], there.path[:7] @ inverse, rtol=1e-8, atol=1e-10)
    exact = linear_cg(A8, b8, preconditioner=lambda r: np.linalg.solve(A8, r))
    assert exact.nit == 1 and exact.success


def test_linear_cg_says_what_it_could_not_do():
    result = linear_cg(np.diag([1.0, -2.0]), [1.0, 1.0])
    assert not result.success and "A is not positive definite" in result.message
    assert not linear_cg(lambda v: np.full(2, np.nan), [1.0, 1.0]).success
    result = linear_cg(np.eye(2), [1.0, 1.0], preconditioner=lambda r: -r)
    assert not result.success and "preconditioner is not positive definite" in result.message
    result = linear_cg(A8, b8, maxiter=2)
    assert not result.success and "maxiter = 2" in result.message and result.nit == 2
    result = linear_cg(A8, b8, x0=np.ones(8), maxiter=2)
    assert result.fun == pytest.approx(result.x @ A8 @ result.x / 2 - b8 @ result.x)
    np.testing.assert_allclose(result.jac, A8 @ result.x - b8, atol=1e-12)
    result = linear_cg(A8, np.zeros(8))
    assert result.success and result.nit == 0 and not result.x.any()
    result = linear_cg(A8.astype(np.float32), b8.astype(np.float32))
    assert result.success and result.x.dtype == np.float32


@pytest.mark.parametrize(
    "A,b,options,message",
    [
        (np.eye(2), [1.0, 2.0, 3.0], {}, r"A must be \(3, 3\) to fit b, got \(2, 2\)"),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), [1.0, 1.0], {}, r"symmetric and finite, got max .* 2"),
        (np.array([[1.0, np.nan], [0.0, 1.0]]), [1.0, 1.0], {}, "symmetric and finite"),
        (np.eye(2), np.ones((2, 1)), {}, r"b must be a vector of finite numbers, got shape \(2, 1"),
        (np.eye(2), [1.0, np.inf], {}, "vector of finite numbers, got shape .*others among them"),
        (
            np.eye(2),
            [1.0, 1.0],
            {"x0": [1.0]},
            r"x0 must be 2 finite numbers, as b, got shape \(1,",
        ),
        (np.eye(2), [1.0, 1.0], {"rtol": -1}, r"rtol must be in \[0, inf\), got -1"),
        (np.eye(2), [1.0, 1.0], {"atol": -1e-9}, r"atol must be in \[0, inf\), got -1e-09"),
        (np.eye(2), [1.0, 1.0], {"maxiter": -1}, r"maxiter must be in \{0, 1, ...\}, got -1"),
        (lambda v: v[:1], [1.0, 1.0], {}, r"A v must have b's shape \(2,\), got \(1,\)"),
        (np.eye(2), [1.0, 1.0], {"preconditioner": lambda r: 1.0}, "M⁻¹ r must have b's shape"),
    ],
)
def test_linear_cg_refuses(A, b, options, message):
    with pytest.raises(ValueError, match=message):
        linear_cg(A, b, **options)


# --- line searches


def wavy(coefficients):
    """A smooth function with many valleys, bounded below."""
    a, phase, tilt = coefficients

    def f(x):
        waves = sum(c * np.sin((k + 1) * x + q) for k, (c, q) in enumerate(zip(a, phase)))
        return (waves + 0.1 * x * x + tilt * x).sum()

    return f


coefficients = st.tuples(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.floats(-2, 2),
)


@settings(max_examples=80, deadline=None)
@given(
    coefficients,
    st.lists(st.floats(-5, 5), min_size=1, max_size=3),
    st.floats(1e-6, 1e4),
    st.sampled_from([(1e-4, 0.9), (1e-4, 0.1), (0.1, 0.2)]),
)
def test_strong_wolfe_conditions_hold_on_random_functions(c, x, alpha, constants):
    f, x = wavy(c), np.array(x)
    g = gradient(f, x)
    if np.abs(g).max() < 1e-6:
        return
    c1, c2 = constants
    found = strong_wolfe(f, x, -g, alpha=alpha, c1=c1, c2=c2)
    assert found.alpha is not None and found.alpha > 0, found.message
    slope, there = -(g @ g), x - found.alpha * g
    np.testing.assert_array_equal(found.point.x, there)
    noise = 1e-13 * abs(value(f, x))
    assert value(f, there) <= value(f, x) + c1 * found.alpha * slope + noise
    assert abs(gradient(f, there) @ -g) <= c2 * abs(slope)
    assert found.point.fun == value(f, there)
    np.testing.assert_array_equal(found.point.jac, gradient(f, there))
    assert found.nfev <= 40


@settings(max_examples=40, deadline=None)
@given(
    coefficients, st.floats(-5, 5), st.floats(1e-3, 1e3), st.floats(0.1, 0.9), st.floats(0.01, 0.5)
)
def test_backtracking_takes_the_first_length_with_enough_fall(c, x, alpha, shrink, c1):
    f, x = wavy(c), np.array([x])
    g = gradient(f, x)
    if abs(g[0]) < 1e-3:
        return
    found = backtracking(f, x, -g, alpha=alpha, shrink=shrink, c1=c1, maxiter=500)
    slope = -(g @ g)

    def enough(a):
        return value(f, x - a * g) <= value(f, x) + c1 * a * slope

    trials = [alpha]
    while not enough(trials[-1]):
        trials.append(trials[-1] * shrink)
    excess = [value(f, x - a * g) - value(f, x) - c1 * a * slope for a in trials]
    if np.abs(excess).min() < 1e-10:
        return  # a tie, that rounding decides
    assert found.alpha == trials[-1] and found.nfev == len(trials)
    assert found.point.fun == value(f, x - found.alpha * g)


def test_the_cubic_is_the_one_through_both_ends():
    def trial(a):
        fun = a**3 - 3 * a**2 + a  # least at 1 + √(2/3)
        return line_search.Trial(a, type("P", (), {"fun": fun}), 3 * a**2 - 6 * a + 1)

    for a, b in [(0.0, 3.0), (3.0, 0.0), (1.0, 1.5)]:
        assert line_search.cubic_minimum(trial(a), trial(b)) == pytest.approx(1 + math.sqrt(2 / 3))


def test_line_searches_turn_back_from_where_f_is_not_finite():
    def f(x):
        return (x - np.log(1 - x)).sum()  # NaN beyond 1, +inf at 1

    def steep(x):
        return np.exp(x * x).sum()  # overflows

    for search in [backtracking, strong_wolfe]:
        found = search(f, [0.5], [-3.0], alpha=1e3)
        assert found.alpha is not None and np.isfinite(found.point.fun)
        found = search(steep, [1.0], [1e6 * -1.0])
        assert found.alpha is not None and found.point.fun < math.e
    result = minimize(lambda x: (x * x - np.log(x)).sum(), [1e-3, 30.0])
    np.testing.assert_allclose(result.x, math.sqrt(0.5), atol=1e-5)


def test_line_searches_say_why_they_found_nothing():
    found = strong_wolfe(lambda x: x.sum(), [0.0], [-1.0])
    assert found.alpha is None and "is it unbounded below?" in found.message
    found = strong_wolfe(lambda x: -np.exp(x * x).sum(), [1.0], [5.0])
    assert found.alpha is None
    found = strong_wolfe(lambda x: np.log(x).sum(), [1.0], [-1.0])
    assert found.alpha is None and "f is -inf at α = 1.0e+00" in found.message
    kink = strong_wolfe(lambda x: abs(x) + x / 2, 0.3, -1.0, c2=0.1)  # slopes -1/2, 1/2, 3/2
    assert kink.alpha is None and "no α with the strong Wolfe conditions" in kink.message
    found = backtracking(lambda x: 1e6 * x * x, 1.0, -2e6, maxiter=5)
    assert found.alpha is None and "f does not fall along p" in found.message and found.nfev == 5


BAD_SEARCHES = [
    ({"p": [1.0]}, r"p must go downhill, ∇f\(x\)·p < 0, got 2: try p = -∇f"),
    ({"p": [0.0]}, "p must go downhill"),
    ({"p": [np.nan]}, "p must go downhill"),
    ({"p": [1.0, 2.0]}, r"p must have x's shape \(1,\), got \(2,\)"),
    ({"x": [np.inf]}, "the start must be finite"),
    ({"alpha": 0}, r"alpha must be in \(0, inf\), got 0"),
    ({"alpha": np.nan}, r"alpha must be in \(0, inf\), got nan"),
    ({"c1": 0}, r"c1 must be in \(0, 1\), got 0"),
    ({"c1": 1.0}, r"c1 must be in \(0, 1\), got 1.0"),
    ({"maxiter": 0}, r"maxiter must be in \{1, 2, ...\}, got 0"),
]


@pytest.mark.parametrize("change,message", BAD_SEARCHES)
@pytest.mark.parametrize("search", [backtracking, strong_wolfe])
def test_bad_searches_are_refused(search, change, message):
    arguments = {"f": lambda x: (x * x).sum(), "x": [1.0], "p": [-1.0]} | change
    with pytest.raises(ValueError, match=f"{search.__name__}: .*{message}"):
        search(**arguments)


def test_constants_of_line_searches_are_checked():
    def f(x):
        return (x * x).sum()

    for c1, c2 in [(0.5, 0.4), (0.1, 1.0), (0.1, 0.1), (-1, 0.5)]:
        with pytest.raises(ValueError, match=r"c1 must be below c2|c[12] must be in \(0, 1\)"):
            strong_wolfe(f, [1.0], [-1.0], c1=c1, c2=c2)
    for shrink in [0, 1, -1, 2]:
        with pytest.raises(ValueError, match=r"shrink must be in \(0, 1\)"):
            backtracking(f, [1.0], [-1.0], shrink=shrink)


# --- constraints

# Hock & Schittkowski 1981: f, start, constraints, f(x*)
HS = {
    6: (
        lambda x: (1 - x[0]) ** 2,
        [-1.2, 1.0],
        [("eq", lambda x: 10 * (x[1] - x[0] ** 2))],
        0.0,
    ),
    7: (
        lambda x: np.log(1 + x[0] ** 2) - x[1],
        [2.0, 2.0],
        [("eq", lambda x: (1 + x[0] ** 2) ** 2 + x[1] ** 2 - 4)],
        -math.sqrt(3),
    ),
    10: (
        lambda x: x[0] - x[1],
        [-10.0, 10.0],  # infeasible
        [("ineq", lambda x: -3 * x[0] ** 2 + 2 * x[0] * x[1] - x[1] ** 2 + 1)],
        -1.0,
    ),
    11: (
        lambda x: (x[0] - 5) ** 2 + x[1] ** 2 - 25,
        [4.9, 0.1],  # infeasible
        [("ineq", lambda x: -(x[0] ** 2) + x[1])],
        -8.498464223,
    ),
    14: (
        lambda x: (x[0] - 2) ** 2 + (x[1] - 1) ** 2,
        [2.0, 2.0],  # infeasible
        [
            ("ineq", lambda x: -(x[0] ** 2) / 4 - x[1] ** 2 + 1),
            ("eq", lambda x: x[0] - 2 * x[1] + 1),
        ],
        9 - 2.875 * math.sqrt(7),
    ),
    29: (
        lambda x: -x[0] * x[1] * x[2],
        [1.0, 1.0, 1.0],
        [("ineq", lambda x: -(x[0] ** 2) - 2 * x[1] ** 2 - 4 * x[2] ** 2 + 48)],
        -16 * math.sqrt(2),
    ),
    35: (
        lambda x: 9 - 8 * x[0] - 6 * x[1] - 4 * x[2] + 2 * x[0] ** 2 + 2 * x[1] ** 2 + x[2] ** 2
        + 2 * x[0] * x[1] + 2 * x[0] * x[2],
        [0.5, 0.5, 0.5],
        [("ineq", lambda x: x), ("ineq", lambda x: 3 - x[0] - x[1] - 2 * x[2])],
        1 / 9,
    ),
    40: (
        lambda x: -x[0] * x[1] * x[2] * x[3],
        [0.8] * 4,
        [
            ("eq", lambda x: x[0] ** 3 + x[1] ** 2 - 1),
            ("eq", lambda x: np.stack([x[0] ** 2 * x[3] - x[2], x[3] ** 2 - x[1]])),
        ],
        -0.25,
    ),
    43: (
        lambda x: x[0] ** 2 + x[1] ** 2 + 2 * x[2] ** 2 + x[3] ** 2
        - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3],
        [0.0] * 4,
        [
            ("ineq", lambda x: 8 - (x * x).sum() - x[0] + x[1] - x[2] + x[3]),
            ("ineq", lambda x: 10 - x @ (np.array([1, 2, 1, 2]) * x) + x[0] + x[3]),
            ("ineq", lambda x: 5 - 2 * x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - 2 * x[0] + x[1] + x[3]),
        ],
        -44.0,
    ),
    71: (
        lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
        [1.0, 5.0, 5.0, 1.0],
        [
            ("ineq", lambda x: x[0] * x[1] * x[2] * x[3] - 25),
            ("eq", lambda x: (x * x).sum() - 40),
            ("ineq", lambda x: x - 1),
            ("ineq", lambda x: 5 - x),
        ],
        17.0140173,
    ),
}  # fmt: skip


def dicts(constraints):
    return [{"type": kind, "fun": c} for kind, c in constraints]


def kkt_residual(f, constraints, result):
    """How far the conditions are from holding, from first principles."""
    stationary, worst = gradient(f, result.x), 0.0
    for (kind, c), multiplier in zip(constraints, result.multipliers):
        v = np.atleast_1d(c(Tensor(result.x)).data)
        J = jacobian(lambda x, c=c: c(x).reshape(-1), result.x).data
        stationary = stationary - multiplier @ J
        assert multiplier.shape == v.shape
        if kind == "eq":
            worst = max(worst, np.abs(v).max())
        else:
            worst = max(worst, -v.min(), -multiplier.min(), np.abs(v * multiplier).max())
    return max(worst, np.abs(stationary).max())


@pytest.mark.parametrize("method", CONSTRAINED)
@pytest.mark.parametrize("number", HS)
def test_constrained_problems_of_hock_and_schittkowski(number, method):
    f, x0, constraints, best = HS[number]
    result = minimize(f, x0, method=method, constraints=dicts(constraints), gtol=1e-7)
    assert result.success, result.message
    assert result.fun == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert kkt_residual(f, constraints, result) <= 1e-6
    assert result.nit <= 25 and result.nfev <= 600
    theirs = scipy.optimize.minimize(
        lambda x: value(f, x),
        x0,
        jac=lambda x: gradient(f, x),
        method="SLSQP",
        constraints=[
            {"type": kind, "fun": lambda x, c=c: np.atleast_1d(c(Tensor(x)).data)}
            for kind, c in constraints
        ],
    )
    if theirs.success:
        np.testing.assert_allclose(result.x, theirs.x, atol=2e-3)
        assert result.nit <= 2 * theirs.nit + 5


@pytest.mark.parametrize("method", CONSTRAINED)
def test_multipliers_are_shadow_prices(method):
    """d f(x*) / d b for fun(x) = b and fun(x) >= b, by central differences of the minimum."""

    def solve(level):
        constraints = [
            {"type": "ineq", "fun": lambda x, b: 3 - x[0] - x[2] ** 2 - b, "args": (level[0],)},
            {"type": "eq", "fun": lambda x, b: x[0] + 2 * x[1] - 1 - b, "args": (level[1],)},
            {"type": "ineq", "fun": lambda x, b: x[2] + 50 - b, "args": (level[2],)},  # idle
            {"type": "ineq", "fun": lambda x, b: np.stack([x[0], x[1] + 9]) - b, "args": (level[3],)},
        ]  # fmt: skip
        return minimize(
            lambda x: (x[0] - 4) ** 2 + x[1] ** 2 + (x[2] - 3) ** 2 + x[0] * x[1],
            [0.0, 0.0, 0.0],
            method=method,
            constraints=constraints,
            gtol=1e-9,
        )

    base, h = solve([0, 0, 0, 0]), 1e-4
    assert base.success
    for i in range(3):
        up, down = (solve([s * h * (i == j) for j in range(4)]) for s in (1, -1))
        price = (up.fun - down.fun) / (2 * h)
        assert base.multipliers[i].item() == pytest.approx(price, rel=1e-5, abs=1e-6)
    assert base.multipliers[0] > 0.1 and abs(base.multipliers[1]) > 0.1
    assert abs(base.multipliers[2]) < 1e-6 and base.multipliers[3].shape == (2,)


@pytest.mark.parametrize("method", CONSTRAINED)
def test_the_most_entropic_distribution_with_a_given_mean_is_a_softmax(method):
    energy = np.array([0.0, 1.0, 2.5, 4.0])
    result = minimize(
        lambda p: (p * np.log(p)).sum(),
        np.full(4, 0.25),
        method=method,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "eq", "fun": lambda p: p @ energy - 1.2},
        ],
        gtol=1e-9,
    )
    beta = result.multipliers[1].item()
    want = np.exp(beta * energy)
    assert result.success and beta < 0
    np.testing.assert_allclose(result.x, want / want.sum(), rtol=1e-7)


def test_newton_kkt_solves_a_quadratic_with_linear_constraints_in_one_step():
    C, d = np.random.default_rng(5).normal(size=(3, 8)), np.ones(3)
    result = minimize(
        quadratic,
        np.zeros(8),
        method="newton-kkt",
        constraints={"type": "eq", "fun": lambda x: x @ C.T - d},
        gtol=1e-9,
    )
    K = np.block([[A8, -C.T], [C, np.zeros((3, 3))]])
    want = np.linalg.solve(K, np.concatenate([b8, d]))
    assert result.success and result.nit == 1
    np.testing.assert_allclose(result.x, want[:8], rtol=1e-8)
    np.testing.assert_allclose(result.multipliers[0], want[8:], rtol=1e-8)


def test_a_penalty_that_is_too_small_is_raised():
    """Without ρ > 10 the augmented Lagrangian of −5x² has no minimum."""
    result = minimize(
        lambda x: -5 * x[0] ** 2 + x[1] ** 2,
        [0.5, 0.5],
        method="augmented-lagrangian",
        constraints={"type": "eq", "fun": lambda x: x[0] - 1},
        penalty=0.5,
    )
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1, 0], atol=1e-4)
    assert result.multipliers[0] == pytest.approx(-10, rel=1e-3)


def test_newton_kkt_converges_quadratically():
    f, x0, constraints, _ = HS[40]
    result = minimize(f, x0, method="newton-kkt", constraints=dicts(constraints), gtol=1e-13)
    errors = np.linalg.norm(result.path - result.x, axis=1)
    errors = errors[errors > 1e-9]
    assert len(errors) >= 3 and (errors[1:] <= 3 * errors[:-1] ** 2).all()


@pytest.mark.parametrize("method", CONSTRAINED)
def test_constrained_minimum_not_maximum(method):
    """On a circle, x + y has two points that satisfy Lagrange's condition: the lower one is meant."""
    for x0 in [[0.6, 0.9], [-2.0, 0.1], [0.9, -0.1]]:
        result = minimize(
            lambda x: x.sum(),
            x0,
            method=method,
            constraints={"type": "eq", "fun": lambda x: x @ x - 1},
        )
        assert result.success
        np.testing.assert_allclose(result.x, -math.sqrt(0.5), atol=1e-5)


@pytest.mark.parametrize("method", CONSTRAINED)
def test_redundant_and_linear_constraints_do_no_harm(method):
    result = minimize(
        lambda x: x[0] + 2 * x[1],  # a linear program; the equality is said twice
        [5.0, -3.0],
        method=method,
        constraints=[
            {"type": "eq", "fun": lambda x: x.sum() - 1},
            {"type": "eq", "fun": lambda x: 2 * x.sum() - 2},
            {"type": "ineq", "fun": lambda x: x},
        ],
        gtol=1e-7,
    )
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1, 0], atol=1e-5)


@pytest.mark.parametrize("method", CONSTRAINED)
def test_contradicting_constraints_are_reported(method):
    result = minimize(
        lambda x: (x * x).sum(),
        [1.0, 1.0],
        method=method,
        constraints=[
            {"type": "eq", "fun": lambda x: x[0] - 1},
            {"type": "ineq", "fun": lambda x: -1 - x[0] ** 2},
        ],
    )
    assert not result.success and "the constraints" in result.message
    assert np.isfinite(result.x).all()


def test_constraints_that_are_not_constraints_are_refused():
    def f(x):
        return (x * x).sum()

    def refuse(error, message, constraints, **options):
        options = {"method": "newton-kkt"} | options
        with pytest.raises(error, match=message):
            minimize(f, [1.0, 2.0], constraints=constraints, **options)

    good = {"type": "eq", "fun": lambda x: x[0]}
    refuse(ValueError, "method 'bfgs' takes no constraints: use 'newton-kkt'", good, method="bfgs")
    refuse(ValueError, "method 'newton-kkt' needs constraints", ())
    refuse(TypeError, "constraints must be a dict or a list of dicts, got None", None)
    refuse(TypeError, "constraint 1 must be a dict", [good, 3])
    refuse(ValueError, "type 'eq' .* or 'ineq' .*, got 'le'", {"type": "le", "fun": f})
    refuse(ValueError, "got None", {"fun": f})
    refuse(TypeError, "constraint 0 needs a function 'fun' of a Tensor, got 3", good | {"fun": 3})
    refuse(ValueError, "unknown key 'jac'.*derivatives come from minigrad", good | {"jac": f})
    refuse(TypeError, "must give a Tensor, .* got float", good | {"fun": lambda x: 1.0})
    refuse(ValueError, "constraint 0 must be finite at x0", good | {"fun": lambda x: np.log(x - 1)})
    root = good | {"fun": lambda x: np.sqrt(x - 1)}
    refuse(ValueError, "the constraints' derivatives must be finite at x0", root)


# --- what can go wrong


@pytest.mark.parametrize("method", UNCONSTRAINED)
def test_running_out_of_iterations_is_no_success(method):
    for maxiter in [0, 1, 3]:
        result = minimize(rosenbrock, [-1.2, 1.0], method=method, maxiter=maxiter)
        assert not result.success and result.nit == maxiter
        assert f"maxiter = {maxiter} steps were not enough" in result.message
        assert len(result.path) == maxiter + 1
    assert minimize(rosenbrock, [1.0, 1.0], method=method, maxiter=0).success


@pytest.mark.parametrize("method", CONSTRAINED)
def test_running_out_of_iterations_is_no_success_with_constraints(method):
    f, x0, constraints, _ = HS[71]
    for maxiter in [0, 1]:
        result = minimize(f, x0, method=method, constraints=dicts(constraints), maxiter=maxiter)
        assert not result.success and f"maxiter = {maxiter} steps were not" in result.message


@pytest.mark.parametrize("method", UNCONSTRAINED)
def test_flat_functions(method):
    """Where the gradient is 0 there is nowhere to go, and where it is tiny, that is enough."""
    result = minimize(lambda x: (x * 0).sum() + 3, [1.0, 2.0], method=method)
    assert result.success and result.nit == 0 and result.fun == 3
    result = minimize(lambda x: x[0] ** 2, [1.0, 2.0], method=method)  # flat along x[1]
    assert result.success and abs(result.x[0]) < 1e-4 and result.x[1] == 2
    result = minimize(lambda x: (x**4).sum(), [1.0], method=method, gtol=1e-6)
    assert result.success and abs(result.x[0]) < 0.01
    # a constant in one region: no gradient is recorded there
    result = minimize(
        lambda x: (x * x).sum() if x.data[0] > 0.1 else Tensor(0.0), [1.0], method=method
    )
    assert result.success and result.fun == 0


def test_second_derivatives_that_are_not_finite():
    """|x|^1.5 has a vanishing gradient at 0, and an infinite Hessian."""
    for x0 in [[0.0, 0.0], [0.0, 2.0], [1.0, -2.0]]:
        result = minimize(lambda x: (abs(x) ** 1.5).sum(), x0, method="newton", gtol=1e-4)
        assert result.success
        np.testing.assert_allclose(result.x, 0, atol=1e-7)


@pytest.mark.parametrize("method", CONSTRAINED)
def test_constraints_that_say_nothing(method):
    """The conditions hold only where ∇f = 0, and a linear f has no such place."""
    idle = {"type": "eq", "fun": lambda x: 0 * x}
    result = minimize(lambda x: ((x - 2) ** 2).sum(), [1.0, 5.0], method=method, constraints=idle)
    assert result.success
    np.testing.assert_allclose(result.x, 2, atol=1e-5)
    result = minimize(lambda x: x.sum(), [1.0, 5.0], method=method, constraints=idle, maxiter=8)
    assert not result.success


@pytest.mark.parametrize("method", UNCONSTRAINED)
@pytest.mark.parametrize(
    "f", [lambda x: x.sum(), lambda x: -(x * x).sum(), lambda x: -(x**3).sum() + x.sum()]
)
def test_functions_without_minimum_are_no_success(method, f):
    result = minimize(f, [1.0, 2.0], method=method, maxiter=60)
    assert not result.success and np.isfinite(result.x).all() and math.isfinite(result.fun)


@pytest.mark.parametrize("method", UNCONSTRAINED)
def test_a_kink_at_the_minimum_is_no_success(method):
    result = minimize(lambda x: abs(x - 0.3).sum(), [1.0, 2.0], method=method, maxiter=300)
    assert result.fun < 1.5 and (result.success is False or result.fun == 0)


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs", "cg"])
def test_where_no_step_satisfies_wolfe_the_descent_goes_on_along_the_gradient(method):
    result = minimize(lambda x: abs(x - 0.3).sum(), [1.0, 2.0], method=method)
    assert result.fun < 1e-8 and result.nit > 1


@pytest.mark.parametrize("method", UNCONSTRAINED)
def test_the_last_bit_of_precision(method):
    """gtol = 0 runs until rounding stops it, ends, and says so."""
    result = minimize(logistic, np.ones(5), method=method, gtol=0, maxiter=3000)
    want = minimize(logistic, np.ones(5), method="newton", gtol=1e-14).x
    np.testing.assert_allclose(result.x, want, atol=1e-6)
    assert result.nit < 3000
    assert result.success or "max |∇f|" in result.message


def test_gradients_are_on_whatever_the_caller_has_set():
    with no_grad():
        assert minimize(rosenbrock, [-1.2, 1.0], method="newton").success
        assert minimize(rosenbrock, [-1.2, 1.0], method="newton-cg").nit > 1
        assert strong_wolfe(quadratic, np.zeros(8), b8).alpha
        assert not Tensor(1.0, requires_grad=True).sum().requires_grad
    assert (Tensor(1.0, requires_grad=True) * 2).requires_grad

    def outer(a):  # a minimization inside another
        inner = minimize(lambda x: (x - a.data) ** 2, 0.0)
        return (a - 3) ** 2 + float(inner.fun)

    assert minimize(outer, 0.0).x == pytest.approx(3)

    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        minimize(fails, 0.0)
    assert (Tensor(1.0, requires_grad=True) * 2).requires_grad


BAD_FUNCTIONS = [
    (lambda x: 3.0, [1.0], TypeError, "f must give a Tensor, .* got float"),
    (lambda x: x.numpy().sum(), [1.0], TypeError, "f must give a Tensor"),
    (lambda x: x * 2, [1.0, 2.0], ValueError, r"f must give one number, got shape \(2,\)"),
    (lambda x: x.detach().sum(), [1.0], ValueError, "result of f does not come from x"),
    (lambda x: Tensor(3.0), [1.0], ValueError, "result of f does not come from x"),
    (lambda x: np.log(x).sum(), [-1.0], ValueError, "finite at the start, got f = nan"),
    (lambda x: (1 / x).sum(), [0.0], ValueError, "finite at the start, got f = inf"),
    (lambda x: np.sqrt(x).sum(), [0.0], ValueError, r"got f = 0.0 and max \|∇f\| = inf"),
    (lambda x: x.sum(), [np.nan], ValueError, "the start must be finite"),
    (lambda x: x.sum(), [], ValueError, r"the start has no elements, shape \(0,\)"),
    (lambda x: x.sum(), [True], TypeError, "x0 must hold real numbers, got booleans"),
    (3, [1.0], TypeError, "f must be a function of a Tensor, got 3"),
]


@pytest.mark.parametrize("f,x0,error,message", BAD_FUNCTIONS)
def test_bad_functions_and_starts_are_refused(f, x0, error, message):
    for method in UNCONSTRAINED:
        with pytest.raises(error, match=message):
            minimize(f, x0, method=method)


not_a_number = st.just(math.nan)
not_positive = st.floats(max_value=0.0) | st.just(math.inf)
not_whole = st.floats(0.1, 0.9) | st.integers(max_value=-1)
BAD_OPTIONS = {
    "maxiter": st.integers(max_value=-1),
    "memory": st.integers(max_value=0),
    "gtol": not_a_number | st.floats(max_value=-1e-300) | st.just(math.inf),
    "lr": not_a_number | not_positive,
    "penalty": not_a_number | not_positive,
    "line_search": st.text(max_size=5),
    "beta": st.text(max_size=5),
    "scaling": st.text(max_size=3),
    "damping": st.none() | st.integers(0, 5) | st.text(max_size=5),
}


def options_of(method):
    return OPTIONS[method]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_bad_option_is_refused_before_f_is_called(data):
    def f(x):
        raise AssertionError("f was called")

    method = data.draw(st.sampled_from(list(METHODS)))
    name = data.draw(st.sampled_from(sorted(options_of(method))))
    bad = data.draw(BAD_OPTIONS[name])
    constraints = {"type": "eq", "fun": f} if method in CONSTRAINED else ()
    error = TypeError if name == "damping" else ValueError
    with pytest.raises(error, match=f"minimize: {name} must be .*got"):
        minimize(f, [1.0], method=method, constraints=constraints, **{name: bad})


def test_unknown_methods_and_options_are_refused():
    for method in ["BFGS", "nelder-mead"]:
        with pytest.raises(ValueError, match='method must be "gradient-descent", .*, got'):
            minimize(rosenbrock, [0.0, 0.0], method=method)
    with pytest.raises(ValueError, match="'bfgs' has no option 'memory'; there are maxiter, gtol"):
        minimize(rosenbrock, [0.0, 0.0], method="bfgs", memory=3)
    with pytest.raises(ValueError, match='scaling must be "first" or "none", got .latest.'):
        minimize(rosenbrock, [0.0, 0.0], method="bfgs", scaling="latest")
    with pytest.raises(ValueError, match="lr means fixed steps"):
        minimize(rosenbrock, [0.0, 0.0], method="newton", lr=1.0, line_search="backtracking")


def test_every_option_has_a_bad_value_here():
    assert {name for method in METHODS for name in options_of(method)} == set(BAD_OPTIONS)
    for method, run in METHODS.items():
        assert OPTIONS[method].keys() == run.__kwdefaults__.keys()
