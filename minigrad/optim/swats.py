"""SWATS: from Adam to SGD. Derived in `chapters/optimizers/adam-then-sgd.ipynb`."""

from math import sqrt

import numpy as np

from .optimizer import Closure, Optimizer, Params


class SWATS(Optimizer):
    r"""Adam until its estimate of SGD's learning rate meets its own mean, then SGD with momentum.

    Adam's step $p_t$ is the projection on it of an SGD step of rate $\gamma_t$; when $\gamma_t$ and
    its bias-corrected running mean agree, SGD takes over with that mean as its rate Λ:

    $$\gamma_t = \frac{p_t^\top p_t}{-p_t^\top g_t}, \qquad
      \lambda_t = \beta_2 \lambda_{t-1} + (1-\beta_2) \gamma_t, \qquad
      \Big| \frac{\lambda_t}{1-\beta_2^t} - \gamma_t \Big| < \text{tol} \ \text{and}\ t > 1$$
    $$\text{SGD:}\qquad b_t = \beta_1 b_{t-1} + g_t, \qquad
      \theta_t = \theta_{t-1} - (1-\beta_1) \Lambda\, b_t$$

    The inner products run over all parameters: they switch together. A Λ that is not positive,
    which the paper leaves open, is not taken.

    Parameters
    ----------
    lr: η >= 0, Adam's rate. After the switch it is Λ that counts; a changed `lr` (a schedule)
        changes the rate in the proportion of `lr` to its value at the switch.
    betas: (β1, β2), each in [0, 1): how much of the running means of g and g² is kept per step.
    eps: ε >= 0, added to √v before v's bias is corrected.
    weight_decay: λ >= 0, adds λθ to the gradient.
    tol: > 0; when γ and its mean agree (the paper uses ε for this too).
    maximize: climb up the gradient, not down.

    Attributes
    ----------
    switched: None, or the step after which SGD took over; sgd_lr: Λ.

    Memory: two numbers per parameter.
    Reference: Keskar & Socher 2017, Algorithm 1.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = SWATS([x], lr=0.5, tol=1.0)
    >>> for _ in range(2):
    ...     opt.zero_grad(); (x * x).sum().backward(); opt.step()
    >>> opt.switched, round(opt.sgd_lr, 3)
    (2, 0.091)
    """

    domains = Optimizer.domains | {"tol": "(0, inf)"}
    progress = (*Optimizer.progress, "mean", "t", "switched", "sgd_lr", "switch_lr")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-9,
        weight_decay: float = 0.0,
        tol: float = 1e-9,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())
        self.mean, self.t = 0.0, 0  # λ_t without its bias correction
        self.switched: int | None = None
        self.sgd_lr = self.switch_lr = 0.0  # Λ, and the lr at the switch

    def step(self, closure: Closure = None):
        self._pp = self._pg = 0.0  # pᵀp and pᵀg, which update() adds up over the blocks
        loss = super().step(closure)
        self.t += 1
        if self.switched is not None or self._pg == 0:
            return loss
        group = self.param_groups[0]
        beta2 = group["betas"][1]
        # γ_t = pᵀp / -pᵀg,   λ_t = β2 λ_{t-1} + (1 - β2) γ_t
        gamma = self._pp / -self._pg
        self.mean = beta2 * self.mean + (1 - beta2) * gamma
        # if |λ_t / (1 - β2^t) - γ_t| < tol: SGD, with Λ = λ_t / (1 - β2^t)
        mean = self.mean / (1 - beta2**self.t)
        if self.t > 1 and abs(mean - gamma) < group["tol"] and mean > 0:
            self.switched, self.sgd_lr, self.switch_lr = self.t, mean, group["lr"]
        return loss

    def update(self, theta, g, state, lr, betas, eps, weight_decay, tol):
        beta1, beta2 = betas
        # g <- g + λ θ
        if weight_decay:
            g = g + weight_decay * theta
        if self.switched is not None:
            b = state["b"]
            # b_t = β1 b_{t-1} + g_t,   θ_t = θ_{t-1} - (1 - β1) Λ b_t
            b *= beta1
            b += g
            theta -= (1 - beta1) * self.sgd_lr * (lr / self.switch_lr) * b
            return
        m, v, t = state["m"], state["v"], state["t"]
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        m *= beta1
        m += (1 - beta1) * g
        # v_t = β2 v_{t-1} + (1 - β2) g_t²
        v *= beta2
        v += (1 - beta2) * g * g
        # p_t = -η √(1 - β2^t) / (1 - β1^t) · m_t / (√v_t + ε)
        p = np.sqrt(v)
        p += eps
        np.divide(m, p, out=p)
        p *= -lr * sqrt(1 - beta2**t) / (1 - beta1**t)
        # θ_t = θ_{t-1} + p_t
        theta += p
        p = p.astype(np.float64, copy=False)  # in float32 the square of a small p would be 0
        self._pp += float(p @ p)
        self._pg += float(p @ g)
