"""Shampoo: a preconditioner for each axis. Derived in `chapters/optimizers/since-2019.ipynb`."""

from collections.abc import Sequence

import numpy as np

from ..autograd.arrays import Array
from .optimizer import Optimizer, Params


class Shampoo(Optimizer):
    r"""AdaGrad with a full matrix for each axis of a parameter.

    $$L_t = L_{t-1} + G_t G_t^\top, \qquad R_t = R_{t-1} + G_t^\top G_t, \qquad
      W_t = W_{t-1} - \eta\, L_t^{-1/4}\, G_t\, R_t^{-1/4}$$

    from $L_0 = R_0 = \epsilon I$. A tensor of k axes has k such sums, each to the power −1/(2k); a
    vector has one, to the power −1/2: AdaGrad with the full matrix.

    Parameters
    ----------
    lr: the learning rate η >= 0, by which the step is multiplied.
    eps: ε > 0, with which the sums begin (L_0 = R_0 = εI), so that they can be inverted.
    precondition_frequency: 1, 2, ...; how many steps the roots are used before they are computed
        anew.
    maximize: climb up the gradient, not down.

    Memory: n² numbers for each axis of length n, twice. Time: n³ when the roots are computed.
    Reference: Gupta, Koren & Singer 2018, Algorithms 1 and 2.

    Example
    -------
    >>> import numpy as np
    >>> from minigrad import Tensor
    >>> W = Tensor(np.eye(2), requires_grad=True)
    >>> opt = Shampoo([W], lr=0.5)
    >>> (W * W).sum().backward(); opt.step(); W.data.round(4) + 0.0
    array([[0.5, 0. ],
           [0. , 0.5]])
    """

    layerwise = True
    needs_finite = True
    domains = Optimizer.domains | {"eps": "(0, inf)", "precondition_frequency": "{1, 2, ...}"}

    def __init__(
        self,
        params: Params,
        lr: float = 0.1,
        eps: float = 1e-4,
        precondition_frequency: int = 1,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def state_shape(self, key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        n = shape[int(key[1:])]  # "H0", "P0", "H1", ...
        return (n, n)

    def update(self, theta, g, state, lr, eps, precondition_frequency):
        for i, n in enumerate(g.shape):
            if state["t"] == 1:
                state[f"H{i}"] = eps * np.eye(n, dtype=g.dtype)
            # L_t = L_{t-1} + G_t G_tᵀ,   R_t = R_{t-1} + G_tᵀ G_t
            state[f"H{i}"] += outer(g, i)
            if (state["t"] - 1) % precondition_frequency == 0:
                # L_t^(-1/4): of k axes, to the power -1 / (2k)
                values, vectors = np.linalg.eigh(state[f"H{i}"])
                power = np.maximum(values, eps) ** (-1 / (2 * g.ndim))  # they are >= ε but rounded
                state[f"P{i}"] = vectors * power @ vectors.T
        # W_t = W_{t-1} - η L_t^(-1/4) G_t R_t^(-1/4)
        theta -= lr * along_axes([state[f"P{i}"] for i in range(g.ndim)], g)


def outer(x: Array, axis: int) -> Array:
    """X Xᵀ, where the rows of X are the slices of x along an axis.

    >>> outer(np.array([[1.0, 2.0]]), 0)
    array([[5.]])
    """
    rows = np.moveaxis(x, axis, 0).reshape(x.shape[axis], -1)
    product: Array = rows @ rows.T
    return product


def along_axes(matrices: Sequence[Array], x: Array) -> Array:
    """x with each axis multiplied by its matrix: for two axes, A x Bᵀ.

    >>> along_axes([np.array([[2.0]]), np.eye(3)], np.ones((1, 3)))
    array([[2., 2., 2.]])
    """
    for axis, A in enumerate(matrices):
        x = np.moveaxis(np.tensordot(A, x, axes=(1, axis)), 0, axis)
    return x
