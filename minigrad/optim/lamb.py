"""LAMB: LARS's ratio on Adam's step. Derived in `chapters/optimizers/lars-lamb.ipynb`."""

from math import sqrt

import numpy as np

from .optimizer import Optimizer, Params, norm


class LAMB(Optimizer):
    r"""AdamW whose every layer moves by η times its own size.

    $$u_t = \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon} + \lambda \theta_{t-1}, \qquad
      \theta_t = \theta_{t-1} - \eta\, \frac{\|\theta_{t-1}\|}{\|u_t\|}\, u_t$$

    for each parameter tensor by itself, with Adam's bias-corrected moments. Where θ or u is zero
    the ratio is 1: otherwise a bias initialized to 0 would never change.

    Parameters
    ----------
    lr: the learning rate η >= 0: the part of its own length by which a layer moves in a step.
    betas: (β1, β2), each in [0, 1): how much of the running means of g and g² is kept per step.
    eps: ε >= 0, added to the root, not inside it, so that nothing is divided by 0.
    weight_decay: λ >= 0, inside the ratio.
    trust_ratio: False sets the ratio to 1, which is AdamW; usual for biases and gains of norms
        (give them a parameter group).
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter.
    Reference: You et al. 2020, Algorithm 2, with φ the identity.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0, 3.0], requires_grad=True)
    >>> opt = LAMB([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([1.5, 1.5])
    """

    layerwise = True
    domains = Optimizer.domains | {"trust_ratio": "{False, True}"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        trust_ratio: bool = True,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, eps, weight_decay, trust_ratio):
        m, v, t = state["m"], state["v"], state["t"]
        beta1, beta2 = betas
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        m *= beta1
        m += (1 - beta1) * g
        # v_t = β2 v_{t-1} + (1 - β2) g_t²
        v *= beta2
        v += (1 - beta2) * g * g
        # u_t = m̂_t / (√v̂_t + ε) + λ θ_{t-1},   m̂_t = m_t / (1 - β1^t),   v̂_t = v_t / (1 - β2^t)
        u = np.sqrt(v)
        u /= sqrt(1 - beta2**t)
        u += eps
        np.divide(m, u, out=u)
        u /= 1 - beta1**t
        u += weight_decay * theta
        # θ_t = θ_{t-1} - η ‖θ_{t-1}‖ / ‖u_t‖ u_t
        size, length = norm(theta), norm(u)
        u *= lr * size / length if trust_ratio and size > 0 and length > 0 else lr
        theta -= u
