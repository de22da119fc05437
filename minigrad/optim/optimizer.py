"""What all optimizers share: parameter groups, one buffer for many parameters, state, schedules.

An optimizer states its rule once, for a block of parameters that lie side by side in one flat
array:

    def update(self, theta, g, state, *, lr, ...):  # changes theta and state in place

so a step is a handful of NumPy calls, however many layers the network has. Rules that look at one
layer at a time (LARS, Muon) set `layerwise = True` and are given each parameter in its own shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import is_
from typing import Any, Self

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import Tensor, clock

STRETCH = 1 << 18  # elements: the handful of arrays of a step then take some 5 MB in float32


class State(dict[str, Any]):
    """What an optimizer remembers about parameters that it steps together.

    `state["t"]` is the number of the step, from 1. Any other entry that is asked for before it is
    set is an array of zeros like theta: that is how moments start.
    """

    def __init__(self, theta: Array) -> None:
        super().__init__(t=0)
        self.theta = theta

    def __missing__(self, key: str) -> Array:
        self[key] = zeros = np.zeros_like(self.theta)
        return zeros


class Block:
    """Parameters that are stepped together. Their `data` are views of one array, theta.

    stretches: pairs (where in theta, state). A long theta is cut in several if the rule is one for
        every element by itself: the arrays of a stretch stay in the processor's cache.
    """

    def __init__(
        self,
        params: Sequence[Tensor],
        states: Sequence[dict[str, Any]],
        layerwise: bool,
        elementwise: bool,
    ) -> None:
        self.params = list(params)
        self.shapes = [p.shape for p in self.params]
        self.places: list[Any]  # where in theta each parameter lies
        if layerwise:
            self.theta = np.atleast_1d(self.params[0]._data.copy())
            self.places = [...]
        else:
            self.theta = np.concatenate([p._data.ravel() for p in self.params])
            ends = np.cumsum([p.size for p in self.params])
            self.places = [slice(end - p.size, end) for p, end in zip(self.params, ends)]
        self.g = np.empty_like(self.theta)
        length = STRETCH if elementwise else max(self.theta.size, 1)
        starts = range(0, self.theta.size, length)
        where = [slice(i, i + length) for i in starts] if len(starts) > 1 else [...]
        self.stretches = [(w, State(self.theta[w])) for w in where]
        for key, value in states[0].items():
            if not layerwise and isinstance(value, np.ndarray):
                value = np.concatenate([s[key].ravel() for s in states])
            for w, state in self.stretches:
                state[key] = value[w] if isinstance(value, np.ndarray) else value
        self.take_over()

    def take_over(self) -> None:
        """Make the parameters' data views of theta (again, if another optimizer had them since)."""
        theta = self.theta
        for p, place in zip(self.params, self.places):
            if p._data.base is not theta:
                view = theta[place].reshape(p.shape)
                view[...] = p._data
                p._data = view

    def gradient(self) -> Array:
        """The gradients, side by side as the parameters are. Not to be written to."""
        grads = [np.asarray(p.grad) for p in self.params]
        if [g.shape for g in grads] != self.shapes:
            for g, shape in zip(grads, self.shapes):
                if g.shape != shape:
                    raise ValueError(f"a parameter of shape {shape} has a .grad of shape {g.shape}")
        dtype = self.theta.dtype
        try:
            if len(grads) == 1:
                g = grads[0].astype(dtype, casting="same_kind", copy=False)
                return g.reshape(self.theta.shape)
            return np.concatenate([g.ravel() for g in grads], out=self.g, casting="same_kind")
        except TypeError:
            wrong = next(g.dtype for g in grads if not np.can_cast(g.dtype, dtype, "same_kind"))
            raise TypeError(f"a parameter of {dtype} numbers has a .grad of {wrong}") from None

    def states(self) -> list[dict[str, Any]]:
        """A copy of the state for each parameter, the arrays in the parameter's shape."""

        def part(value: Any, p: Tensor, place: Any) -> Any:
            if not isinstance(value, np.ndarray):
                return value
            return value.copy() if place is ... else value[place].reshape(p.shape).copy()

        first, *others = [state for _, state in self.stretches]
        whole = {
            key: np.concatenate([value, *(s[key] for s in others)])
            if others and isinstance(value, np.ndarray)
            else value
            for key, value in first.items()
        }
        return [
            {key: part(value, p, place) for key, value in whole.items()}
            for p, place in zip(self.params, self.places)
        ]


class Optimizer:
    """Base of all optimizers.

    Parameters
    ----------
    params: the tensors to train, or a list of dicts {"params": [...], "lr": ..., ...} whose options
        override the common ones for their group.
    options: the common options, by name.

    Attributes
    ----------
    param_groups: list of dicts, "params" and all options of each group; options can be changed.
    lr: the learning rate (of the first group; setting it sets it for all).

    Raises
    ------
    ValueError: no parameters, one given twice, an unknown option, or one out of its domain.
    TypeError: a parameter that is not a leaf tensor with `requires_grad=True`.
    """

    layerwise = False
    elementwise = False  # whether the rule is one for every element by itself
    needs_finite = False  # whether the rule cannot be computed for a gradient with inf or nan

    # Where each option must lie; {0, 1, ...} are integers. Options of the same name mean the same.
    domains: dict[str, str] = {
        "lr": "[0, inf)",
        "betas": "[0, 1)",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "momentum": "[0, 1)",
        "nesterov": "{False, True}",
    }

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        if isinstance(params, Tensor):
            raise TypeError(f"{self._name}: params must be a list of tensors: write [x] for one")
        if not isinstance(params, Iterable):
            raise TypeError(
                f"{self._name}: params must be a list of tensors, got {type(params).__name__}"
                f"{': write net.parameters()' if hasattr(params, 'parameters') else ''}"
            )
        given = list(params)
        if not given:
            raise ValueError(f"{self._name}: got no parameters to train")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self._names = list(options)
        self.param_groups: list[dict[str, Any]] = []
        seen: set[int] = set()
        for group in groups:
            if not isinstance(group, dict) or "params" not in group:
                raise ValueError(
                    f'{self._name}: a parameter group must be a dict with an entry "params"'
                )
            ps = [group["params"]] if isinstance(group["params"], Tensor) else [*group["params"]]
            if not ps:
                raise ValueError(f"{self._name}: a parameter group has no parameters")
            for p in ps:
                if not isinstance(p, Tensor) or not p.requires_grad or p._f is not None:
                    raise TypeError(
                        f"{self._name}: parameters must be leaf tensors with requires_grad=True, "
                        f"got {p!r}"
                    )
                if id(p) in seen:
                    raise ValueError(f"{self._name}: a parameter of shape {p.shape} is given twice")
                seen.add(id(p))
                self.check_parameter(p)
            own = {k: v for k, v in group.items() if k != "params"}
            self.param_groups.append({"params": ps, **self._read(options | own)})
        self._blocks = [self._make_blocks(g["params"]) for g in self.param_groups]
        # each group as it was when its options were last read, and those options
        self._seen: list[dict[str, Any]] = [{} for _ in self.param_groups]
        self._options: list[dict[str, Any]] = [{} for _ in self.param_groups]
        self._schedule: Callable[[int], float] | None = None
        self._common: dict[str, Any] = {"steps": 0}  # state that belongs to no parameter

    @property
    def _name(self) -> str:
        return type(self).__name__

    # --- what a subclass says

    # update(theta, g, state, **options) makes one step: it changes theta and state in place, and
    # does not write to g.
    update: Callable[..., None]

    def check(self, **options: Any) -> None:
        """Raise ValueError for options that do not go together."""

    def check_parameter(self, p: Tensor) -> None:
        """Raise for a parameter that this optimizer cannot train."""

    def state_shape(self, key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an array of the state for a parameter of the given shape."""
        return shape

    # --- what a user calls

    @property
    def lr(self) -> float:
        return float(self.param_groups[0]["lr"])

    @lr.setter
    def lr(self, value: float) -> None:
        value = self._read_one("lr", value)
        for group in self.param_groups:
            group["lr"] = value

    def schedule(self, f: Callable[[int], float]) -> Self:
        """Let the t-th step from now (from 0) use the learning rate f(t). Returns self.

        A loaded state brings its t with it, so call this before `load_state_dict` to go on.
        """
        if not callable(f):
            raise TypeError(f"{self._name}: a schedule is a function of the step, got {f!r}")
        self._schedule = f
        self._common["steps"] = 0
        return self

    def zero_grad(self) -> None:
        """Forget all gradients: set every parameter's `.grad` to None."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def step(self) -> None:
        """Change the parameters once, by their gradients. One without gradient is left alone."""
        # first look at all gradients and options, then change anything
        ready = [
            (block, block.gradient(), i)
            for i, blocks in enumerate(self._blocks)
            for block in self._with_gradient(blocks)
        ]
        if self.needs_finite and not all(np.isfinite(g).all() for _, g, _ in ready):
            raise ValueError(f"{self._name}: the gradients must be finite, got inf or nan")
        if self._schedule is not None:
            self.lr = self._schedule(self._common["steps"])
        for i, group in enumerate(self.param_groups):
            self._read_again(i, group)
        self._common["steps"] += 1
        for block, g, i in ready:
            block.take_over()
            for where, state in block.stretches:
                state["t"] += 1
                self.update(block.theta[where], g[where], state, **self._options[i])
            for p in block.params:  # changed: a graph that still needs the old value must raise
                p._number = next(clock)

    def state_dict(self) -> dict[str, Any]:
        """Options of the groups and a copy of every parameter's state, for `minigrad.save`."""
        state = []
        for group, blocks in zip(self.param_groups, self._blocks):
            of = {id(p): s for b in blocks for p, s in zip(b.params, b.states())}
            state += [of[id(p)] for p in group["params"]]
        groups = [{k: v for k, v in g.items() if k != "params"} for g in self.param_groups]
        return {"param_groups": groups, "state": state, "common": dict(self._common)}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave for parameters of the same shapes and order.

        Raises
        ------
        ValueError: it is of another optimizer or of other parameters; nothing is changed then.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        if not isinstance(saved, dict) or saved.keys() != {"param_groups", "state", "common"}:
            raise ValueError(f"{self._name}: load_state_dict needs what state_dict() gave")
        groups, states, common = saved["param_groups"], saved["state"], saved["common"]
        if len(states) != len(params) or len(groups) != len(self.param_groups):
            raise ValueError(
                f"{self._name}: the state is of {len(states)} parameters in {len(groups)} "
                f"groups, this optimizer has {len(params)} in {len(self.param_groups)}"
            )
        if common.keys() != self._common.keys():
            raise ValueError(f"{self._name}: the state is of another optimizer")
        options = [self._read(group) for group in groups]
        for p, state in zip(params, states):
            shape = p.shape or (1,) if self.layerwise else p.shape
            for key, value in state.items():
                if isinstance(value, np.ndarray) and value.shape != self.state_shape(key, shape):
                    raise ValueError(
                        f"{self._name}: the saved {key} of a parameter of shape {p.shape} "
                        f"must have shape {self.state_shape(key, shape)}, got {value.shape}"
                    )
        rest = iter(states)
        for i, group in enumerate(self.param_groups):
            group.update(options[i])
            self._blocks[i] = self._make_blocks(
                group["params"],
                [
                    {
                        k: np.array(v, p.dtype) if isinstance(v, np.ndarray) else v
                        for k, v in next(rest).items()
                    }
                    for p in group["params"]
                ],
            )
        self._common = dict(common)

    # --- blocks

    def _make_blocks(
        self, params: list[Tensor], states: list[dict[str, Any]] | None = None
    ) -> list[Block]:
        """One block for all parameters of the same dtype and age (a block has one t).

        But a long one by itself, if it may: there its gradient need not be copied beside others.
        """
        alike: dict[Any, list[tuple[Tensor, dict[str, Any]]]] = {}
        for i, (p, s) in enumerate(zip(params, states or [{}] * len(params))):
            age = frozenset((k, None if isinstance(v, np.ndarray) else v) for k, v in s.items())
            alone = self.layerwise or (self.elementwise and p.size >= STRETCH)
            alike.setdefault(i if alone else (p.dtype, age), []).append((p, s))
        return [self._make_block(pairs) for pairs in alike.values()]

    def _make_block(self, pairs: list[tuple[Tensor, dict[str, Any]]]) -> Block:
        return Block([p for p, _ in pairs], [s for _, s in pairs], self.layerwise, self.elementwise)

    def _with_gradient(self, blocks: list[Block]) -> list[Block]:
        """The blocks to be stepped. One with gradients for only some is split in two for good."""
        for block in [*blocks]:
            have = [p.grad is not None for p in block.params]
            if any(have) and not all(have):
                blocks.remove(block)
                pairs = list(zip(block.params, block.states()))
                for side in True, False:
                    blocks.append(self._make_block([x for x, h in zip(pairs, have) if h is side]))
        return [block for block in blocks if block.params[0].grad is not None]

    # --- options

    def _read_again(self, i: int, group: dict[str, Any]) -> None:
        """Read the options of group i, if one was changed since the last step."""
        seen = self._seen[i]
        if len(group) != len(seen) or not all(map(is_, group.values(), seen.values())):
            self._options[i] = self._read({k: v for k, v in group.items() if k != "params"})
            group.update(self._options[i])
            self._seen[i] = dict(group)

    def _read(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options, checked, as plain Python numbers (NumPy's would turn float32 to float64)."""
        if wrong := options.keys() ^ set(self._names):
            raise ValueError(
                f"{self._name}: the options are {', '.join(self._names)}; "
                f"unknown or missing: {', '.join(sorted(wrong))}"
            )
        options = {key: self._read_one(key, options[key]) for key in self._names}
        self.check(**options)
        return options

    def _read_one(self, key: str, value: Any) -> Any:
        domain = self.domains.get(key)
        if domain is None:
            return value
        if key == "betas":
            if isinstance(value, (tuple, list)) and len(value) == 2:
                if all(fits(beta, domain) for beta in value):
                    return tuple(map(float, value))
            raise ValueError(f"{self._name}: betas must be two numbers in {domain}, got {value!r}")
        if not fits(value, domain):
            raise ValueError(f"{self._name}: {key} must be in {domain}, got {value!r}")
        kind = float if domain[0] in "[(" else bool if domain == "{False, True}" else int
        return kind(value)


def fits(value: Any, domain: str) -> bool:
    """Whether a value lies in "[0, 1)" (numbers), "{1, 2, ...}" (integers) or "{False, True}"."""
    if domain == "{False, True}":
        return isinstance(value, (bool, np.bool_))
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        return False
    low, *_, high = domain[1:-1].split(", ")
    if domain[0] == "{":
        return isinstance(value, int | np.integer) and bool(value >= int(low))
    above = value >= float(low) if domain[0] == "[" else value > float(low)
    return bool(above and (value <= float(high) if domain[-1] == "]" else value < float(high)))


def norm(x: Array) -> float:
    """The Euclidean norm of all elements, as a Python number."""
    return float(np.linalg.norm(x.ravel()))
