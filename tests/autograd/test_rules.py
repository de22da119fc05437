"""Every rule, to second order, against finite differences; and the check itself, checked."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, grad, gradcheck, gradgradcheck
from minigrad.autograd.messages import name
from minigrad.autograd.tensor import RULES, released
from rule_cases import CASES, draw

FUNCTIONS = list({name(f): f for f in CASES}.values())


def check(f, seed=0, second=True):
    rng = np.random.default_rng(seed)
    for case in CASES[f]:
        g, inputs = draw(case, rng)
        gradcheck(g, inputs, atol=1e-7, rtol=1e-5)
        if second:
            gradgradcheck(g, inputs, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("f", FUNCTIONS, ids=name)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_rule(f, seed):
    check(f, seed)


@pytest.mark.parametrize("f", FUNCTIONS, ids=name)
def test_recording_changes_no_gradient(f):
    # gradgradcheck takes the recorded gradient for right: here it is compared with the checked one
    rng = np.random.default_rng(0)
    for case in CASES[f]:
        g, inputs = draw(case, rng)
        x = [Tensor(a, requires_grad=True) for a in inputs]
        y = g(*x)
        u = rng.standard_normal(y.shape)
        recorded = grad(y, x, u, create_graph=True)
        for a, b in zip(recorded, grad(y, x, u)):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-12)


def test_every_rule_has_a_case():
    missing = {name(f) for f in RULES if f is not released} - {name(f) for f in CASES}
    assert not missing, f"no case in tests/support/rule_cases.py for {sorted(missing)}"


def scaled(rule, i=None):
    """The rule, wrong by 1 %: rule i of several, or all gradients of a joint one."""
    if isinstance(rule, tuple):
        return tuple(
            (lambda *a, r=r, **k: 1.01 * r(*a, **k)) if j == i else r for j, r in enumerate(rule)
        )
    return lambda *a, **k: tuple(1.01 * d if d is not None else None for d in rule(*a, **k))


SINGLE_RULES = [
    pytest.param(f, i, id=f"{name(f)}-{i}")
    for f in FUNCTIONS
    for i, r in enumerate(RULES[f] if isinstance(RULES[f], tuple) else [RULES[f]])
    if r is not None
]


@pytest.mark.parametrize("f,i", SINGLE_RULES)
def test_one_percent_is_noticed(f, i, monkeypatch):
    right = RULES[f]
    for key in [k for k, r in RULES.items() if r is right]:
        monkeypatch.setitem(RULES, key, scaled(right, i))
    with pytest.raises(AssertionError, match="by the rules"):
        check(f, second=False)


def test_scipy_is_loaded_when_it_is_needed_and_not_before():
    code = """
import sys
import minigrad
assert not any(m.startswith("scipy") for m in sys.modules)
from scipy.special import erf
x = minigrad.Tensor(0.0, requires_grad=True)
erf(x).backward()
print(float(x.grad))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(out.stdout) == pytest.approx(2 / np.sqrt(np.pi), rel=1e-15)


@pytest.mark.parametrize(
    "f,x,expected",
    [
        (abs, [-1.0, 0.0, 2.0], [-1, 0, 1]),
        (lambda x: np.maximum(x, 0.0), [-1.0, 0.0, 2.0], [0, 0.5, 1]),
        (lambda x: np.minimum(x, 0.0), [-1.0, 0.0, 2.0], [1, 0.5, 0]),
        (lambda x: np.clip(x, -1, 1), [-2.0, -1.0, 1.0, 2.0], [0, 1, 1, 0]),
        (lambda x: x.max(), [1.0, 3.0, 3.0], [0, 0.5, 0.5]),
        (lambda x: x**0, [0.0, 2.0], [0, 0]),
        (lambda x: x**1, [0.0, 2.0], [1, 1]),
        (np.linalg.norm, [0.0, 0.0], [0, 0]),
    ],
)
def test_kinks_are_as_documented(f, x, expected):
    x = Tensor(x, requires_grad=True)
    f(x).sum().backward()
    assert x.grad.tolist() == expected
