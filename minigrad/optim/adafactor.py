"""Adafactor: Adam's second moments at the price of a row and a column.

Derived in `chapters/optimizers/since-2019.ipynb`.
"""

from math import sqrt
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..checks import number, numbers
from .optimizer import Optimizer, Params, norm


class Adafactor(Optimizer):
    r"""RMSprop with v factored into row and column means, and steps relative to the weights.

    $$\beta_t = 1 - t^{\text{beta2\_decay}}, \qquad
      r_t = \beta_t r_{t-1} + (1-\beta_t)\, \text{rowmean}(g_t^2), \qquad
      c_t = \beta_t c_{t-1} + (1-\beta_t)\, \text{colmean}(g_t^2)$$
    $$u_t = \frac{g_t}{\sqrt{r_t c_t / \text{mean}(r_t)}}, \qquad
      \theta_t = \theta_{t-1} - \max(\epsilon_2, \text{rms}(\theta_{t-1}))
      \min\!\left(\eta, \tfrac{1}{\sqrt t}\right)
      \frac{u_t}{\max(1, \text{rms}(u_t)/d)}$$

    Rows and columns are the last two axes; a vector or a number keeps the whole
    $v_t = \beta_t v_{t-1} + (1-\beta_t) g_t^2$.

    Parameters
    ----------
    lr: η >= 0, the largest relative step.
    beta2_decay: <= 0; with -0.8, as in the paper, β_t = 1 - t^-0.8.
    eps: (ε1, ε2), each >= 0; ε1 bounds mean(r) and √v from below (None: the dtype's machine
        epsilon), ε2 the size of the weights that steps are relative to.
    d: >= 1, the largest rms of u.
    weight_decay: λ >= 0; every step takes the fraction ηλ off the weights.
    maximize: climb up the gradient, not down.

    Memory: a row and a column per matrix.
    Reference: Shazeer & Stern 2018, Algorithms 4-6, as PyTorch's, with its defaults.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([[2.0, 2.0]], requires_grad=True)
    >>> opt = Adafactor([x], lr=0.25)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([[1.5, 1.5]])
    """

    layerwise = True
    needs_finite = True
    domains = Optimizer.domains | {"eps": "[0, inf)", "beta2_decay": "(-inf, 0]", "d": "[1, inf)"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    @classmethod
    def checked_option(cls, key: str, value: Any) -> Any:
        if key != "eps":
            return super().checked_option(key, value)
        if isinstance(value, (tuple, list)) and len(value) == 2 and value[0] is None:
            return None, number(cls.__name__, "eps[1]", value[1], "[0, inf)")
        return numbers(cls.__name__, key, value, 2, "[0, inf)")

    def state_shape(self, key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if key == "v":
            return shape
        return (*shape[:-1], 1) if key == "r" else (*shape[:-2], 1, *shape[-1:])

    def update(self, theta, g, state, lr, beta2_decay, eps, d, weight_decay):
        t = state["t"]
        eps1 = float(np.finfo(theta.dtype).eps) if eps[0] is None else eps[0]
        # α_t = max(ε2, rms(θ_{t-1})) min(η, 1 / √t)
        alpha = max(eps[1], rms(theta)) * min(lr, 1 / sqrt(t))
        # θ <- (1 - η λ) θ
        theta *= 1 - lr * weight_decay
        # r_t = β_t r_{t-1} + (1 - β_t) rowmean(g²),   c_t likewise,   1 - β_t = t^beta2_decay
        weight = t**beta2_decay
        squares = g * g
        if theta.ndim > 1:
            if t == 1:
                state["r"] = np.zeros_like(theta, shape=self.state_shape("r", theta.shape))
                state["c"] = np.zeros_like(theta, shape=self.state_shape("c", theta.shape))
            r, c = state["r"], state["c"]
            r += weight * (squares.mean(axis=-1, keepdims=True) - r)
            c += weight * (squares.mean(axis=-2, keepdims=True) - c)
            # v = r cᵀ / mean(r)
            v = r * c / np.maximum(r.mean(axis=-2, keepdims=True), eps1)
        else:
            state["v"] += weight * (squares - state["v"])
            v = state["v"]
        # u_t = g_t / √v
        u = g / np.sqrt(np.maximum(v, eps1 * eps1))
        # θ_t = θ_{t-1} - α_t u_t / max(1, rms(u_t) / d)
        theta -= alpha / max(1.0, rms(u) / d) * u


def rms(x: Array) -> float:
    """The root of the mean square of all elements."""
    return norm(x) / sqrt(x.size)
