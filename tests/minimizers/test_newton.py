"""Newton's method and Newton-CG: their textbook properties."""

import math

import numpy as np
import pytest
from objectives import logistic, quadratic, rosenbrock, saddle

from minigrad import minimize
from minigrad.minimizers import newton, problem


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
