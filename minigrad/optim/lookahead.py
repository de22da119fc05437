"""Lookahead: k steps forward, one step back. Derived in `chapters/optimizers/lookahead.ipynb`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from ..autograd.arrays import Array
from ..checks import integer, number
from .optimizer import Closure, Optimizer


class Lookahead(Optimizer):
    r"""Slow weights φ that go part of the way to where k steps of another optimizer led.

    $$\phi_t = \phi_{t-1} + \alpha\, (\theta_{t,k} - \phi_{t-1}), \qquad \theta_{t+1,0} = \phi_t$$

    where $\theta_{t,k}$ is the inner optimizer's point after k steps from $\phi_{t-1}$.

    Parameters
    ----------
    opt: the inner optimizer; it keeps its state over the step back. Learning rate, schedule and
        parameter groups are its own.
    k: 1, 2, ... steps forward.
    alpha: α in [0, 1], how far to follow.

    Memory: one number per parameter more than the inner optimizer.
    Reference: Zhang et al. 2019, Algorithm 1.

    Example
    -------
    >>> from minigrad import Tensor
    >>> from minigrad.optim import SGD
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = Lookahead(SGD([x], lr=0.5), k=1, alpha=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([1.5])
    """

    def __init__(self, opt: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        if not isinstance(opt, Optimizer):
            raise TypeError(f"Lookahead: opt must be an optimizer, got {opt!r}")
        self.opt = opt
        self.k = integer("Lookahead", "k", k)
        self.alpha = number("Lookahead", "alpha", alpha, "[0, 1]")
        self.param_groups = opt.param_groups
        self._params = [p for group in opt.param_groups for p in group["params"]]
        self._slow: list[Array] = []  # φ, taken at the start of each round
        self._done = 0  # steps forward in this round

    @property
    def lr(self) -> float:
        return self.opt.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self.opt.lr = value

    def schedule(self, f: Callable[[int], float]) -> Self:
        self.opt.schedule(f)
        return self

    def add_param_group(self, group: dict[str, Any]) -> None:
        self.opt.add_param_group(group)
        new = self.param_groups[-1]["params"]
        self._params += new
        if self._done:  # φ of what joins in the middle of a round: where it starts
            self._slow += [p._data.copy() for p in new]

    def step(self, closure: Closure = None) -> Any:
        """One step of the inner optimizer; after every k-th, the step back."""
        slow = self._slow if self._done else [p._data.copy() for p in self._params]
        loss = self.opt.step(closure)
        self._slow = slow
        self._done += 1
        if self._done == self.k:
            for p, phi in zip(self._params, self._slow):
                # φ_t = φ_{t-1} + α (θ_{t,k} - φ_{t-1}),   θ_{t+1,0} = φ_t
                p.data = phi + self.alpha * (p._data - phi)
            self._slow, self._done = [], 0
        return loss

    def state_dict(self) -> dict[str, Any]:
        slow = [phi.copy() for phi in self._slow]
        return {"opt": self.opt.state_dict(), "slow": slow, "done": self._done}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        if not isinstance(saved, dict) or saved.keys() != {"opt", "slow", "done"}:
            raise ValueError("Lookahead: load_state_dict needs what state_dict() of one gave")
        shapes = [p.shape for p in self._params]
        if saved["slow"] and [np.shape(phi) for phi in saved["slow"]] != shapes:
            raise ValueError(
                f"Lookahead: the saved slow weights must have shapes {shapes}, "
                f"got {[np.shape(phi) for phi in saved['slow']]}"
            )
        self.opt.load_state_dict(saved["opt"])
        self._slow = [np.array(phi, p.dtype) for phi, p in zip(saved["slow"], self._params)]
        self._done = saved["done"]
