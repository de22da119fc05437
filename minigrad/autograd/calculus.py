"""Derivatives as functions: grad, vjp, jvp, jacobian, hessian, hvp.

All of them are the one walk of `tensor.py`, started from different gradients. Derived in
`chapters/autograd/higher-order.ipynb`.

They nest to any depth: inside the function that one of them differentiates, another gives a result
that can be differentiated again, as it does at a point with a history. At a leaf, and for what the
function uses beside its argument, they take the values: there, `grad(..., create_graph=True)` keeps
the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..checks import flag, function, real, same_shape
from .recording import recording, state
from .tensor import ArrayLike, Tensor, seed_gradient, walk


def grad(
    output: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: ArrayLike | Sequence[ArrayLike] | None = None,
    create_graph: bool | None = None,
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
    create_graph: record the computation of the gradients, so that they can be differentiated. By
        default that is done inside a function that jacobian, hessian, hvp, jvp or vjp
        differentiates, and only there.
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
    create_graph = (
        recorded() if create_graph is None else flag("grad", "create_graph", create_graph)
    )
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
    """What a function's derivative is taken at: a copy of x as a leaf.

    Inside another of these functions, and for an x with a history, it stays connected with x, so
    that what is computed here can be differentiated again.
    """
    x = real(who, key, x)
    return np.positive(x) if x._requires_grad and recorded(x) else Tensor(x, requires_grad=True)


def recorded(*x: Tensor) -> bool:
    """Whether derivatives at x shall be differentiable themselves."""
    return state.on and (state.depth > 0 or any(v._f is not None for v in x))


def evaluate(who: str, f: Callable[..., Any], *x: Tensor) -> Tensor:
    """f(*x), recorded also inside no_grad(). What is no Tensor is a constant."""
    function(who, "f", f, "a function of Tensors")
    state.depth += 1
    try:
        with recording(True):
            y = f(*x)
    finally:
        state.depth -= 1
    if isinstance(y, (tuple, list, dict)) or y is None:
        raise TypeError(
            f"{who}: f must return a Tensor, got {type(y).__name__}: differentiate its parts one "
            "by one, or join them with np.stack or np.concatenate"
        )
    return y if isinstance(y, Tensor) else Tensor(y)


def zeros(x: Tensor, shape: tuple[int, ...] = ()) -> Tensor:
    """The derivative of a constant of this shape."""
    return Tensor(np.zeros(shape + x.shape, x.dtype))


def vjp(f: Callable[..., Tensor], *x: ArrayLike) -> tuple[Tensor, Callable[..., Any]]:
    """`f(*x)`, and the function `u -> J^T u` (u of its shape) that carries a cotangent back.

    The function can be called again and again; it gives one Tensor for one x, else a tuple.

    >>> y, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pull(np.array([1.0, 10.0]))
    Tensor([ 2., 40.])
    """
    leaves = [fresh_leaf("vjp", f"x[{i}]", v) for i, v in enumerate(x)]
    y = evaluate("vjp", f, *leaves)

    def pull(u: ArrayLike) -> Any:
        again = recorded(*leaves)
        if y.requires_grad:
            gs = grad(y, leaves, u, again, retain_graph=True, allow_unused=True)
        else:
            same_shape("vjp", u=real("vjp", "u", u), value=y)
            gs = (None,) * len(leaves)
        gs = tuple(zeros(v) if g is None else g for v, g in zip(leaves, gs))
        return gs[0] if len(gs) == 1 else gs

    return (y if recorded(*leaves) else y.detach()), pull


def jvp(f: Callable[[Tensor], Tensor], x: ArrayLike, v: ArrayLike) -> tuple[Tensor, Tensor]:
    """f(x) and the directional derivative J v, v of x's shape.

    Two walks back make one step forward: u -> J^T u is linear, and its derivative's transpose is J.

    >>> jvp(lambda x: x * x, np.array([1.0, 2.0]), np.array([1.0, 10.0]))[1]
    Tensor([ 2., 40.])
    """
    x, v = fresh_leaf("jvp", "x", x), real("jvp", "v", v)
    same_shape("jvp", x=x, v=v)
    y, again = evaluate("jvp", f, x), recorded(x, v)
    value = y if again else y.detach()
    if not y.requires_grad:
        return value, Tensor(np.zeros_like(y._data, dtype=x.dtype))
    u = Tensor(np.zeros_like(y._data), requires_grad=True)
    back = grad(y, x, u, create_graph=True, allow_unused=True)
    if back is None or not back.requires_grad:
        return value, Tensor(np.zeros_like(y._data))
    forth = grad(back, u, v, again, allow_unused=True)
    return value, Tensor(np.zeros_like(y._data)) if forth is None else forth


def jacobian(f: Callable[[Tensor], Tensor], x: ArrayLike) -> Tensor:
    """All first derivatives, `J[i..., j...] = df_i/dx_j`, of shape `f(x).shape + x.shape`.

    One walk for each element of f(x).

    >>> jacobian(lambda x: x * x, np.array([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]])
    """
    x = fresh_leaf("jacobian", "x", x)
    y = evaluate("jacobian", f, x)
    if not y.requires_grad or not y.size:
        return zeros(x, y.shape)
    rows = []
    for u in np.eye(y.size, dtype=y.dtype):
        row = grad(y, x, u.reshape(y.shape), recorded(x), retain_graph=True, allow_unused=True)
        rows.append(zeros(x) if row is None else row)
    whole: Any = np.stack(rows)
    return whole.reshape(y.shape + x.shape)  # type: ignore[no-any-return]


def hessian(f: Callable[[Tensor], Tensor], x: ArrayLike) -> Tensor:
    """All second derivatives of a function with one output: `H[i..., j...] = d2f/dx_i dx_j`.

    >>> hessian(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]))
    Tensor([[4., 2.],
            [2., 0.]])
    """
    return jacobian(lambda s: gradient(f, s, "hessian"), real("hessian", "x", x))


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
        return zeros(x)
    result = grad(g, x, v, recorded(x, v), allow_unused=True)
    return zeros(x) if result is None else result


def gradient(f: Callable[[Tensor], Tensor], x: Tensor, who: str = "gradient") -> Tensor:
    """The gradient of f at x, itself differentiable; zeros if f does not depend on x."""
    y = evaluate(who, f, x)
    if y.size != 1:
        raise ValueError(f"{who}: f must return one number, got shape {y.shape}")
    g = grad(y, x, create_graph=True, allow_unused=True) if y.requires_grad else None
    return zeros(x) if g is None else g


__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "vjp"]
