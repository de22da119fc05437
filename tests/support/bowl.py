"""One noisy bowl that every optimizer walks down, and what all their tests have in common.

Parameter i is driven by g = c_i θ + noise(i, t), so that an error in any step changes all later ones.
"""

import copy
import inspect

import numpy as np

from minigrad import Tensor, optim

SHAPES = [(3, 4), (4,), (), (2, 3, 2), (5, 1)]


MATRICES = [(3, 4), (5, 2), (3, 3), (1, 4)]


CHECKPOINTS = (1, 2, 5, 6, 20, 100, 200)


ALL = {
    name: getattr(optim, name)
    for name in optim.__all__
    if name not in ("SWA", "EMA", "clip_grad_norm", "Optimizer", "Lookahead")
}


ALL["Lookahead"] = lambda params, **options: optim.Lookahead(optim.Adam(params, **options), k=3)


FLAT = [n for n in ALL if n != "Lookahead" and not ALL[n].layerwise]


BY_PYTORCH = {
    "SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adafactor", "Muon",
}  # fmt: skip
BY_PAPER = {
    "SGDW", "AdaBound", "AMSBound", "LARS", "LAMB", "Lion", "Shampoo", "SOAP", "ScheduleFreeSGD", "ScheduleFreeAdamW", "SWATS", "Lookahead", "Sophia",
}  # fmt: skip


def has(name, option):
    return name != "Lookahead" and option in inspect.signature(ALL[name]).parameters


def shapes_for(name):
    return MATRICES if name == "Muon" else SHAPES


def start(shapes, dtype=np.float64):
    rng = np.random.default_rng(7)
    return [rng.standard_normal(s).astype(dtype) for s in shapes]


def slope(theta, i, t):
    """The gradient for parameter i at step t (from 0), or None."""
    if i == 1 and t % 3 == 1 or i == 3 and t < 4:
        return None
    noise = np.random.default_rng([i, t]).standard_normal(theta.shape)
    return np.asarray((0.5 + 0.3 * i) * theta + noise, theta.dtype)


def leaves(shapes=SHAPES, dtype=np.float64):
    return [Tensor(x, requires_grad=True) for x in start(shapes, dtype)]


def drive(opt, params, steps, first=0):
    """Step along; the parameters at the checkpoints, flat."""
    seen = []
    for t in range(first, first + steps):
        for i, p in enumerate(params):
            p.grad = slope(p.numpy(), i, t)
        opt.step()
        if t + 1 in CHECKPOINTS:
            seen.append(np.concatenate([p.data.ravel() for p in params]))
    return seen


def walk(make, shapes=SHAPES, dtype=np.float64, steps=200):
    params = leaves(shapes, dtype)
    return drive(make(params), params, steps)


def snapshot(opt, params):
    return copy.deepcopy((opt.state_dict(), [p.data for p in params]))


def close(got, want, rtol=1e-9, atol=1e-12):
    assert len(got) == len(want) > 0
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
