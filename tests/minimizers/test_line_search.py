"""Line searches: the conditions hold, and failures say why."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objectives import gradient, value

from compares import compares
from minigrad import minimize
from minigrad.minimizers import backtracking, line_search, strong_wolfe


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


@compares("Nocedal & Wright 2006, algorithms 3.5 and 3.6", "minimizers.strong_wolfe")
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


@compares("Nocedal & Wright 2006, algorithm 3.1", "minimizers.backtracking")
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
