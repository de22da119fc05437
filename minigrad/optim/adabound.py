"""AdaBound. Derived in `chapters/optimizers/amsgrad-adabound.ipynb`."""

from math import sqrt
from typing import Any

import numpy as np

from .optimizer import Optimizer, Params


class AdaBound(Optimizer):
    r"""Adam whose rates are kept between two bounds that close in on SGD's.

    $$\theta_t = \theta_{t-1} - \text{clip}\!\left(
      \eta\, \frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t} \cdot \frac{1}{\sqrt{v_t} + \epsilon},\
      \eta^*\Big(1 - \frac{1}{\gamma t + 1}\Big),\
      \eta^*\Big(1 + \frac{1}{\gamma t}\Big) \right) m_t$$

    with Adam's $m_t$ and $v_t$.

    Parameters
    ----------
    lr: η >= 0, Adam's rate.
    betas: (β1, β2), each in [0, 1): how much of the running means of g and g² is kept per step.
    final_lr: η* >= 0, the rate of the SGD with momentum that it turns into. A changed `lr` changes
        η* in proportion: each group remembers its first rate as "base_lr".
    gamma: γ in (0, 1); how fast the bounds close.
    eps: ε >= 0, added to √v before v's bias is corrected.
    weight_decay: λ >= 0, adds λθ to the gradient.
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter.
    Reference: Luo et al. 2019, Algorithm 2, in the form of its authors' code: with Adam's bias
    corrections, and without the paper's additional 1/√t. Defaults as theirs.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = AdaBound([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data.round(6)
    array([2.5])
    """

    domains = Optimizer.domains | {
        "final_lr": "[0, inf)",
        "gamma": "(0, 1)",
        "base_lr": "[0, inf)",
    }

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        final_lr: float = 0.1,
        gamma: float = 1e-3,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals() | {"base_lr": lr})

    def add_param_group(self, group: dict[str, Any]) -> None:
        super().add_param_group(group)
        self.param_groups[-1]["base_lr"] = self.param_groups[-1]["lr"]

    def update(self, theta, g, state, lr, betas, final_lr, gamma, eps, weight_decay, base_lr):
        m, v, t = state["m"], state["v"], state["t"]
        beta1, beta2 = betas
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        m *= beta1
        m += (1 - beta1) * g
        # v_t = β2 v_{t-1} + (1 - β2) g_t²
        v *= beta2
        v += (1 - beta2) * g * g
        # η_t = η √(1 - β2^t) / (1 - β1^t) / (√v_t + ε)
        rate = np.sqrt(self.second_moment(v, state))
        rate += eps
        np.divide(lr * sqrt(1 - beta2**t) / (1 - beta1**t), rate, out=rate)
        # η_t <- clip(η_t, η* (1 - 1 / (γ t + 1)), η* (1 + 1 / (γ t))),   η* in proportion to η
        final = final_lr * lr / base_lr if base_lr else 0.0
        np.clip(rate, final * (1 - 1 / (gamma * t + 1)), final * (1 + 1 / (gamma * t)), out=rate)
        # θ_t = θ_{t-1} - η_t m_t
        rate *= m
        theta -= rate

    def second_moment(self, v, state):
        """What the rate is divided by the root of: v_t."""
        return v
