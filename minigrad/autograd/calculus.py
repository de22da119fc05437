"""Derivatives as functions: grad, vjp, jvp, jacobian, hessian, hvp.

All of them are the one walk of `tensor.py`, started from different gradients. Derived in
`chapters/autograd/higher-order.ipynb`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..checks import flag, function, real, same_shape
from .tensor import ArrayLike, Tensor, recording, seed_gradient, walk


def grad(
    output: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: ArrayLike | Sequence[ArrayLike] | None = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> Any:
    """dL/dx for each x of `inputs`. No `.grad` is changed.

    Parameters
    ----------
    output: the tensor to differentiate; several are differentiated as the sum of their products
        with `grad_outputs`.
    inputs: one Tensor, or several.
    grad_outputs: dL/d(output), of the output's shape; 1 for an output of one element.
    create_graph: record the computation of the gradients, so that they can be differentiated.
    retain_graph: keep the history for another walk; by default only with `create_graph`.
    allow_unused: give None for an input that the output does not depend on, instead of raising.

    Returns
    -------
    One Tensor for one input, a tuple of Tensors for a sequence of inputs.

    Raises
    ------
    RuntimeError: an input was not used, does not require a gradient, or the graph was released.

    Example
    -------
    >>> x = Tensor(2.0, requires_grad=True)
    >>> first = grad(x**3, x, create_graph=True)
    >>> float(first), float(grad(first, x))
    (12.0, 12.0)
    """
    outputs, wanted = tensors("output", output), tensors("inputs", inputs)
    create_graph = flag("grad", "create_graph", create_graph)
    retain_graph = (
        create_graph if retain_graph is None else flag("grad", "retain_graph", retain_graph)
    )
    allow_unused = flag("grad", "allow_unused", allow_unused)
    seeds = (
        [grad_outputs]
        if isinstance(output, Tensor)
        else list(grad_outputs or [None] * len(outputs))
    )
    if len(seeds) != len(outputs):
        raise ValueError(
            f"grad: {len(outputs)} outputs need as many grad_outputs, got {len(seeds)}"
        )
    for i, x in enumerate(wanted):
        if not x.requires_grad:
            raise RuntimeError(f"grad: input {i} does not require a gradient (requires_grad=False)")
    gs: list[Any] = []
    for y, seed in zip(outputs, seeds):
        g = seed_gradient("grad: grad_outputs", y, seed)  # checks it
        gs.append((seed if isinstance(seed, Tensor) else Tensor(g)) if create_graph else g)
    with recording(create_graph):
        found = walk(outputs, gs, wanted, create_graph, retain_graph)
    by_tensor = {id(x): g if isinstance(g, Tensor) else Tensor(g) for x, g in found}
    result = tuple(by_tensor.get(id(x)) for x in wanted)
    unused = [i for i, g in enumerate(result) if g is None]
    if unused and not allow_unused:
        raise RuntimeError(
            f"grad: the output does not depend on input {', '.join(map(str, unused))}: "
            "leave it out, or pass allow_unused=True to get None for it"
        )
    return result[0] if isinstance(inputs, Tensor) else result


def tensors(key: str, given: Any) -> list[Tensor]:
    """One Tensor, or several, as a list."""
    if isinstance(given, Tensor):
        return [given]
    if not isinstance(given, (list, tuple)) or not all(isinstance(x, Tensor) for x in given):
        kind = type(given).__name__
        raise TypeError(f"grad: {key} must be a Tensor or a list of them, got {kind}")
    return list(given)


def fresh_leaf(who: str, key: str, x: ArrayLike) -> Tensor:
    """A copy of x as a leaf, at which a function's derivative is taken."""
    return Tensor(real(who, key, x), requires_grad=True)


def evaluate(who: str, f: Callable[..., Tensor], *x: Tensor) -> Tensor:
    """f(*x), recorded also inside no_grad()."""
    with recording(True):
        y = function(who, "f", f, "a function of Tensors")(*x)
    if not isinstance(y, Tensor):
        raise TypeError(f"{who}: f must return a Tensor, got {type(y).__name__}")
    return y


def vjp(f: Callable[..., Tensor], *x: ArrayLike) -> tuple[Tensor, Callable[..., Any]]:
    """f(*x), and the function u -> J^T u (u of the value's shape) that carries a cotangent back.

    The function can be called again and again; it gives one Tensor for one x, else a tuple.

    >>> y, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pull(np.array([1.0, 10.0]))
    Tensor([ 2., 40.])
    """
    leaves = [fresh_leaf("vjp", f"x[{i}]", v) for i, v in enumerate(x)]
    y = evaluate("vjp", f, *leaves)

    def pull(u: ArrayLike) -> Any:
        gs = grad(y, leaves, u, retain_graph=True, allow_unused=True)
        gs = tuple(Tensor(np.zeros_like(v._data)) if g is None else g for v, g in zip(leaves, gs))
        return gs[0] if len(gs) == 1 else gs

    return y.detach(), pull


def jvp(f: Callable[[Tensor], Tensor], x: ArrayLike, v: ArrayLike) -> tuple[Tensor, Tensor]:
    """f(x) and the directional derivative J v, v of x's shape.

    Two walks back make one step forward: u -> J^T u is linear, and its derivative's transpose is J.

    >>> jvp(lambda x: x * x, np.array([1.0, 2.0]), np.array([1.0, 10.0]))[1]
    Tensor([ 2., 40.])
    """
    x, v = fresh_leaf("jvp", "x", x), real("jvp", "v", v)
    same_shape("jvp", x=x, v=v)
    y = evaluate("jvp", f, x)
    if not y.requires_grad:
        return y, Tensor(np.zeros_like(y._data))
    u = Tensor(np.zeros_like(y._data), requires_grad=True)
    back = grad(y, x, u, create_graph=True, allow_unused=True)
    if back is None or not back.requires_grad:
        return y.detach(), Tensor(np.zeros_like(y._data))
    return y.detach(), grad(back, u, v)


def jacobian(f: Callable[[Tensor], Tensor], x: ArrayLike) -> Tensor:
    """All first derivatives, J[i..., j...] = df_i/dx_j, of shape f(x).shape + x.shape.

    One walk for each element of f(x).

    >>> jacobian(lambda x: x * x, np.array([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]])
    """
    x = fresh_leaf("jacobian", "x", x)
    y = evaluate("jacobian", f, x)
    rows = np.zeros((y.size, *x.shape), x.dtype)
    if y.requires_grad:
        for i, u in enumerate(np.eye(y.size, dtype=y.dtype)):
            row = grad(y, x, u.reshape(y.shape), retain_graph=True, allow_unused=True)
            rows[i] = 0 if row is None else row._data
    return Tensor(rows.reshape(y.shape + x.shape))


def hessian(f: Callable[[Tensor], Tensor], x: ArrayLike) -> Tensor:
    """All second derivatives of a function with one output: H[i..., j...] = d2f/dx_i dx_j.

    >>> hessian(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]))
    Tensor([[4., 2.],
            [2., 0.]])
    """
    return jacobian(lambda x: gradient(f, x, "hessian"), real("hessian", "x", x))


def hvp(f: Callable[[Tensor], Tensor], x: ArrayLike, v: ArrayLike) -> Tensor:
    """The Hessian times v, without the Hessian: the gradient of (gradient . v).

    Costs a small multiple of one gradient, whatever the number of variables.

    >>> hvp(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    Tensor([4., 2.])
    """
    x, v = fresh_leaf("hvp", "x", x), real("hvp", "v", v)
    same_shape("hvp", x=x, v=v)
    g = gradient(f, x, "hvp")
    if not g.requires_grad:  # f is linear
        return Tensor(np.zeros_like(x._data))
    result = grad(g, x, v, allow_unused=True)
    return Tensor(np.zeros_like(x._data)) if result is None else result


def gradient(f: Callable[[Tensor], Tensor], x: Tensor, who: str = "gradient") -> Tensor:
    """The gradient of f at x, itself differentiable; zeros if f does not depend on x."""
    y = evaluate(who, f, x)
    if y.size != 1:
        raise ValueError(f"{who}: f must return one number, got shape {y.shape}")
    g = grad(y, x, create_graph=True, allow_unused=True) if y.requires_grad else None
    return Tensor(np.zeros_like(x._data)) if g is None else g


__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "vjp"]
