"""Gated linear units: the axis holds two halves, [a, b].

Derived in `chapters/activations/gated-linear-units.ipynb`.
"""

from __future__ import annotations

from ..autograd.tensor import ArrayLike, Tensor, apply
from ..checks import one_axis, real
from .gelu_silu_swish import _swish, _swish_arguments, gelu
from .relu_family import relu
from .sigmoid_tanh import sigmoid


def _halves(label: str, x: ArrayLike, axis: int) -> tuple[Tensor, Tensor]:
    x = real(label, "x", x)
    axis = one_axis(label, x, axis) % x.ndim
    if x.shape[axis] % 2:
        raise ValueError(
            f"{label}: axis {axis} of shape {x.shape} is split in two halves, so its size must be "
            f"even, got {x.shape[axis]}"
        )
    n, lead = x.shape[axis] // 2, (slice(None),) * axis
    return x[(*lead, slice(None, n))], x[(*lead, slice(n, None))]


def glu(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot \sigma(b)$, a and b the two halves of x: the gated linear unit.

    Shape: (..., 2n, ...) with 2n along `axis`; returns n there.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or its size is odd or 0.

    Reference: Dauphin et al. (2017), Language modeling with gated convolutional networks, eq. 1.
    Derived in `chapters/activations/gated-linear-units.ipynb`.

    >>> glu([3.0, 0.0])
    Tensor([1.5])
    """
    a, b = _halves("glu", x, axis)
    return a * sigmoid(b)


def bilinear(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot b$, a and b the two halves of x: a gate without a nonlinearity.

    Shape and errors as `glu`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 4. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> bilinear([3.0, -1.0])
    Tensor([-3.])
    """
    a, b = _halves("bilinear", x, axis)
    return a * b


def reglu(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot \operatorname{relu}(b)$, a and b the two halves of x.

    Shape and errors as `glu`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 5. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> reglu([3.0, 2.0])
    Tensor([6.])
    """
    a, b = _halves("reglu", x, axis)
    return a * relu(b)


def geglu(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot \operatorname{gelu}(b)$, a and b the two halves of x, with the exact GELU.

    Shape and errors as `glu`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 5. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> geglu([2.0, 1000.0])
    Tensor([2000.])
    """
    a, b = _halves("geglu", x, axis)
    return a * gelu(b)


def swiglu(x: ArrayLike, beta: ArrayLike = 1.0, axis: int = -1) -> Tensor:
    r"""$a \odot b\,\sigma(\beta b)$, a and b the two halves of x.

    Shape and errors as `glu`; beta, a number or a Tensor, as `swish`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 5. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> swiglu([2.0, 1000.0])
    Tensor([2000.])
    """
    a, b = _halves("swiglu", x, axis)
    return a * apply(_swish, *_swish_arguments("swiglu", b, beta))
