"""Gradients at the ends of the number line: every optimizer, in each dtype, however it is resumed.

A run in float32 or float16 is compared with the same run in float64: it is right, or refused before
anything is changed, or NumPy has warned that squares overflow.
"""

import copy
import pickle
import warnings

import numpy as np
import pytest

from bowl import ALL, has, shapes_for, start
from minigrad import Tensor, load, optim, save

STEPS, LR = 6, 0.02
DTYPES = [np.float16, np.float32, np.float64]
SIZES = {np.float16: [0.0, 1e-30, 1e-4, 1e4], np.float32: [0.0, 1e-30, 1e-4, 1e20], np.float64: [0.0, 1e-30, 1e-4, 1e20]}  # fmt: skip

# In float32 the squares of 1e20 are inf.
OVERFLOW = {"Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Lookahead"}
REFUSED = {"Adafactor", "Shampoo", "SOAP"}  # their rules have no meaning with inf


def rate(t):
    return LR / (1 + t) ** 0.5


def make(name, params):
    options = {"weight_decay": 0.0} if has(name, "weight_decay") else {}
    if name == "Adafactor":
        options["eps"] = (1e-12, 1e-3)  # by default it depends on the dtype
    return ALL[name](params, lr=LR, **options).schedule(rate)


def gradients(name, dtype, size):
    """Those of each step, exactly the same numbers in every dtype that is as wide."""
    rng = np.random.default_rng(3)
    with np.errstate(under="ignore"):
        return [
            [np.asarray(size * rng.uniform(0.5, 2, s) * rng.choice([-1, 1], s)).astype(dtype) for s in shapes_for(name)]
            for _ in range(STEPS)
        ]  # fmt: skip


def walk(opt, params, steps):
    for grads in steps:
        for p, g in zip(params, grads):
            p.grad = g
        opt.step()


def begin(name, dtype):
    # the values are those of float16, so that all dtypes start at the same point
    values = start(shapes_for(name), np.float16)
    params = [Tensor(x.astype(dtype), requires_grad=True) for x in values]
    return make(name, params), params


def values(params):
    return np.concatenate([p.data.ravel() for p in params])


def through_state_dict(opt, params, name, path):
    again = [Tensor(p.data, requires_grad=True) for p in params]
    other = make(name, again)
    other.load_state_dict(opt.state_dict())
    return other, again


def through_a_file(opt, params, name, path):
    save(path / "state.npz", {"state": opt.state_dict(), "params": [p.data for p in params]})
    saved = load(path / "state.npz")
    again = [Tensor(x, requires_grad=True) for x in saved["params"]]
    other = make(name, again)
    other.load_state_dict(saved["state"])
    return other, again


WAYS = {
    "state_dict": through_state_dict,
    "file": through_a_file,
    "deepcopy": lambda opt, params, name, path: copy.deepcopy((opt, params)),
    "pickle": lambda opt, params, name, path: pickle.loads(pickle.dumps((opt, params))),
    "pickle of the optimizer": lambda opt, params, name, path: own(pickle.loads(pickle.dumps(opt))),
}


def own(opt):
    return opt, [p for group in opt.param_groups for p in group["params"]]


@pytest.mark.parametrize(
    "dtype,size",
    [pytest.param(d, s, id=f"{d.__name__}-{s:g}") for d in DTYPES for s in SIZES[d]],
)
def test_the_ends_of_the_number_line(name, dtype, size, tmp_path):
    steps = gradients(name, dtype, size)
    opt, params = begin(name, dtype)
    if name in REFUSED and dtype == np.float32 and size == 1e20:
        before = values(params), copy.deepcopy(opt.state_dict())
        with pytest.raises(ValueError, match=f"{name}: the gradients must be finite"):
            walk(opt, params, steps)
        np.testing.assert_equal((values(params), opt.state_dict()), before)
        return
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        walk(opt, params, steps)
    got = values(params)
    assert got.dtype == dtype and np.isfinite(got).all()
    overflow = any("overflow" in str(w.message) for w in warned)
    assert not [w for w in warned if "overflow" not in str(w.message)]
    assert overflow == (dtype == np.float32 and size == 1e20 and name in OVERFLOW)

    # in float64, from the same point by the same gradients
    exact, reference = begin(name, np.float64)
    walk(exact, reference, [[g.astype(np.float64) for g in grads] for grads in steps])
    want = values(reference)
    if not overflow:
        # every step rounds; relative to the largest, as SGD's θ is that of its gradients here
        rounding = {np.float16: 2e-3, np.float32: 1e-5, np.float64: 0}[dtype]
        np.testing.assert_allclose(got, want, rtol=rounding, atol=rounding * abs(want).max())
    if size == 0:
        rounding = STEPS * np.finfo(dtype).eps if name.startswith("ScheduleFree") else 0  # of x, z
        np.testing.assert_allclose(got, values(begin(name, dtype)[1]), rtol=rounding)

    # interrupted in the middle, it goes on to the same point, bit for bit
    for way in WAYS.values():
        opt, params = begin(name, dtype)
        with np.errstate(over="ignore"):
            walk(opt, params, steps[:3])
            opt, params = way(opt, params, name, tmp_path)
            walk(opt, params, steps[3:])
        np.testing.assert_array_equal(values(params), got)
        assert opt.lr == rate(STEPS - 1)


@pytest.mark.parametrize("name", sorted(OVERFLOW | {"NAdam", "LAMB", "SWATS", "ScheduleFreeAdamW"}))
def test_where_a_mean_of_squares_is_inf_nothing_moves(name):
    opt, params = begin(name, np.float32)
    before = values(params)
    with pytest.warns(RuntimeWarning, match="overflow encountered in multiply"):
        walk(opt, params, gradients(name, np.float32, 1e25))
    np.testing.assert_allclose(values(params), before, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0.0, 1e-12, 1e3, 1e8])
def test_no_nan_from_finite_input(name, size, dtype):
    for theta in 0.0, 1.0, 1e4:
        params = [Tensor(np.full(s, theta, dtype), requires_grad=True) for s in shapes_for(name)]
        opt = ALL[name](params, lr=0.01)
        for sign in 1, 1, -1, 0, 1:
            for p in params:
                p.grad = np.full(p.shape, sign * size, dtype)
            opt.step()
        assert all(np.isfinite(p.data).all() for p in params)


def test_a_centred_rmsprop_whose_squares_overflow_is_not_nan():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    opt = optim.RMSprop([x], alpha=0.5, centered=True, momentum=0.9)
    with np.errstate(over="ignore"):
        for _ in range(20):
            x.grad = np.array([1e20, -1e20, 1.0], np.float32)
            opt.step()
    assert np.isfinite(x.data).all()


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1e20])
@pytest.mark.parametrize("cls", [optim.LARS, optim.LAMB])
def test_a_layer_moves_by_a_fraction_of_its_size_however_small_its_gradient(cls, size):
    if cls is optim.LAMB and size > 1:
        return  # its v overflows
    x = Tensor(np.array([3, 4], np.float32), requires_grad=True)
    o = {"trust_coefficient": 1.0} if cls is optim.LARS else {"weight_decay": 0.0, "eps": 0.0}
    if cls is optim.LAMB and size < 1e-18:
        o["eps"] = 1e-6  # and √v is 0
    x.grad = np.array([size, -size], np.float32)
    with np.errstate(over="ignore"):
        cls([x], lr=0.01, **o).step()
    np.testing.assert_allclose(np.linalg.norm(x.data - [3, 4]), 0.05, rtol=1e-4)


def test_swats_estimates_the_rate_also_from_small_steps():
    means = []
    for dtype in np.float32, np.float64:
        x = Tensor(np.ones(3, dtype), requires_grad=True)
        opt = optim.SWATS([x])
        for g in [1, 2, -1], [2, 1, 1]:
            x.grad = 1e-25 * np.array(g, dtype)
            opt.step()
        means.append(opt.mean)
    assert means[0] == pytest.approx(means[1], rel=1e-4) and means[0] > 0


def test_float16_keeps_the_moments_in_float32():
    x = Tensor(np.ones(3, np.float16), requires_grad=True)
    opt = optim.Adam([x], lr=0.01)
    x.grad = np.full(3, 1e-4, np.float16)
    opt.step()
    np.testing.assert_allclose(x.data, 0.99, rtol=1e-3)
    (state,) = opt.state_dict()["state"]
    assert x.data.dtype == np.float16 and state["v"].dtype == np.float32 and (state["v"] > 0).all()
    # and what is assigned is what the next step starts from
    x.data = np.full(3, 5, np.float16)
    opt.step()
    np.testing.assert_allclose(x.data, 4.99, rtol=1e-3)
