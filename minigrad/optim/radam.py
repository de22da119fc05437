"""RAdam: rectified Adam. Derived in `chapters/optimizers/radam.ipynb`."""

from math import sqrt

import numpy as np

from .optimizer import Optimizer, Params


class RAdam(Optimizer):
    r"""Adam that steps by momentum alone until v has seen enough, then adapts by degrees.

    $$\rho_\infty = \frac{2}{1-\beta_2} - 1, \qquad
      \rho_t = \rho_\infty - \frac{2t\beta_2^t}{1-\beta_2^t}, \qquad
      r_t = \sqrt{\frac{(\rho_t-4)(\rho_t-2)\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\rho_t}}$$
    $$\theta_t = \theta_{t-1} - \eta\, \frac{m_t}{1-\beta_1^t} \cdot
      \begin{cases} r_t \sqrt{1-\beta_2^t} / (\sqrt{v_t} + \epsilon) & \rho_t > 5 \\
      1 & \text{else} \end{cases}$$

    with Adam's $m_t$ and $v_t$.

    Parameters
    ----------
    lr: the learning rate η >= 0: how far a parameter moves in a step, if the gradients agree.
    betas: (β1, β2), each in [0, 1): how much of the running means of g and g² is kept per step.
    eps: ε >= 0, added to √v before v's bias is corrected.
    weight_decay: λ >= 0, adds λθ to the gradient.
    decoupled_weight_decay: multiply θ by 1 - ηλ instead, as AdamW.
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter.
    Reference: Liu et al. 2020, Algorithm 2, which switches at ρ_t > 4; its authors' code and
    PyTorch switch at 5, and so does this. Defaults as PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = RAdam([x], lr=0.25)
    >>> (x * x).sum().backward(); opt.step(); x.data.round(6)
    array([1.5])
    """

    domains = Optimizer.domains | {"decoupled_weight_decay": "{False, True}"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, eps, weight_decay, decoupled_weight_decay):
        m, v, t = state["m"], state["v"], state["t"]
        beta1, beta2 = betas
        # θ <- (1 - η λ) θ,   or   g <- g + λ θ
        if decoupled_weight_decay:
            theta *= 1 - lr * weight_decay
        elif weight_decay:
            g = g + weight_decay * theta
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        m *= beta1
        m += (1 - beta1) * g
        # v_t = β2 v_{t-1} + (1 - β2) g_t²
        v *= beta2
        v += (1 - beta2) * g * g
        # ρ_t: how many gradients v averages over, as a simple moving average would count them
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        # θ_t = θ_{t-1} - η m̂_t (r_t √(1 - β2^t) / (√v_t + ε)  if ρ_t > 5  else  1)
        if rho > 5:
            r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            step = np.sqrt(v)
            step += eps
            np.divide(m, step, out=step)
            step *= lr * r * sqrt(1 - beta2**t) / (1 - beta1**t)
        else:
            step = m * (lr / (1 - beta1**t))
        theta -= step
