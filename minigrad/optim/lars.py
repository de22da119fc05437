"""LARS: a rate for each layer. Derived in `chapters/optimizers/lars-lamb.ipynb`."""

from .optimizer import Optimizer, Params, norm


class LARS(Optimizer):
    r"""SGD with momentum whose every layer moves by the same fraction of its own size.

    $$\eta_{\text{layer}} = \tau\, \frac{\|\theta\|}{\|g\| + \lambda \|\theta\|}, \qquad
      b_t = \mu b_{t-1} + \eta\, \eta_{\text{layer}} (g_t + \lambda \theta_{t-1}), \qquad
      \theta_t = \theta_{t-1} - b_t$$

    for each parameter tensor by itself. Where θ or g is zero, $\eta_{\text{layer}} = 1$:
    otherwise a bias initialized to 0 would never change.

    Parameters
    ----------
    lr: the learning rate η >= 0, by which the rate of every layer is multiplied.
    momentum: μ in [0, 1): how much of the last step is kept in the next one.
    weight_decay: λ >= 0, part of the gradient and of the ratio.
    trust_coefficient: τ >= 0; without momentum a layer moves by at most ητ times its own length.
    trust_ratio: False sets η_layer to 1: SGD with momentum, usual for biases and gains of norms
        (give them a parameter group).
    maximize: climb up the gradient, not down.

    Memory: one number per parameter.
    Reference: You, Gitman & Ginsburg 2017, Algorithm 1.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0, 4.0], requires_grad=True)
    >>> opt = LARS([x], lr=1.0, trust_coefficient=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([1.5, 2. ])
    """

    layerwise = True
    domains = Optimizer.domains | {
        "trust_coefficient": "[0, inf)",
        "trust_ratio": "{False, True}",
    }

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 0.001,
        trust_ratio: bool = True,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, momentum, weight_decay, trust_coefficient, trust_ratio):
        b = state["b"]
        # η_layer = τ ‖θ‖ / (‖g‖ + λ ‖θ‖)
        rate, size, slope = 1.0, norm(theta), norm(g)
        if trust_ratio and size > 0 and slope > 0:
            rate = trust_coefficient * size / (slope + weight_decay * size)
        # b_t = μ b_{t-1} + η η_layer (g_t + λ θ_{t-1})
        b *= momentum
        b += lr * rate * (g + weight_decay * theta)
        # θ_t = θ_{t-1} - b_t
        theta -= b
