"""The problems of Moré, Garbow and Hillstrom, from their standard starts and from far away."""

import numpy as np
import pytest
from objectives import gradient

from minigrad import minimize
from minigrad.lab.standard_problems import PROBLEMS

METHODS = ("newton", "newton-cg", "bfgs", "l-bfgs", "cg")
#: What is not solved within 1000 steps, by any or by these.
HARD = {"Meyer": METHODS, "Gulf research and development": ("newton-cg",)}


@pytest.mark.parametrize("name", PROBLEMS)
def test_from_the_standard_start_every_method_finds_a_minimum_of_the_paper(name):
    problem = PROBLEMS[name]
    for method in METHODS:
        result = minimize(problem.f, problem.start, method=method)
        if method in HARD.get(name, ()):
            assert not result.success
            assert "curve" in result.message or "curvatures" in result.message, result.message
            continue
        assert result.success, (method, result.message)
        # |∇f| is within 1e-5 where f is still that far from its minimum, by the curvature there
        near = [abs(result.fun - best) <= 1e-4 * best + 2e-5 for best in problem.minima]
        assert any(near), (method, result.fun)


@pytest.mark.parametrize("factor", [1, 10, 100])
@pytest.mark.parametrize("name", PROBLEMS)
def test_success_means_that_the_gradient_vanishes(name, factor):
    problem = PROBLEMS[name]
    start = factor * problem.start
    with np.errstate(all="ignore"):
        if not np.isfinite(gradient(problem.f, start)).all():
            with pytest.raises(ValueError, match="must be finite at the start"):
                minimize(problem.f, start, method="cg")
            return
        for method in ("cg", "bfgs"):
            result = minimize(problem.f, start, method=method, maxiter=300)
            vanishes = np.abs(gradient(problem.f, result.x)).max() <= 1e-5
            assert result.success == vanishes, (method, result.message)
