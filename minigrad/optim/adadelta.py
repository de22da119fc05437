"""AdaDelta. Derived in `chapters/optimizers/adadelta.ipynb`."""

import numpy as np

from .optimizer import Optimizer, Params


class Adadelta(Optimizer):
    r"""RMSprop whose rate is the running size of its own steps, so that the units come out right.

    $$v_t = \rho v_{t-1} + (1-\rho) g_t^2, \qquad
      \Delta_t = \frac{\sqrt{d_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}}\, g_t$$
    $$d_t = \rho d_{t-1} + (1-\rho) \Delta_t^2, \qquad \theta_t = \theta_{t-1} - \eta\, \Delta_t$$

    Parameters
    ----------
    lr: η >= 0; the paper has none (1).
    rho: ρ in [0, 1]: how much of the running means of g² and Δ² is kept per step.
    eps: ε >= 0, inside both square roots; it also sets the size of the first steps, √ε.
    weight_decay: λ >= 0, adds λθ to the gradient.
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter.
    Reference: Zeiler 2012, Algorithm 1. Defaults as PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = Adadelta([x], rho=0.75, eps=1e-2)
    >>> (x * x).sum().backward(); opt.step(); x.data.round(3)
    array([2.8])
    """

    domains = Optimizer.domains | {"rho": "[0, 1]"}

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, rho, eps, weight_decay):
        v, d = state["v"], state["d"]
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        # v_t = ρ v_{t-1} + (1 - ρ) g_t²
        v *= rho
        v += (1 - rho) * g * g
        # Δ_t = √(d_{t-1} + ε) / √(v_t + ε) · g_t
        delta = np.sqrt(d + eps)
        delta /= np.sqrt(v + eps)
        delta *= g
        # d_t = ρ d_{t-1} + (1 - ρ) Δ_t²
        d *= rho
        d += (1 - rho) * delta * delta
        # θ_t = θ_{t-1} - η Δ_t
        theta -= lr * delta
