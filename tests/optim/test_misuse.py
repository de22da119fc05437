"""Bad parameters and bad options: what the errors say."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowl import ALL, leaves
from minigrad import Tensor, nn, optim


@pytest.mark.parametrize(
    "make,error,words",
    [
        (lambda c, x: c([]), ValueError, "no parameters to train"),
        (lambda c, x: c(iter([])), ValueError, "no parameters to train"),
        (lambda c, x: c(x), TypeError, r"write \[x\] for one"),
        (lambda c, x: c([x, x]), ValueError, r"shape \(2, 2\) is given twice"),
        (
            lambda c, x: c([{"params": [x]}, {"params": [x]}]),
            ValueError,
            r"shape \(2, 2\) is given twice",
        ),
        (lambda c, x: c([x * 2]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c([Tensor([1.0])]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c([np.ones(2)]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c(["x"]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c(3), TypeError, "a list of tensors, got int"),
        (lambda c, x: c(nn.Linear(2, 2)), TypeError, r"write net.parameters\(\)"),
        (lambda c, x: c([{"params": []}]), ValueError, "a parameter group has no parameters"),
        (lambda c, x: c([{"lr": 0.1}]), ValueError, 'a dict with an entry "params"'),
        (lambda c, x: c([{"params": [x]}, 3]), ValueError, 'a dict with an entry "params"'),
        (
            lambda c, x: c([{"params": [x], "rate": 1}]),
            ValueError,
            "the options are .*lr.*unknown: rate",
        ),
        (lambda c, x: c([{"params": [x], "lr": -1.0}]), ValueError, "lr must be in .*got -1.0"),
    ],
)
def test_bad_parameters(make, error, words, name):
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(error, match=words):
        make(ALL[name], x)
    assert x.data.tolist() == [[1, 1], [1, 1]]


def options_of(cls):
    return [
        k
        for k in inspect.signature(cls).parameters
        if k not in ("params", "hessian", "adjust_lr_fn", "ns_coefficients", "opt")
    ]


def outside(domain):
    junk = st.sampled_from(["0.1", None, (0.1,), np.nan, np.inf, -np.inf, 1j, True, np.ones(2)])
    if domain == "{False, True}":
        return st.sampled_from([0, 1, None, "yes", 0.0, np.nan])
    low, *_, high = domain[1:-1].split(", ")
    if domain[0] == "{":
        return st.one_of(junk, st.integers(max_value=int(low) - 1), st.just(1.5))
    below = st.floats(max_value=float(low), exclude_max=domain[0] == "[", allow_nan=False)
    above = st.floats(min_value=float(high), exclude_min=domain[-1] == "]", allow_nan=False)
    parts = [junk]
    parts += [below] if low != "-inf" else []
    parts += [above] if high != "inf" else []
    return st.one_of(*parts)


@pytest.mark.parametrize("name", [n for n in ALL if n != "Lookahead"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_bad_options(name, data):
    cls = ALL[name]
    key = data.draw(st.sampled_from(options_of(cls)))
    bad = data.draw(outside(cls.domains.get(key, "[0, inf)")))
    if key == "betas":
        bad = data.draw(st.sampled_from([(0.9, bad), (bad, 0.9), bad, (0.9,), (0.9, 0.9, 0.9)]))
    if key == "gamma" and bad is None and name == "Sophia":
        bad = 0.0
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises((TypeError, ValueError), match=rf"{name}: {key}(\[.\])? must be "):
        cls([x], **{key: bad})
    opt = cls([x])
    before = dict(opt.param_groups[0])
    with pytest.raises((TypeError, ValueError), match=rf"{name}: {key}(\[.\])? must be "):
        opt.param_groups[0][key] = bad
    assert opt.param_groups[0] == before
    if key == "lr":
        with pytest.raises((TypeError, ValueError), match="lr must be "):
            opt.lr = bad
    assert x.data.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    "make,words",
    [
        (lambda x: optim.SGD([x], nesterov=True), "nesterov needs momentum > 0"),
        (
            lambda x: optim.SGDW([x], momentum=0.9, dampening=0.1, nesterov=True),
            "SGDW: nesterov needs .* dampening = 0",
        ),
        (lambda x: optim.Muon([x], adjust_lr_fn="new"), 'adjust_lr_fn must be "original" or .*got .new'),
        (lambda x: optim.Muon([x], ns_coefficients=(1, 2)), "must be 3 numbers"),
        (
            lambda x: optim.Muon([x, Tensor([1.0], requires_grad=True)]),
            r"must be matrices, got shape \(1,\)",
        ),
        (lambda x: optim.Adafactor([x], eps=(None, -1e-3)), r"eps\[1\] must be in"),
        (lambda x: optim.Lookahead(optim.SGD([x]), k=0), r"k must be in \{1, 2, ...\}, got 0"),
        (lambda x: optim.Lookahead(optim.SGD([x]), alpha=2), r"alpha must be in \[0, 1\], got 2"),
    ],
)
def test_bad_combinations(make, words):
    with pytest.raises(ValueError, match=words):
        make(Tensor(np.ones((2, 2)), requires_grad=True))


def test_lookahead_needs_an_optimizer():
    with pytest.raises(TypeError, match="opt must be an optimizer"):
        optim.Lookahead(leaves())
