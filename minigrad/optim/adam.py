"""Adam. Derived in `chapters/optimizers/adam.ipynb`.

AMSGrad is derived in `chapters/optimizers/amsgrad-adabound.ipynb`.
"""

from math import sqrt

import numpy as np

from .optimizer import Optimizer, Params


class Adam(Optimizer):
    r"""Adaptive moment estimation.

    $$m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2$$
    $$\theta_t = \theta_{t-1}
      - \eta\, \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}$$

    Parameters
    ----------
    lr: the learning rate η >= 0: how far a parameter moves in a step, if the gradients agree.
    betas: (β1, β2), each in [0, 1): how much of the running means of g and g² is kept per step.
    eps: ε >= 0, added to the root, not inside it, so that nothing is divided by 0.
    weight_decay: λ >= 0, adds λθ to the gradient (L2 regularization; AdamW decouples it).
    amsgrad: divide by the largest v so far, in place of v (Reddi, Kale & Kumar 2018, Algorithm 2).
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter (three with amsgrad).
    Reference: Kingma & Ba 2015, Algorithm 1. Defaults as the paper's and PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = Adam([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([2.5])
    """

    domains = Optimizer.domains | {"amsgrad": "{False, True}"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, eps, weight_decay, amsgrad):
        m, v, t = state["m"], state["v"], state["t"]
        beta1, beta2 = betas
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        step = np.multiply(g, 1 - beta1)
        m *= beta1
        m += step
        # v_t = β2 v_{t-1} + (1 - β2) g_t²
        np.multiply(g, g, out=step)
        step *= 1 - beta2
        v *= beta2
        v += step
        if amsgrad:
            v = np.maximum(state["v_max"], v, out=state["v_max"])
        # θ_t = θ_{t-1} - η m̂_t / (√v̂_t + ε),   m̂_t = m_t / (1 - β1^t),   v̂_t = v_t / (1 - β2^t),
        # with numerator and denominator multiplied by r = √(1 - β2^t), which saves a pass (the
        # plain form is in the chapter)
        r = sqrt(1 - beta2**t)
        np.sqrt(v, out=step)
        step += eps * r
        np.divide(m, step, out=step)
        step *= lr * r / (1 - beta1**t)
        theta -= step
