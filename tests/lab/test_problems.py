"""The test problems: their values, gradients, minima."""


import numpy as np
import pytest

from minigrad.lab import problems

rng = np.random.default_rng


PROBLEMS = [
    problems.ravine(), problems.ravine(100, 0.6), problems.rosenbrock(), problems.saddle(),
    problems.beale(), problems.plateau(), problems.two_minima(),
]  # fmt: skip
by_name = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def test_values_at_the_start():
    values = [problem.f(problem.start) for problem in PROBLEMS]
    by_hand = [18, 58, 24.2, 1.62 - 5e-7, 41.25, 20 / 21, 3.2336]
    np.testing.assert_allclose(values, by_hand, rtol=1e-12)


@by_name
def test_gradient_against_finite_differences(problem):
    points = [problem.start, problem.minimum, *rng(0).uniform(-1.5, 1.5, (5, 2))]
    for x in points:
        h = 1e-5
        numeric = [(problem.f(x + e) - problem.f(x - e)) / (2 * h) for e in h * np.eye(2)]
        np.testing.assert_allclose(problem.gradient(x), numeric, rtol=1e-6, atol=1e-6)


@by_name
def test_minimum_is_one(problem):
    np.testing.assert_allclose(problem.gradient(problem.minimum), 0, atol=1e-13)
    left, right, bottom, top = problem.bounds
    grid = np.stack(np.meshgrid(np.linspace(left, right, 81), np.linspace(bottom, top, 81)), -1)
    assert problem.f(problem.minimum) <= problem.f(grid).min()
    assert problem.f(grid).shape == (81, 81)
    for x, y in (problem.start, problem.minimum):
        assert left < x < right and bottom < y < top
    assert np.linalg.norm(problem.gradient(problem.start)) > 0


@by_name
def test_problem_takes_tensors(problem):
    minigrad = pytest.importorskip("minigrad")
    x = minigrad.Tensor(problem.start, requires_grad=True)
    y = problem.f(x)
    y.backward()
    np.testing.assert_allclose(y.data, problem.f(problem.start), rtol=1e-15)
    np.testing.assert_allclose(x.grad, problem.gradient(problem.start), rtol=1e-12)


@pytest.mark.parametrize("angle", [0, 0.7, 2])
def test_ravine_has_its_condition_number(angle):
    problem = problems.ravine(50, angle)
    hessian = np.stack([problem.gradient(e) for e in np.eye(2)])  # of a quadratic
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [1, 50])
    floor = np.array([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(hessian @ floor, floor, atol=1e-13)
    np.testing.assert_allclose(problem.f(problem.start), (4**2 + 50 * 1**2) / 2)


def test_saddle_and_second_minimum():
    np.testing.assert_array_equal(problems.saddle().gradient([0, 0]), 0)
    two = problems.two_minima()
    poor = np.array([max(np.roots([4, 0, -4, 0.3]).real), 0])
    np.testing.assert_allclose(two.gradient(poor), 0, atol=1e-13)
    assert two.f(poor) > two.f(two.minimum) + 0.5
    with pytest.raises(ValueError, match="tilt"):
        problems.two_minima(2)
    assert set(problems.all_problems()) == {"ravine", "Rosenbrock", "saddle", "Beale", "plateau"}


def test_noisy_quadratic():
    x, generator = np.array([2.0, -3.0]), rng(0)
    samples = np.array([problems.noisy_quadratic(x, generator, (1, 0.1), 2) for _ in range(20_000)])
    want = (1 * (4 + 4) + 0.1 * (9 + 4)) / 2  # ½ Σ h (x² + σ²)
    assert abs(samples.mean() - want) < 4 * samples.std() / np.sqrt(20_000)


def test_reddi():
    assert [problems.reddi(0.5, t) for t in range(1, 7)] == [2, -0.5, -0.5] * 2
    x, v, c = 0.0, 0.0, 4.0  # Adam with β1 = 0 and the theorem's β2 ends at the worst point
    for t in range(1, 3001):
        g = c if t % 3 == 1 else -1.0
        v = v / (1 + c**2) + (1 - 1 / (1 + c**2)) * g**2
        x = np.clip(x - 0.1 / np.sqrt(t) * g / np.sqrt(v), -1, 1)
    assert x > 0.9
    with pytest.raises(ValueError, match="above 2"):
        problems.reddi(0.5, 1, c=2)
