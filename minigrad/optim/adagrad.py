"""AdaGrad. Derived in `chapters/optimizers/adagrad.ipynb`."""

import numpy as np

from .optimizer import Optimizer, Params


class Adagrad(Optimizer):
    r"""A rate of its own for each parameter: the rarer its gradients, the larger.

    $$s_t = s_{t-1} + g_t^2, \qquad
      \theta_t = \theta_{t-1} - \frac{\eta}{1 + (t-1)\,\text{lr\_decay}}
      \cdot \frac{g_t}{\sqrt{s_t} + \epsilon}$$

    Parameters
    ----------
    lr: the learning rate η >= 0: the length of the first step in each coordinate; later ones are
        shorter.
    lr_decay: >= 0; lets η fall in addition to what √s does.
    weight_decay: λ >= 0, adds λθ to the gradient.
    initial_accumulator_value: s_0 >= 0, with which the sum of squares begins; more of it makes
        the first steps shorter.
    eps: ε >= 0, added to √s, not inside it, so that nothing is divided by 0.
    maximize: climb up the gradient, not down.

    Memory: one number per parameter.
    Reference: Duchi, Hazan & Singer 2011, the diagonal case of Figure 1. Defaults as PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = Adagrad([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([2.5])
    """

    domains = Optimizer.domains | {
        "lr_decay": "[0, inf)",
        "initial_accumulator_value": "[0, inf)",
    }

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, lr_decay, weight_decay, initial_accumulator_value, eps):
        t = state["t"]
        if t == 1:
            state["s"] = np.full_like(theta, initial_accumulator_value)
        s = state["s"]
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        # s_t = s_{t-1} + g_t²
        s += g * g
        # θ_t = θ_{t-1} - η / (1 + (t - 1) lr_decay) · g_t / (√s_t + ε)
        step = np.sqrt(s)
        step += eps
        np.divide(g, step, out=step)
        step *= lr / (1 + (t - 1) * lr_decay)
        theta -= step
