"""All methods: SciPy's minima in as many steps, and what can go wrong."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg
from objectives import (
    A8,
    CONSTRAINED,
    UNCONSTRAINED,
    b8,
    gradient,
    logistic,
    quadratic,
    rosenbrock,
    saddle,
    value,
)

from compares import compares
from minigrad import Tensor, hessian, minimize, no_grad
from minigrad.minimizers import strong_wolfe


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


@compares("scipy.optimize", "minimize")
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


@pytest.mark.parametrize("method", UNCONSTRAINED)
def test_running_out_of_iterations_is_no_success(method):
    for maxiter in [0, 1, 3]:
        result = minimize(rosenbrock, [-1.2, 1.0], method=method, maxiter=maxiter)
        assert not result.success and result.nit == maxiter
        assert f"maxiter = {maxiter} steps were not enough" in result.message
        assert len(result.path) == maxiter + 1
    assert minimize(rosenbrock, [1.0, 1.0], method=method, maxiter=0).success


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


# --- SciPy's arguments


def shifted(x, centre, scale):
    return (scale * (x - centre) ** 2).sum()


def test_args_tol_callback_and_items_as_in_scipy():
    centre, seen = np.array([1.0, -2.0]), []
    result = minimize(
        shifted,
        [0.0, 0.0],
        "BFGS",
        args=(centre, np.array([1.0, 10.0])),
        tol=1e-8,
        callback=seen.append,
    )
    theirs = scipy.optimize.minimize(
        lambda x: float((np.array([1.0, 10.0]) * (x - centre) ** 2).sum()),
        [0.0, 0.0],
        method="BFGS",
    )
    assert result["success"] and np.allclose(result["x"], theirs["x"], atol=1e-6)
    assert result["x"] is result.x and result["nit"] == len(seen)
    assert np.array_equal(seen, result.path[1:])
    with pytest.raises(KeyError, match="'y' is none of x, fun, jac"):
        result["y"]
    assert minimize(lambda x, c: (x - c) ** 2, 0.0, args=3.0).x == pytest.approx(3)


@pytest.mark.parametrize(
    "ends", [lambda x: True, lambda x: next(iter(()))], ids=["True", "StopIteration"]
)
@pytest.mark.parametrize("method", ["bfgs", "newton", "newton-kkt", "augmented-lagrangian"])
def test_a_callback_can_end_the_run(method, ends):
    constraints = (
        {"type": "eq", "fun": lambda x: x.sum() - 1} if method in CONSTRAINED_METHODS else ()
    )
    result = minimize(rosenbrock, [-1.2, 1.0], method, constraints, callback=ends)
    assert not result.success and result.nit == 1
    assert result.message.startswith("the callback has asked to stop")


CONSTRAINED_METHODS = ("newton-kkt", "augmented-lagrangian")


def test_a_callback_cannot_change_the_run():
    def spoil(x):
        x[:] = 1e9

    assert np.allclose(minimize(rosenbrock, [-1.2, 1.0], callback=spoil).x, 1, atol=1e-4)


@pytest.mark.parametrize("method", CONSTRAINED_METHODS)
@pytest.mark.parametrize(
    "bounds", [[(None, 0.5), (0.3, 2.0)], scipy.optimize.Bounds([-np.inf, 0.3], [0.5, 2.0])]
)
def test_bounds(method, bounds):
    result = minimize(rosenbrock, [0.1, 1.0], method, bounds=bounds)
    theirs = scipy.optimize.minimize(
        lambda x: float(rosenbrock(Tensor(x)).item()), [0.1, 1.0], bounds=bounds, method="L-BFGS-B"
    )
    assert result.success and np.allclose(result.x, theirs.x, atol=1e-4)
    least, most = result.multipliers  # at (0.5, 0.3) both bounds hold f up
    assert least.shape == (1,) and most.shape == (2,)
    both = minimize(
        rosenbrock, [-1.2, 1.0], method, {"type": "eq", "fun": lambda x: x[0] - 0.2}, bounds=bounds
    )
    assert both.success and np.allclose(both.x, [0.2, 0.3], atol=1e-4)


@pytest.mark.parametrize(
    "given,words",
    [
        ({"bounds": [(0, 1)] * 2}, "takes no bounds or constraints: use 'newton-kkt'"),
        ({"bounds": [(0, 1)], "method": "newton-kkt"}, r"bounds must be 2 pairs \(least, most\)"),
        ({"bounds": [(0, 1), 3], "method": "newton-kkt"}, r"bounds\[1\] must be a pair"),
        ({"bounds": [(0, 1), (2, 1)], "method": "newton-kkt"}, "no x lies between 2 and 1"),
        ({"tol": -1}, "tol must be in"),
        ({"tol": 1e-3, "gtol": 1e-3}, "tol is another name of gtol"),
        ({"options": {"maxiter": 3}}, "has no option 'options'"),
    ],
)
def test_what_does_not_fit_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        minimize(rosenbrock, [0.0, 0.0], **given)


def test_newton_kkt_treats_inequalities():
    """min x² + y² with x + y >= 2: at (1, 1), and the multiplier is 2."""
    h = {"type": "ineq", "fun": lambda x: x.sum() - 2}
    result = minimize(lambda x: (x * x).sum(), [5.0, -9.0], "newton-kkt", h)
    assert result.success and np.allclose(result.x, 1, atol=1e-5)
    assert np.allclose(result.multipliers[0], 2, atol=1e-4)
    away = minimize(lambda x: ((x - 4) ** 2).sum(), [0.0, 0.0], "newton-kkt", h)  # it does not bind
    assert away.success and np.allclose(away.x, 4, atol=1e-4)
