"""What minimize refuses, and what it says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objectives import CONSTRAINED, UNCONSTRAINED, rosenbrock

from minigrad import Tensor, minimize
from minigrad.minimizers.methods import METHODS, OPTIONS

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
    for method in ["B-FGS", "nelder-mead"]:
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
