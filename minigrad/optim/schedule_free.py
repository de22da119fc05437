"""Schedule-Free SGD and AdamW. Derived in `chapters/optimizers/since-2019.ipynb`.

An average of all iterates does what a decaying learning rate does, without knowing the end:

    z    goes by steps of the base method, with gradients taken at y,
    x    is the weighted average of all z so far: what to evaluate and to keep,
    y    lies between them, y = (1 - β) z + β x: where the gradient is taken.
"""

from math import sqrt
from typing import Any

import numpy as np

from .optimizer import Closure, Optimizer, Params


class ScheduleFree(Optimizer):
    """What the two have in common: x, y and z, and which of them the parameters hold.

    While training, the parameters hold y. `eval()` puts x there, to evaluate or to keep; `train()`
    puts y back. Assigning `p.data` moves y for one gradient only: x and z live in the
    state, so to go on from other weights make a new optimizer.
    """

    domains = Optimizer.domains | {"warmup_steps": "{0, 1, ...}"}

    progress = (*Optimizer.progress, "training")

    def __init__(self, params: Params, options: dict[str, Any]) -> None:
        super().__init__(params, options)
        self.training = True

    def eval(self) -> None:
        """Let the parameters hold x."""
        self._show(training=False)

    def train(self) -> None:
        """Let the parameters hold y."""
        self._show(training=True)

    def _show(self, training: bool) -> None:
        if training == self.training:
            return
        self.training = training
        for group in self.param_groups:
            for block in group.blocks:
                block.bind_views()
                for theta, state in block.pieces():
                    if state["t"] > 0:
                        if not training:
                            state["y"] = theta.copy()
                        theta[...] = state.pop("y") if training else state["x"]
                block.commit()

    def step(self, closure: Closure = None):
        if not self.training:
            raise RuntimeError(
                f"{self._name}: the parameters hold the average x: call opt.train() and take the "
                "gradients anew before opt.step()"
            )
        return super().step(closure)

    def advance(self, theta, d, state, lr, beta, warmup_steps):
        """Move z by -γ_t d, then x and y."""
        t = state["t"]
        if t == 1:
            state["z"], state["x"] = theta.copy(), theta.copy()
        z, x = state["z"], state["x"]
        # γ_t = η min(1, t / warmup)
        rate = lr * min(1, t / warmup_steps) if warmup_steps else lr
        # z_{t+1} = z_t - γ_t d_t
        z -= rate * d
        # c_{t+1} = γ_t² / Σ_{i<=t} γ_i²
        state["weights"] = state.get("weights", 0.0) + rate**2
        c = rate**2 / state["weights"] if state["weights"] else 0.0
        # x_{t+1} = (1 - c_{t+1}) x_t + c_{t+1} z_{t+1}
        x *= 1 - c
        x += c * z
        # y_{t+1} = (1 - β) z_{t+1} + β x_{t+1}
        np.multiply(z, 1 - beta, out=theta)
        theta += beta * x


class ScheduleFreeSGD(ScheduleFree):
    r"""SGD that needs no schedule: gradients at y, the average x is the result.

    $$z_{t+1} = z_t - \gamma_t (g_t + \lambda y_t), \qquad
      x_{t+1} = (1-c_{t+1})\, x_t + c_{t+1} z_{t+1}, \qquad
      y_{t+1} = (1-\beta)\, z_{t+1} + \beta\, x_{t+1}$$

    with $\gamma_t = \eta \min(1, t/\text{warmup})$ and $c_{t+1} = \gamma_t^2 / \sum_{i \le t}
    \gamma_i^2$, which is 1/t for constant γ. Parameters hold y; `opt.eval()` puts x, `opt.train()`
    y back.

    Parameters
    ----------
    lr: η >= 0; larger than SGD's with a schedule.
    momentum: β in [0, 1]; 0 is averaging after Polyak, 1 primal averaging.
    weight_decay: λ >= 0; λy is added to the step.
    warmup_steps: 0, 1, ...: how many steps the rate takes to rise, along a straight line, to η.
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter. (x can be had from y and z, as the authors' code does.)
    Reference: Defazio et al. 2024, eqs. 3-5.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = ScheduleFreeSGD([x], lr=0.25)
    >>> (x * x).sum().backward(); opt.step(); opt.eval(); x.data
    array([1.5])
    """

    domains = ScheduleFree.domains | {"momentum": "[0, 1]"}

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, momentum, weight_decay, warmup_steps):
        # d_t = g_t + λ y_t
        d = g + weight_decay * theta if weight_decay else g
        self.advance(theta, d, state, lr, momentum, warmup_steps)


class ScheduleFreeAdamW(ScheduleFree):
    r"""AdamW that needs no schedule: averaging takes the place of its momentum.

    $$v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2, \qquad
      z_{t+1} = z_t - \gamma_t \left( \frac{g_t}{\sqrt{v_t/(1-\beta_2^t)} + \epsilon}
      + \lambda y_t \right)$$

    and x, y, γ, c as `ScheduleFreeSGD`, with β = β1.

    Parameters
    ----------
    lr: the learning rate η >= 0, reached after the warm-up and then constant.
    betas: (β1, β2), each in [0, 1): where y lies, and the running mean of g².
    eps: ε >= 0, added to the root, not inside it, so that nothing is divided by 0.
    weight_decay: λ >= 0; λy is added to the step.
    warmup_steps: 0, 1, ...: how many steps the rate takes to rise, along a straight line, to η.
    maximize: climb up the gradient, not down.

    Memory: three numbers per parameter. (x can be had from y and z, as the authors' code does.)
    Reference: Defazio et al. 2024, Algorithm 1, with v's bias corrected as in the authors' present
    code (the paper's experiments put the factor √(1 - β2^t) into γ_t).

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = ScheduleFreeAdamW([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); opt.eval(); x.data
    array([2.5])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2.5e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, eps, weight_decay, warmup_steps):
        v, t = state["v"], state["t"]
        beta1, beta2 = betas
        # v_t = β2 v_{t-1} + (1 - β2) g_t²
        v *= beta2
        v += (1 - beta2) * g * g
        # d_t = g_t / (√v̂_t + ε) + λ y_t,   v̂_t = v_t / (1 - β2^t)
        d = g / (np.sqrt(v) / sqrt(1 - beta2**t) + eps)
        if weight_decay:
            d += weight_decay * theta
        self.advance(theta, d, state, lr, beta1, warmup_steps)
