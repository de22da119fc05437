"""AdamW: Adam with decoupled weight decay. Derived in `chapters/optimizers/adamw.ipynb`."""

from .adam import Adam
from .optimizer import Params


class AdamW(Adam):
    r"""Adam, the weights decayed beside its step and not through the gradient.

    $$\theta_t = (1 - \eta\lambda)\, \theta_{t-1}
      - \eta\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$

    Parameters
    ----------
    lr, betas, eps, amsgrad, maximize: as `Adam`.
    weight_decay: λ >= 0; every step takes the fraction ηλ off the weights, whatever their
        gradients.

    Memory: two numbers per parameter (three with amsgrad).
    Reference: Loshchilov & Hutter 2019, Algorithm 2. Defaults as PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = AdamW([x], lr=0.5, weight_decay=0.25)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([2.125])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)

    def update(self, theta, g, state, lr, weight_decay, **options):
        # θ <- (1 - η λ) θ, then Adam's step, with no decay in its gradient
        theta *= 1 - lr * weight_decay
        super().update(theta, g, state, lr=lr, weight_decay=0.0, **options)
