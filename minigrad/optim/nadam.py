"""NAdam: Adam with Nesterov's momentum. Derived in `chapters/optimizers/adam.ipynb`."""

from math import sqrt

import numpy as np

from .optimizer import Optimizer, Params


class NAdam(Optimizer):
    r"""Adam that looks one step of momentum ahead, with a momentum μ that grows to β1.

    $$\mu_t = \beta_1 \left(1 - \tfrac12\, 0.96^{t\psi}\right), \qquad
      \hat m_t = \frac{\mu_{t+1}\, m_t}{1 - \prod_{i=1}^{t+1} \mu_i}
      + \frac{(1-\mu_t)\, g_t}{1 - \prod_{i=1}^{t} \mu_i}$$
    $$\theta_t = \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}$$

    with Adam's $m_t$ and $v_t$.

    Parameters
    ----------
    lr: the learning rate η >= 0: how far a parameter moves in a step, if the gradients agree.
    betas: (β1, β2), each in [0, 1): how much of the running means of g and g² is kept per step.
    eps: ε >= 0, added to the root, not inside it, so that nothing is divided by 0.
    weight_decay: λ >= 0, adds λθ to the gradient.
    momentum_decay: ψ >= 0; how fast μ grows.
    decoupled_weight_decay: multiply θ by 1 - ηλ instead, as AdamW.
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter.
    Reference: Dozat 2016, Algorithm 2. Defaults as PyTorch's.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = NAdam([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data.round(4)
    array([2.4718])
    """

    domains = Optimizer.domains | {
        "momentum_decay": "[0, inf)",
        "decoupled_weight_decay": "{False, True}",
    }

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, eps, weight_decay, momentum_decay,
               decoupled_weight_decay):  # fmt: skip
        m, v, t = state["m"], state["v"], state["t"]
        beta1, beta2 = betas
        # θ <- (1 - η λ) θ,   or   g <- g + λ θ
        if decoupled_weight_decay:
            theta *= 1 - lr * weight_decay
        elif weight_decay:
            g = g + weight_decay * theta
        # μ_t = β1 (1 - ½ 0.96^(t ψ)),   and the product of all up to t
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        product = state["mu_product"] = mu * state.get("mu_product", 1.0)
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        m *= beta1
        m += (1 - beta1) * g
        # v_t = β2 v_{t-1} + (1 - β2) g_t²
        v *= beta2
        v += (1 - beta2) * g * g
        # m̂_t = μ_{t+1} / (1 - ∏_{i<=t+1} μ_i) m_t + (1 - μ_t) / (1 - ∏_{i<=t} μ_i) g_t
        m_hat = mu_next / (1 - product * mu_next) * m
        m_hat += (1 - mu) / (1 - product) * g
        # θ_t = θ_{t-1} - η m̂_t / (√v̂_t + ε),   v̂_t = v_t / (1 - β2^t)
        step = np.sqrt(v)
        step /= sqrt(1 - beta2**t)
        step += eps
        np.divide(m_hat, step, out=step)
        step *= lr
        theta -= step
