"""What the tests of the losses share: inputs, slopes, seeds."""

import numpy as np
from hypothesis.extra import numpy as hnp
from scipy.special import softmax

from minigrad import Tensor, grad
from torch_reference import torch

F = torch.nn.functional if torch is not None else None
REDUCTIONS = ("mean", "sum", "none")
RNG = np.random.default_rng(0)
# key: (minigrad's, PyTorch's, how to draw its inputs), each with `reduction` to be filled in.
# `rng` draws constants; both sides see the same.
W = {k: np.random.default_rng(k).uniform(0.2, 2, k) for k in (3, 4)}
Y = np.array([2, 0, 1, 2])
P = softmax(np.random.default_rng(5).normal(size=(4, 3)), axis=1)
S4 = np.array([1, -1, 1, -1])
shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def reduced(f, *args, **kwargs):
    """The single losses, after checking that mean and sum are made of them."""
    single = f(*args, reduction="none", **kwargs).numpy()
    np.testing.assert_allclose(f(*args, reduction="sum", **kwargs).numpy(), single.sum(), rtol=1e-13)
    np.testing.assert_allclose(f(*args, reduction="mean", **kwargs).numpy(), single.mean(), rtol=1e-13)
    np.testing.assert_allclose(f(*args, **kwargs).numpy(), single.mean(), rtol=1e-13)
    return single


def slopes(f, x):
    """The central difference of a function of an array that gives one number."""
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = 1e-6
        g[i] = (f(x + e) - f(x - e)) / 2e-6
    return g


def gradient(f, x):
    x = Tensor(x, requires_grad=True)
    return grad(f(x), x).numpy()


def sigma(x):
    return 1 / (1 + np.exp(-x))


def pairs(r):
    return [(i, j) for i in range(len(r)) for j in range(len(r)) if r[i] > r[j]]
