"""RMSprop. Derived in `chapters/optimizers/rmsprop.ipynb`."""

import numpy as np

from .optimizer import Optimizer, Params


class RMSprop(Optimizer):
    r"""AdaGrad with a moving average in the place of the sum, so that the rate can rise again.

    $$v_t = \alpha v_{t-1} + (1-\alpha) g_t^2, \qquad
      b_t = \mu b_{t-1} + \frac{g_t}{\sqrt{v_t} + \epsilon}, \qquad
      \theta_t = \theta_{t-1} - \eta\, b_t$$

    Parameters
    ----------
    lr: the learning rate η >= 0: about how far a parameter moves in a step.
    alpha: α in [0, 1]: how much of the running mean of g² is kept per step.
    eps: ε >= 0, added to the root, not inside it, so that nothing is divided by 0.
    weight_decay: λ >= 0, adds λθ to the gradient.
    momentum: μ in [0, 1): how much of the last step b is kept in the next one; 0 keeps none.
    centered: divide by the running standard deviation, √(v - ḡ²) with the running mean ḡ of g, in
        the place of √v. (A v - ḡ² that rounding makes negative counts as 0.)
    maximize: climb up the gradient, not down.

    Memory: one number per parameter, one more with momentum, one more if centered.
    Reference: Tieleman & Hinton 2012; centred: Graves 2013, eqs. 38-45. Defaults as PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = RMSprop([x], lr=0.5, alpha=0.75)
    >>> (x * x).sum().backward(); opt.step(); x.data.round(6)
    array([2.])
    """

    domains = Optimizer.domains | {"alpha": "[0, 1]", "centered": "{False, True}"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, alpha, eps, weight_decay, momentum, centered):
        v = state["v"]
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        # v_t = α v_{t-1} + (1 - α) g_t²
        v *= alpha
        v += (1 - alpha) * g * g
        if centered:
            # ḡ_t = α ḡ_{t-1} + (1 - α) g_t,   v <- v - ḡ²
            mean = state["mean"]
            mean *= alpha
            mean += (1 - alpha) * g
            # (a v that has overflowed stays inf)
            v = np.maximum(np.subtract(v, mean * mean, out=v.copy(), where=v < np.inf), 0)
        # b_t = μ b_{t-1} + g_t / (√v_t + ε)
        b = np.sqrt(v)
        b += eps
        np.divide(g, b, out=b)
        if momentum:
            b += momentum * state["b"]
            state["b"] = b
        # θ_t = θ_{t-1} - η b_t
        theta -= lr * b
