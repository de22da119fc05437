"""Lion: the sign of the momentum. Derived in `chapters/optimizers/since-2019.ipynb`."""

import numpy as np

from .optimizer import Optimizer, Params


class Lion(Optimizer):
    r"""Steps of one size for every parameter, in the direction that momentum gives.

    $$\theta_t = \theta_{t-1} - \eta\,\big(\text{sign}(\beta_1 m_{t-1} + (1-\beta_1) g_t)
      + \lambda\, \theta_{t-1}\big), \qquad
      m_t = \beta_2 m_{t-1} + (1-\beta_2) g_t$$

    Parameters
    ----------
    lr: η >= 0; every parameter moves by η per step, so it is 3 to 10 times smaller than Adam's.
    betas: (β1, β2), each in [0, 1): of the step and of the momentum.
    weight_decay: λ >= 0, decoupled; 3 to 10 times larger than AdamW's.
    maximize: climb up the gradient, not down.

    Memory: one number per parameter.
    Reference: Chen et al. 2023, Algorithm 2.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0, -1.0], requires_grad=True)
    >>> opt = Lion([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([ 2.5, -0.5])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, weight_decay):
        m = state["m"]
        beta1, beta2 = betas
        # c_t = β1 m_{t-1} + (1 - β1) g_t
        c = beta1 * m
        c += (1 - beta1) * g
        # θ_t = θ_{t-1} - η (sign(c_t) + λ θ_{t-1})
        theta *= 1 - lr * weight_decay
        theta -= lr * np.sign(c)
        # m_t = β2 m_{t-1} + (1 - β2) g_t
        m *= beta2
        m += (1 - beta2) * g
