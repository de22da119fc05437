"""The same numbers from minigrad and from PyTorch: a value, its gradients, and their gradients.

    ours(f, inputs)            [y, dL/dx ..., dM/dx ...] with L = <u, y> and M = sum of <v, dL/dx>
    theirs(torch, f, inputs)   the same; u and v are drawn from the same seed

so that comparing the two lists compares forward, backward and double backward.
"""

import numpy as np

from minigrad import Tensor, grad


def ours(f, inputs, seed=0):
    rng = np.random.default_rng(seed)
    xs = [Tensor(x, requires_grad=True) for x in inputs]
    y = f(*xs)
    u = rng.standard_normal(y.shape).astype(y.dtype)
    first = grad(y, xs, u, create_graph=True, allow_unused=True)
    second = [None] * len(xs)
    terms = []
    for x, g in zip(xs, first):
        v = rng.standard_normal(x.shape).astype(x.dtype)
        if g is not None and g.requires_grad:
            terms.append((g * v).sum())
    if terms:
        second = grad(sum(terms[1:], terms[0]), xs, allow_unused=True)
    gradients = [
        np.zeros(x.shape, x.dtype) if g is None else g.numpy()
        for x, g in zip(xs + xs, [*first, *second])
    ]
    return [y.numpy(), *gradients]


def theirs(torch, f, inputs, seed=0):
    rng = np.random.default_rng(seed)
    xs = [torch.tensor(np.asarray(x), requires_grad=True) for x in inputs]
    y = f(*xs)
    u = torch.tensor(rng.standard_normal(tuple(y.shape)), dtype=y.dtype)
    first = torch.autograd.grad(y, xs, u, create_graph=True, allow_unused=True)
    second = [None] * len(xs)
    terms = []
    for x, g in zip(xs, first):
        v = torch.tensor(rng.standard_normal(tuple(x.shape)), dtype=x.dtype)
        if g is not None and g.requires_grad:
            terms.append((g * v).sum())
    if terms:
        second = torch.autograd.grad(sum(terms), xs, allow_unused=True)
    gradients = [
        np.zeros(tuple(x.shape)) if g is None else g.numpy(force=True)
        for x, g in zip(xs + xs, [*first, *second])
    ]
    return [y.numpy(force=True), *gradients]


def assert_same(got, want, rtol=1e-10, atol=1e-13):
    assert len(got) == len(want)
    n = (len(got) - 1) // 2
    for i, (a, b) in enumerate(zip(got, want)):
        order = "value" if i == 0 else f"{'first' if i <= n else 'second'} derivative, input {(i - 1) % n}"
        assert a.shape == b.shape, f"{order}: shape {a.shape}, not {b.shape}"
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=order)
