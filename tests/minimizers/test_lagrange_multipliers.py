"""Constraints: published problems, shadow prices, contradictions."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg
from objectives import A8, CONSTRAINED, b8, gradient, quadratic, value

from minigrad import Tensor, jacobian, minimize

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


@pytest.mark.parametrize("method", CONSTRAINED)
def test_running_out_of_iterations_is_no_success_with_constraints(method):
    f, x0, constraints, _ = HS[71]
    for maxiter in [0, 1]:
        result = minimize(f, x0, method=method, constraints=dicts(constraints), maxiter=maxiter)
        assert not result.success and f"maxiter = {maxiter} steps were not" in result.message


@pytest.mark.parametrize("method", CONSTRAINED)
def test_constraints_that_say_nothing(method):
    """The conditions hold only where ∇f = 0, and a linear f has no such place."""
    idle = {"type": "eq", "fun": lambda x: 0 * x}
    result = minimize(lambda x: ((x - 2) ** 2).sum(), [1.0, 5.0], method=method, constraints=idle)
    assert result.success
    np.testing.assert_allclose(result.x, 2, atol=1e-5)
    result = minimize(lambda x: x.sum(), [1.0, 5.0], method=method, constraints=idle, maxiter=8)
    assert not result.success


def test_a_minimum_without_multipliers_is_no_success():
    """Hock & Schittkowski 13: at (1, 0) the constraints' gradients are (0, -1) and (0, 1), and ∇f is
    not among their combinations. Points that nearly satisfy everything have f = 0.95 instead of 1."""
    constraints = dicts([("ineq", lambda x: (1 - x[0]) ** 3 - x[1]), ("ineq", lambda x: x)])
    found = {
        method: minimize(lambda x: (x[0] - 2) ** 2 + x[1] ** 2, [-2.0, -2.0], method, constraints)
        for method in CONSTRAINED
    }
    for result in found.values():
        assert not result.success
        assert result.fun == pytest.approx(1, abs=0.02)
    assert "perhaps there are none" in found["augmented-lagrangian"].message


@pytest.mark.parametrize("f", [lambda x: x[0] + 0 * x[1], lambda x: x[0] ** 3 + x[1] ** 2])
def test_augmented_lagrangian_says_that_f_is_unbounded(f):
    result = minimize(
        f, [-1.0, 1.0], method="augmented-lagrangian",
        constraints={"type": "ineq", "fun": lambda x: 1 - x[0]},
    )  # fmt: skip
    assert not result.success and "falls without end" in result.message
