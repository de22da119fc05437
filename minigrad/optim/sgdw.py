"""SGD with decoupled weight decay. Derived in `chapters/optimizers/adamw.ipynb`."""

from .optimizer import Params
from .sgd import SGD


class SGDW(SGD):
    r"""SGD with momentum, the weights decayed beside the gradient step and not through it.

    $$b_t = \mu b_{t-1} + g_t, \qquad
      \theta_t = \theta_{t-1} - \eta\, b_t - \eta \lambda\, \theta_{t-1}$$

    Parameters
    ----------
    lr, momentum, dampening, nesterov, maximize: as `SGD`.
    weight_decay: λ >= 0; every step takes the fraction ηλ off the weights.

    Memory: one number per parameter with momentum, else none.
    Reference: Loshchilov & Hutter 2019, Algorithm 1 (there η is inside b; the same for constant η).

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = SGDW([x], lr=0.25, momentum=0.0, weight_decay=1.0)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([0.75])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.9,
        dampening: float = 0.0,
        weight_decay: float = 0.01,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, momentum, dampening, weight_decay, nesterov, maximize)

    def update(self, theta, g, state, lr, weight_decay, **options):
        # θ <- θ - η λ θ, then SGD's step, with no decay in its gradient
        theta *= 1 - lr * weight_decay
        super().update(theta, g, state, lr=lr, weight_decay=0.0, **options)
