"""States: saved, loaded, refused, copied."""

import copy
import pickle

import numpy as np
import pytest

from bowl import (
    ALL,
    close,
    drive,
    leaves,
    shapes_for,
)
from minigrad import optim


def plain(x):
    """Whether minigrad.save can write it: nested dicts, lists, tuples, arrays, plain values."""
    if isinstance(x, dict):
        return all(type(k) is str and plain(v) for k, v in x.items())
    if isinstance(x, (list, tuple)):
        return all(map(plain, x))
    return x is None or type(x) in (bool, int, float, str, np.ndarray)


def test_state_round_trip(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02).schedule(lambda t: 0.05 / (1 + t))
    drive(opt, params, 7)
    saved = opt.state_dict()
    frozen = copy.deepcopy(saved)
    assert plain(saved)
    values = [p.data.copy() for p in params]
    want = drive(opt, params, 93, first=7)

    again = leaves(shapes_for(name))
    for p, x in zip(again, values):
        p.data = x
    other = ALL[name](again, lr=0.5).schedule(lambda t: 0.05 / (1 + t))
    other.load_state_dict(saved)
    close(drive(other, again, 93, first=7), want, rtol=1e-12)
    # neither optimizer wrote into what was saved
    np.testing.assert_equal(saved, frozen)


def test_state_of_other_parameters_is_refused(name):
    shapes = shapes_for(name)
    params = leaves(shapes)
    opt = ALL[name](params, lr=0.02)
    if name == "SGD":
        opt = optim.SGD(params, lr=0.02, momentum=0.9)
    drive(opt, params, 6 if name != "Lookahead" else 5)
    saved = opt.state_dict()

    def fresh(shapes):
        make = (lambda ps: optim.SGD(ps, momentum=0.9)) if name == "SGD" else ALL[name]
        opt = make(leaves(shapes))
        return opt, copy.deepcopy(opt.state_dict())

    wrong = [(7, 7), *shapes[1:]]
    for others, words in ((wrong, r"must have shape"), (shapes[:-1], r"shape|parameters in")):
        opt, before = fresh(others)
        with pytest.raises(ValueError, match=words):
            opt.load_state_dict(saved)
        np.testing.assert_equal(opt.state_dict(), before)
    other = optim.Adam if name not in ("Adam", "Lookahead", "AdamW") else optim.SGD
    with pytest.raises(ValueError, match="option|another optimizer|what state_dict"):
        other(leaves(shapes)).load_state_dict(saved)
    for garbage in ({}, None, [1], "state"):
        opt, before = fresh(shapes)
        with pytest.raises(ValueError, match="what state_dict"):
            opt.load_state_dict(garbage)
        np.testing.assert_equal(opt.state_dict(), before)


def test_a_saved_option_out_of_range_changes_nothing():
    params = leaves()
    opt = optim.Adam([{"params": params[:2]}, {"params": params[2:], "lr": 0.5}])
    saved = opt.state_dict()
    saved["param_groups"][0]["lr"] = 0.25
    saved["param_groups"][1]["eps"] = -1
    with pytest.raises(ValueError, match="eps must be in"):
        opt.load_state_dict(saved)
    assert [g["lr"] for g in opt.param_groups] == [1e-3, 0.5]


def test_a_deep_copy_is_independent(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02)
    drive(opt, params, 5)
    twins, twin = copy.deepcopy((params, opt))
    before = [p.data.copy() for p in params]
    drive(twin, twins, 5, first=5)
    close([p.data for p in params], before, rtol=0, atol=0)
    drive(opt, params, 5, first=5)
    close([p.data for p in twins], [p.data for p in params], rtol=0, atol=0)


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_copied_group_still_checks(way):
    opt = optim.SGD(leaves(), lr=0.1, momentum=0.9)
    opt.step()
    twin = copy.deepcopy(opt) if way == "deepcopy" else pickle.loads(pickle.dumps(opt))
    (group,) = twin.param_groups
    assert group.options == opt.param_groups[0].options
    with pytest.raises(ValueError, match="SGD: momentum must be in"):
        group["momentum"] = 1.0
    group["momentum"] = 0.5
    assert opt.param_groups[0]["momentum"] == 0.9 and group.options["momentum"] == 0.5
