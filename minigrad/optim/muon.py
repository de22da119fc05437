"""Muon: momentum, orthogonalized. Derived in `chapters/optimizers/since-2019.ipynb`."""

from math import sqrt
from typing import Any

from ..autograd.arrays import Array
from ..autograd.tensor import Tensor
from ..checks import choice, numbers
from .optimizer import Optimizer, Params, norm


class Muon(Optimizer):
    r"""Momentum whose singular values are all made (about) 1 before the step, for matrices.

    $$B_t = \mu B_{t-1} + (1-\mu) G_t, \qquad
      O_t = \text{orthogonalize}\big((1-\mu) G_t + \mu B_t\big) \approx U V^\top, \qquad
      W_t = (1 - \eta\lambda) W_{t-1} - \eta\, s\, O_t$$

    where $U \Sigma V^\top$ is the singular value decomposition of the argument, and the scale is
    $s = \sqrt{\max(1, \text{rows} / \text{columns})}$.

    Parameters
    ----------
    params: matrices only; biases, gains and embeddings are for another optimizer.
    lr: the learning rate η >= 0; the singular values of a step are about ηs.
    weight_decay: λ >= 0; every step takes the fraction ηλ off the weights.
    momentum: μ in [0, 1): how much of the running mean B of the gradients is kept per step.
    nesterov: orthogonalize (1 - μ) G + μ B, else B.
    ns_coefficients: (a, b, c) of the Newton-Schulz iteration.
    eps: >= 0, the least norm to divide by.
    ns_steps: 0, 1, ... steps of the iteration.
    adjust_lr_fn: "original" (or None): s as above; "match_rms_adamw": s = 0.2 √max(rows, columns),
        which gives steps of AdamW's size.
    maximize: climb up the gradient, not down.

    Memory: one number per parameter.
    Reference: Jordan et al. 2024; the second s: Liu et al. 2025. Defaults as PyTorch's, which
    iterates in bfloat16; here it is the parameters' own precision.

    Example
    -------
    >>> import numpy as np
    >>> from minigrad import Tensor
    >>> W = Tensor(np.zeros((2, 2)), requires_grad=True)
    >>> opt = Muon([W], lr=1.0)
    >>> W.grad = np.array([[3.0, 0.0], [0.0, -0.5]]); opt.step(); W.data.round(1) + 0.0
    array([[-0.7,  0. ],
           [ 0. ,  1. ]])
    """

    layerwise = True
    domains = Optimizer.domains | {"ns_steps": "{0, 1, ...}"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    @classmethod
    def checked_option(cls, key: str, value: Any) -> Any:
        if key == "ns_coefficients":
            return numbers(cls.__name__, key, value, 3, "(-inf, inf)")
        if key == "adjust_lr_fn":
            if value is None:
                return None
            return choice(cls.__name__, key, value, "original", "match_rms_adamw")
        return super().checked_option(key, value)

    def check_parameter(self, p: Tensor) -> None:
        if p.ndim != 2:
            raise ValueError(
                f"{self._name}: parameters must be matrices, got shape {p.shape}: "
                "give the others to another optimizer"
            )

    def update(self, theta, g, state, lr, weight_decay, momentum, nesterov,
               ns_coefficients, eps, ns_steps, adjust_lr_fn):  # fmt: skip
        b = state["b"]
        # B_t = μ B_{t-1} + (1 - μ) G_t
        b *= momentum
        b += (1 - momentum) * g
        # O_t = orthogonalize((1 - μ) G_t + μ B_t)
        o = orthogonalize(
            (1 - momentum) * g + momentum * b if nesterov else b, ns_coefficients, ns_steps, eps
        )
        # W_t = (1 - η λ) W_{t-1} - η s O_t
        rows, columns = theta.shape
        if adjust_lr_fn == "match_rms_adamw":
            s = 0.2 * sqrt(max(rows, columns))
        else:
            s = sqrt(max(1, rows / max(columns, 1)))
        theta *= 1 - lr * weight_decay
        theta -= lr * s * o


def orthogonalize(
    x: Array, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Array:
    """The matrix with x's singular vectors and singular values near 1, by Newton-Schulz.

    Each step maps every singular value σ to aσ + bσ³ + cσ⁵, without a decomposition.

    >>> import numpy as np
    >>> O = orthogonalize(np.array([[3.0, 1.0], [0.0, 0.5]]), (1.5, -0.5, 0.0), 20, 1e-7)
    >>> (O @ O.T).round(6) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    # X <- X / ‖X‖, so that no singular value is above 1
    x = (x.T if tall else x) / max(norm(x), eps)
    for _ in range(steps):
        # X <- a X + b (X Xᵀ) X + c (X Xᵀ)² X
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x
