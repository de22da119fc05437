"""Stochastic gradient descent, with momentum. Derived in `chapters/optimizers/momentum.ipynb`.

Nesterov's form is derived in `chapters/optimizers/nesterov.ipynb`.
"""

from typing import Any

from .optimizer import Optimizer, Params


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum in the accumulating form.

    $$b_t = \mu b_{t-1} + (1 - \text{dampening})\, g_t, \qquad
      \theta_t = \theta_{t-1} - \eta\, b_t$$

    with $b_1 = g_1$. `nesterov` steps along $g_t + \mu b_t$; without momentum $b_t = g_t$.

    Parameters
    ----------
    lr: the learning rate η >= 0, by which the gradient is multiplied.
    momentum: μ in [0, 1): how much of the earlier gradients' sum is kept per step; 0 keeps none.
    dampening: in [0, 1]; 1 - dampening scales the gradient from the second step on, as PyTorch's.
    weight_decay: λ >= 0, adds λθ to the gradient (L2 regularization; for SGD without momentum the
        same as decoupled decay).
    nesterov: Nesterov's momentum, as rewritten by Sutskever et al. and PyTorch; needs momentum > 0
        and dampening 0.
    maximize: climb up the gradient, not down.

    Memory: one number per parameter with momentum, else none.
    Reference: Polyak 1964; Nesterov 1983; Sutskever et al. 2013, eqs. 1-4. Defaults as PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = SGD([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([0.])
    """

    domains = Optimizer.domains | {"dampening": "[0, 1]"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    @classmethod
    def check(cls, **options: Any) -> None:
        if options["nesterov"] and (options["momentum"] == 0 or options["dampening"] != 0):
            raise ValueError(f"{cls.__name__}: nesterov needs momentum > 0 and dampening = 0")

    def update(self, theta, g, state, lr, momentum, dampening, weight_decay, nesterov):
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        if momentum:
            # b_t = μ b_{t-1} + (1 - dampening) g_t,   b_1 = g_1
            if "b" not in state:
                state["b"] = g.copy()
            else:
                state["b"] *= momentum
                state["b"] += (1 - dampening) * g if dampening else g
            g = g + momentum * state["b"] if nesterov else state["b"]
        # θ_t = θ_{t-1} - η b_t
        theta -= lr * g
