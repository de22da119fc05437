"""What all optimizers share: parameter groups and their options, steps, states, schedules.

An optimizer names its options once, in its `__init__`, and states its rule once, for a block of
parameters that lie side by side in one flat array (`blocks.py`):

    class Plain(Optimizer):
        def __init__(self, params: Params, lr: float = 0.1) -> None:
            super().__init__(params, locals())  # all that was passed: these are the options

        def update(self, theta, g, state, lr):  # changes theta and state in place
            theta -= lr * g

so a step is a handful of NumPy calls, however many layers the network has. A long block is stepped
piece by piece, so a rule must be one for every element by itself; one that looks at a layer (LARS,
Muon) sets `layerwise = True` and is given each parameter in its own shape. `update` is the one
function without types: those of its options are in `__init__`, and `domains` holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from math import inf, isfinite, sqrt
from typing import Any, Self

import numpy as np

from ..autograd.arrays import Array
from ..autograd.recording import recording
from ..autograd.tensor import Tensor
from ..checks import function, numbers, option
from .blocks import Block, make_blocks, with_gradient

Params = Iterable[Any]  # tensors, or dicts {"params": [...], "lr": ..., ...}
Closure = Callable[[], Any] | None


class Group(dict[str, Any]):
    """The parameters of one group and its options, each checked when it is assigned.

    options: its options, without the parameters; arguments: those that `update` is called with.
    blocks: the parameters, as they are stepped.
    """

    def __init__(
        self, optimizer: type[Optimizer], params: tuple[Tensor, ...], options: dict[str, Any]
    ) -> None:
        super().__init__(params=params)
        self.optimizer = optimizer
        self.blocks: list[Block] = []
        self.take(options)

    def take(self, options: dict[str, Any]) -> None:
        super().update(options)
        self.options = options
        self.arguments = {key: value for key, value in options.items() if key != "maximize"}

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def update(self, *entries: Any, **more: Any) -> None:
        """Assign several options at once: for those that only go together."""
        self.take(self.optimizer.checked(self.options, dict(*entries, **more)))

    def __ior__(self, entries: Any) -> Self:  # type: ignore[misc]
        self.update(entries)
        return self

    def __delitem__(self, key: str = "", *_: Any) -> None:
        raise ValueError(f"{self.optimizer.__name__}: an option of a group cannot be taken away")

    clear = pop = popitem = __delitem__  # type: ignore[assignment]

    def __reduce__(self) -> Any:  # a copy or a pickle is made whole, and not entry by entry
        return Group, (self.optimizer, self["params"], self.options), self.__dict__


class Optimizer:
    """Base of all optimizers.

    Parameters
    ----------
    params: the tensors to train, or a list of dicts {"params": [...], "lr": ..., ...} whose options
        override the common ones for their group.
    options: the common options by name; `locals()` of an `__init__` that has nothing else.

    Attributes
    ----------
    param_groups: list of dicts, "params" and all options of each group; options can be changed.
    lr: the learning rate of the groups that have none of their own (if all have, of the first);
        setting it sets it for all.

    The parameters' numbers move into arrays of the optimizer when it is made or loaded, and when
    only some of them have gradients: an earlier `w = p.data` keeps the values of then, so read
    `p.data` anew. Parameters of float16 are stepped in float32 and rounded. Where the square of a
    float32 gradient overflows (about 1e19), NumPy warns, and an element whose mean of squares has
    become inf is not moved any more: see `clip_grad_norm`.

    Raises
    ------
    ValueError: no parameters, one given twice, an unknown option, or one out of its domain.
    TypeError: a parameter that is not a leaf tensor with `requires_grad=True`.
    """

    layerwise = False  # whether the rule looks at a whole layer, and not at each element by itself
    needs_finite = False  # whether it takes only gradients whose squares have a finite sum
    progress: tuple[str, ...] = ("steps", "shares")  # attributes that belong to the state

    # Where each option must lie; {0, 1, ...} are integers. Options of the same name mean the same.
    domains: dict[str, str] = {
        "lr": "[0, inf)",
        "betas": "[0, 1)",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "momentum": "[0, 1)",
        "nesterov": "{False, True}",
        "maximize": "{False, True}",
    }

    def __init__(self, params: Params, options: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(f"{self._name}: params must be a list of tensors: write [x] for one")
        given = self._listed(params)
        if not given:
            raise ValueError(f"{self._name}: got no parameters to train")
        not_options = {"self", "params", "__class__"}
        self.defaults = {key: value for key, value in options.items() if key not in not_options}
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.param_groups: list[Group] = []
        self.steps = 0
        self.shares: list[float] = []  # under a schedule, how many times its rate each group has
        self._schedule: Callable[[int], float] | None = None
        for group in groups:
            self.add_param_group(group)
        # whose rate is the optimizer's: that of the first group that has none of its own
        self._main = next((i for i, group in enumerate(groups) if "lr" not in group), 0)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Train more parameters; options that the dict lacks are those the optimizer was made with.

        Under a schedule the group's lr is a share of the one that the schedule began with.
        """
        if not isinstance(group, dict) or "params" not in group:
            raise ValueError(
                f'{self._name}: a parameter group must be a dict with an entry "params"'
            )
        options = dict(group)
        params = options.pop("params")
        params = (params,) if isinstance(params, Tensor) else (*self._listed(params),)
        if not params:
            raise ValueError(f"{self._name}: a parameter group has no parameters")
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for p in params:
            if not isinstance(p, Tensor) or not p.requires_grad or p._f is not None:
                raise TypeError(
                    f"{self._name}: params must be leaf tensors with requires_grad=True, got {p!r}"
                )
            if id(p) in seen:
                raise ValueError(f"{self._name}: a parameter of shape {p.shape} is given twice")
            seen.add(id(p))
            self.check_parameter(p)
        new = Group(type(self), params, self.checked(self.defaults, self.defaults | options))
        new.blocks = make_blocks(params, [{}] * len(params), self.layerwise)
        self.param_groups.append(new)
        if self.shares:
            self.shares.append(share(new["lr"], self.defaults["lr"]))

    def _listed(self, params: Any) -> list[Any]:
        if not isinstance(params, Iterable):
            raise TypeError(
                f"{self._name}: params must be a list of tensors, got {type(params).__name__}"
                f"{': write net.parameters()' if hasattr(params, 'parameters') else ''}"
            )
        return list(params)

    @property
    def _name(self) -> str:
        return type(self).__name__

    # --- what a subclass says

    # update(theta, g, state, **options) makes one step: it changes theta and state in place, and
    # does not write to g.
    update: Callable[..., None]

    @classmethod
    def check(cls, **options: Any) -> None:
        """Raise ValueError for options that do not go together."""

    def check_parameter(self, p: Tensor) -> None:
        """Raise for a parameter that this optimizer cannot train."""

    def state_shape(self, key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an array of the state for a parameter of the given shape."""
        return shape

    # --- what a user calls

    @property
    def lr(self) -> float:
        return float(self.param_groups[self._main]["lr"])

    @lr.setter
    def lr(self, value: float) -> None:
        value = self.checked_option("lr", value)
        for group in self.param_groups:
            group["lr"] = value

    def schedule(self, f: Callable[[int], float]) -> Self:
        """Let the t-th step from now (from 0) use the learning rate f(t). Returns self.

        Groups keep the ratio that their rates have now: f(t) is the optimizer's `lr`. A loaded
        state brings its t with it, so call this before `load_state_dict` to go on.
        """
        function(self._name, "a schedule", f, "a function of the step")
        shares = [share(group["lr"], self.lr) for group in self.param_groups]
        if inf in shares:
            raise ValueError(
                f"{self._name}: groups keep the ratio of their rates under a schedule, but the "
                "optimizer's lr is 0: give it a positive one"
            )
        self._schedule, self.steps, self.shares = f, 0, shares
        self.defaults["lr"] = self.lr  # what a group that is added later has a share of
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: set every parameter's `.grad` to None, or what is there to 0."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = np.zeros(p.shape, p.dtype)

    def step(self, closure: Closure = None) -> Any:
        """Change the parameters once, by their gradients. One without gradient is left alone.

        closure: a function that computes the gradients first (zero_grad, loss, backward); what it
            returns, the loss, is returned.
        """
        loss = None
        if closure is not None:
            with recording(True):
                loss = closure()
        # first look at all gradients, then change anything
        ready = [
            (block, block.gradient(), group)
            for group in self.param_groups
            for block in with_gradient(group.blocks)
        ]
        if self.needs_finite:
            with np.errstate(over="ignore"):
                if not all(isfinite(np.vdot(g, g)) for _, g, _ in ready):
                    raise ValueError(
                        f"{self._name}: the gradients must be finite and the sum of their squares "
                        "too: got inf, nan, or numbers so large that clip_grad_norm is needed"
                    )
        self.follow_schedule()
        self.steps += 1
        for block, gradient, group in ready:
            block.bind_views()
            for theta, state, g in block.pieces(gradient):
                state["t"] += 1
                self.update(theta, -g if group["maximize"] else g, state, **group.arguments)
            block.commit()
        return loss

    def follow_schedule(self) -> None:
        """Give the groups the rates of this step."""
        if self._schedule is not None:
            lr = self.checked_option("lr", self._schedule(self.steps))
            rates = [self.checked_option("lr", lr * part) for part in self.shares]
            for group, rate in zip(self.param_groups, rates):
                group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """Options of the groups and a copy of every parameter's state, for `minigrad.save`."""
        state = []
        for group in self.param_groups:
            of = {id(p): s for b in group.blocks for p, s in zip(b.params, b.split_states())}
            state += [of.get(id(p), {}) for p in group["params"]]
        return {
            "param_groups": [dict(group.options) for group in self.param_groups],
            "state": state,
            "progress": {name: copy(getattr(self, name)) for name in self.progress},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave for parameters of the same shapes and order.

        Raises
        ------
        ValueError: it is of another optimizer or of other parameters; nothing is changed then.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        if not isinstance(saved, dict) or saved.keys() != {"param_groups", "state", "progress"}:
            raise ValueError(f"{self._name}: load_state_dict needs what state_dict() gave")
        groups, states, progress = saved["param_groups"], saved["state"], saved["progress"]
        if len(states) != len(params) or len(groups) != len(self.param_groups):
            raise ValueError(
                f"{self._name}: the state is of {len(states)} parameters in {len(groups)} "
                f"groups, this optimizer has {len(params)} in {len(self.param_groups)}"
            )
        names = [group.options.keys() for group in self.param_groups]
        if progress.keys() != {*self.progress} or [group.keys() for group in groups] != names:
            raise ValueError(f"{self._name}: the state is of another optimizer")
        options = [self.checked(old.options, new) for old, new in zip(self.param_groups, groups)]
        for p, state in zip(params, states):
            shape = p.shape or (1,) if self.layerwise else p.shape
            for key, value in state.items():
                if isinstance(value, np.ndarray) and value.shape != self.state_shape(key, shape):
                    raise ValueError(
                        f"{self._name}: the saved {key} of a parameter of shape {p.shape} "
                        f"must have shape {self.state_shape(key, shape)}, got {value.shape}"
                    )
        rest = iter(states)
        for group, new in zip(self.param_groups, options):
            group.update(new)
            own = [next(rest) for _ in group["params"]]
            group.blocks = make_blocks(group["params"], own, self.layerwise)
        shares = self.shares
        for name, value in progress.items():
            setattr(self, name, copy(value))
        self.shares = self.shares or shares  # the state of an optimizer without a schedule has none

    # --- options

    @classmethod
    def checked(cls, options: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        """The options after the changes, which are checked."""
        if wrong := changes.keys() - options.keys():
            raise ValueError(
                f"{cls.__name__}: the options are {', '.join(options)}; "
                f"unknown: {', '.join(sorted(wrong))}"
            )
        new = options | {key: cls.checked_option(key, value) for key, value in changes.items()}
        cls.check(**new)
        return new

    @classmethod
    def checked_option(cls, key: str, value: Any) -> Any:
        """The value as a plain Python number (NumPy's would turn float32 to float64)."""
        domain = cls.domains.get(key)
        if domain is None:
            return value
        if key == "betas":
            return numbers(cls.__name__, key, value, 2, domain)
        return option(cls.__name__, key, value, domain)


def share(lr: float, of: float) -> float:
    """How many times the rate `of` is in lr."""
    return 1.0 if lr == of else lr / of if of > 0 else inf


def norm(x: Array) -> float:
    """The Euclidean norm of all elements, as a Python number; right also where their squares are 0.

    >>> norm(np.array([3e-200, 4e-200]))
    5e-200
    """
    squares = float(np.vdot(x, x))
    if 1e-24 < squares < inf:
        return sqrt(squares)
    largest = float(np.abs(x).max(initial=0))  # or inf, where NumPy has warned of an overflow
    if not 0 < largest < inf:
        return largest
    x = x / largest
    return largest * sqrt(np.vdot(x, x))
