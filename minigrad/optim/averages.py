"""Averages of the weights along the way: SWA and EMA.

Derived in `chapters/optimizers/adam-then-sgd.ipynb`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import Tensor
from ..checks import number


class Average:
    """What SWA and EMA have in common.

    Attributes
    ----------
    average: the averaged arrays, in the order of the parameters.
    n: how many times `update()` was called.
    """

    def __init__(self, params: Iterable[Tensor]) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(
                f"{name}: params must be a list of tensors, got {type(params).__name__}"
            )
        self._params = list(params)
        if not self._params:
            raise ValueError(f"{name}: got no parameters to average")
        for p in self._params:
            if not isinstance(p, Tensor) or p._f is not None or p.dtype.kind != "f":
                raise TypeError(f"{name}: params must be leaf tensors of floats, got {p!r}")
        self.average: list[Array] = [p._data.copy() for p in self._params]
        self.n = 0

    def weight(self) -> float:
        """Weight of the new parameters in the n-th update; of the first, 1."""
        raise NotImplementedError

    def update(self) -> None:
        """Take the parameters' present values into the average."""
        self.n += 1
        w = self.weight()
        for a, p in zip(self.average, self._params):
            # a_n = a_{n-1} + w_n (θ - a_{n-1})
            a += w * (p._data - a)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """`with avg.applied(): ...`: the parameters hold the average, and then their own again."""
        if self.n == 0:
            raise RuntimeError(
                f"{type(self).__name__}: nothing is averaged yet: call update() after a step"
            )
        own = [p._data.copy() for p in self._params]
        self.assign(self.average)
        try:
            yield
        finally:
            self.assign(own)

    def assign(self, values: list[Array]) -> None:
        for p, value in zip(self._params, values):
            p.data = value

    def state_dict(self) -> dict[str, Any]:
        """A copy of the average and its count; `minigrad.save` writes it."""
        return {"average": [a.copy() for a in self.average], "n": self.n}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave for parameters of the same shapes and order."""
        shapes = [p.shape for p in self._params]
        if not isinstance(saved, dict) or saved.keys() != {"average", "n"}:
            raise ValueError(f"{type(self).__name__}: load_state_dict needs what state_dict() gave")
        if [np.shape(a) for a in saved["average"]] != shapes:
            raise ValueError(
                f"{type(self).__name__}: the saved average must have shapes {shapes}, "
                f"got {[np.shape(a) for a in saved['average']]}"
            )
        for a, value in zip(self.average, saved["average"]):
            a[...] = value
        self.n = saved["n"]


class SWA(Average):
    r"""Stochastic weight averaging: the plain mean of the weights at every `update()`.

    $$a_n = a_{n-1} + \frac{1}{n}\, (\theta - a_{n-1})$$

    Parameters
    ----------
    params: the tensors to average. Statistics of batch norm are not among them: in
        `with swa.applied():` pass over the training data once in training mode.

    Reference: Izmailov et al. 2018, Algorithm 1.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([0.0], requires_grad=True)
    >>> swa = SWA([x])
    >>> for value in 1.0, 3.0:
    ...     x.data = [value]; swa.update()
    >>> swa.average
    [array([2.])]
    """

    def weight(self) -> float:
        return 1 / self.n


class EMA(Average):
    r"""An exponential moving average of the weights.

    $$a_n = d\, a_{n-1} + (1-d)\, \theta, \qquad a_1 = \theta$$

    Parameters
    ----------
    params: the tensors to average.
    decay: d in [0, 1]; the average reaches about 1/(1-d) updates back.

    Reference: Polyak & Juditsky 1992 for averaging; as PyTorch's `get_ema_multi_avg_fn`.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([0.0], requires_grad=True)
    >>> ema = EMA([x], decay=0.75)
    >>> for value in 1.0, 3.0:
    ...     x.data = [value]; ema.update()
    >>> with ema.applied():
    ...     print(x.data)
    [1.5]
    """

    def __init__(self, params: Iterable[Tensor], decay: float = 0.999) -> None:
        super().__init__(params)
        self.decay = number("EMA", "decay", decay, "[0, 1]")

    def weight(self) -> float:
        return 1 - self.decay if self.n > 1 else 1.0
