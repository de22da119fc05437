"""AdaMax. Derived in `chapters/optimizers/adam.ipynb`."""

import numpy as np

from .optimizer import Optimizer, Params


class Adamax(Optimizer):
    r"""Adam with the largest recent gradient in the place of the root of their mean square.

    $$m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad
      u_t = \max(\beta_2 u_{t-1},\ |g_t| + \epsilon), \qquad
      \theta_t = \theta_{t-1} - \frac{\eta}{1-\beta_1^t} \cdot \frac{m_t}{u_t}$$

    Parameters
    ----------
    lr: the learning rate η >= 0, about the longest way that a parameter moves in a step.
    betas: (β1, β2), each in [0, 1): how much is kept per step of the running mean of g, and of the
        largest |g| so far.
    eps: ε >= 0 (the paper has none; with 0, a gradient that was always 0 gives 0/0).
    weight_decay: λ >= 0, adds λθ to the gradient.
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter.
    Reference: Kingma & Ba 2015, Algorithm 2. Defaults as the paper's and PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = Adamax([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([2.5])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, eps, weight_decay):
        m, u, t = state["m"], state["u"], state["t"]
        beta1, beta2 = betas
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        m *= beta1
        m += (1 - beta1) * g
        # u_t = max(β2 u_{t-1}, |g_t| + ε)
        u *= beta2
        np.maximum(u, np.abs(g) + eps, out=u)
        # θ_t = θ_{t-1} - η / (1 - β1^t) · m_t / u_t
        step = m / u
        step *= lr / (1 - beta1**t)
        theta -= step
