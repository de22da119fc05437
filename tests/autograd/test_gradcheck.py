"""The check of derivatives, checked: planted faults, kinks, dtypes."""

import numpy as np
import pytest
from calculus_inputs import x0

from compares import compares
from minigrad import Tensor, gradcheck, gradgradcheck
from minigrad.autograd.tensor import RULES


@compares("torch.autograd", "gradcheck")
def test_gradcheck_finds_a_wrong_rule_and_says_where(monkeypatch):
    monkeypatch.setitem(RULES, np.tanh, (lambda g, y, x: g * (1 - y),))
    with pytest.raises(AssertionError, match=r"d output\[0\] / d input 0\[0\]"):
        gradcheck(np.tanh, x0)


@compares("torch.autograd", "gradgradcheck")
def test_gradgradcheck_finds_a_rule_that_saves_a_constant(monkeypatch):
    def frozen(g, y, x):
        y = y.numpy() if isinstance(y, Tensor) else y
        return g * (1 - y * y)

    monkeypatch.setitem(RULES, np.tanh, (frozen,))
    assert gradcheck(np.tanh, x0)  # right once
    with pytest.raises(AssertionError):
        gradgradcheck(np.tanh, x0)  # silently wrong twice


def test_gradgradcheck_finds_a_gradient_that_changes_when_it_is_recorded(monkeypatch):
    def fickle(g, y, x):
        return g * (1 - y * y) * (2 if isinstance(g, Tensor) else 1)

    monkeypatch.setitem(RULES, np.tanh, (fickle,))
    assert gradcheck(np.tanh, x0)
    with pytest.raises(AssertionError, match="create_graph"):
        gradgradcheck(np.tanh, x0)


def test_gradcheck_fails_at_a_kink():
    with pytest.raises(AssertionError):
        gradcheck(lambda x: np.maximum(x, 0) ** 1, np.array([0.0])) and gradcheck(
            abs, np.array([3e-7])
        )


def test_gradcheck_refuses_float32_and_non_tensors():
    with pytest.raises(ValueError, match="float64"):
        gradcheck(np.sin, np.float32(1))
    with pytest.raises(TypeError, match="must return a Tensor"):
        gradcheck(lambda x: 3.0, x0)
    for check in gradcheck, gradgradcheck:
        with pytest.raises(ValueError, match="no inputs"):
            check(lambda *x: Tensor(1.0), ())
