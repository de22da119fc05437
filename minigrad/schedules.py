"""Learning-rate schedules: plain functions of the step, `schedule(t) -> lr`.

    opt.schedule(warmup(100, then=cosine(lr=0.1, T_max=900)))

makes the t-th `opt.step()`, counted from 0, use schedule(t). What PyTorch has under another name
(`StepLR`, `CosineAnnealingLR`, ...) has its arguments and its values here, with the optimizer's lr
as first argument; where PyTorch computes each rate from the one before, the formula here is the
closed form. Derived in `chapters/optimizers/learning-rate-schedules.ipynb`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import wraps

from .checks import choice, each, flag, function, number, sizes

Schedule = Callable[[float], float]


def constant(lr: float, factor: float = 1.0, total_iters: int = 5) -> Schedule:
    r"""The same rate for ever; with `factor`, a reduced one for the first `total_iters` steps.

    $$\eta(t) = \eta \cdot \text{factor} \text{ for } t < \text{total\_iters}, \quad
      \eta \text{ afterwards}$$

    Parameters
    ----------
    lr: the learning rate η >= 0.
    factor: in [0, 1], by which the rate is multiplied at first. PyTorch's `ConstantLR` has 1/3 by
        default; here `constant(lr)` is constant.
    total_iters: whole number >= 0: how many steps have the reduced rate.

    >>> [constant(0.3, factor=0.5, total_iters=2)(t) for t in range(4)]
    [0.15, 0.15, 0.3, 0.3]
    """
    each("constant", "[0, inf)", lr=lr)
    each("constant", "[0, 1]", factor=factor)
    each("constant", "{0, 1, ...}", total_iters=total_iters)

    @checked_schedule
    def schedule(t: float) -> float:
        return lr * factor if t < total_iters else lr

    return schedule


def step_decay(
    lr: float,
    step_size: int | None = None,
    gamma: float = 0.1,
    milestones: Sequence[int] | None = None,
) -> Schedule:
    r"""The rate falls by a factor every `step_size` steps, or at given milestones.

    $$\eta(t) = \eta\, \gamma^{\lfloor t / \text{step\_size} \rfloor} \quad\text{or}\quad
      \eta\, \gamma^{\#\{m \in \text{milestones}:\ m \le t\}}$$

    Parameters
    ----------
    lr: the learning rate η >= 0 before the first fall.
    step_size: whole number >= 1, the steps from one fall to the next, as in PyTorch's `StepLR`; or
    milestones: whole numbers >= 0, the steps at which it falls, as in PyTorch's `MultiStepLR`.
    gamma: γ in (0, 1], by which the rate is multiplied each time.

    >>> [step_decay(1.0, step_size=2, gamma=0.5)(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    each("step_decay", "[0, inf)", lr=lr)
    each("step_decay", "(0, 1]", gamma=gamma)
    if (step_size is None) == (milestones is None):
        raise ValueError("step_decay: pass either step_size or milestones, and not both")
    if step_size is not None:
        period = step_size
        each("step_decay", "{1, 2, ...}", step_size=step_size)
        return checked_schedule(lambda t: lr * gamma ** (t // period))
    marks = sorted(sizes("step_decay", "milestones", milestones, "{0, 1, ...}"))
    return checked_schedule(lambda t: lr * gamma ** bisect_right(marks, t))


def exponential(lr: float, gamma: float) -> Schedule:
    r"""The rate falls by the same factor at every step.

    $$\eta(t) = \eta\, \gamma^t$$

    Parameters
    ----------
    lr: the learning rate η >= 0 of the first step.
    gamma: γ in (0, 1], by which every step multiplies it, as PyTorch's `ExponentialLR`. (A rate
        that grows: `range_test`.)

    >>> exponential(0.8, gamma=0.5)(3)
    0.1
    """
    each("exponential", "[0, inf)", lr=lr)
    each("exponential", "(0, 1]", gamma=gamma)
    return checked_schedule(lambda t: lr * gamma**t)


def cosine(lr: float, T_max: int, eta_min: float = 0.0) -> Schedule:
    r"""Half a cosine from lr down to eta_min, reached at t = T_max.

    $$\eta(t) = \eta_{\min} + \tfrac12 (\eta - \eta_{\min}) (1 + \cos(\pi t / T_{\max}))$$

    As PyTorch's `CosineAnnealingLR`, and like it the rate rises again when training goes on
    beyond T_max.

    Parameters
    ----------
    lr: the learning rate η >= 0 of the first step, the highest.
    T_max: whole number >= 1, the step at which the rate is lowest: usually the number of steps.
    eta_min: in [0, lr], the lowest rate.

    Reference: Loshchilov & Hutter 2017 (SGDR), equation 5.

    >>> [round(cosine(0.1, T_max=4)(t), 4) for t in range(5)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0]
    """
    each("cosine", "[0, inf)", lr=lr, eta_min=eta_min)
    ordered("cosine", eta_min=eta_min, lr=lr)
    each("cosine", "{1, 2, ...}", T_max=T_max)
    return checked_schedule(lambda t: half_cosine(lr, eta_min, t / T_max))


def linear(
    lr: float, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> Schedule:
    r"""A straight line from lr·start_factor to lr·end_factor at t = total_iters, then level.

    $$\eta(t) = \eta\, \bigl(\text{start} + (\text{end} - \text{start})
      \min(t / \text{total\_iters}, 1)\bigr)$$

    Parameters
    ----------
    lr: the learning rate η >= 0 that the factors multiply.
    start_factor, end_factor: in [0, 1], the parts of lr that it starts and ends with. Defaults as
        PyTorch's `LinearLR`: a short warm-up.
    total_iters: whole number >= 1, the step at which the end is reached.

    >>> [linear(0.2, start_factor=1.0, end_factor=0.0, total_iters=4)(t) for t in (0, 1, 4, 9)]
    [0.2, 0.15000000000000002, 0.0, 0.0]
    """
    each("linear", "[0, inf)", lr=lr)
    each("linear", "[0, 1]", start_factor=start_factor, end_factor=end_factor)
    each("linear", "{1, 2, ...}", total_iters=total_iters)
    return checked_schedule(
        lambda t: lr * straight(start_factor, end_factor, min(t / total_iters, 1.0))
    )


def warmup(steps: int, then: Schedule, start_factor: float = 0.0) -> Schedule:
    r"""A straight line up to then(0), reached at t = steps; from there `then`, counting from 0.

    $$\eta(t) = \text{then}(0)\, (s + (1 - s)\, t / \text{steps}) \text{ for } t < \text{steps},
      \quad \text{then}(t - \text{steps}) \text{ afterwards}$$

    The same as PyTorch's `SequentialLR` of a `LinearLR` and `then`. With s = 0 the very first step
    has the rate 0; `start_factor=1/steps` avoids that.

    Parameters
    ----------
    steps: whole number >= 0: how long the warm-up is.
    then: the schedule that follows.
    start_factor: s in [0, 1], the part of then(0) that it starts with.

    Reference: Goyal et al. 2017, section 2.2.

    >>> [warmup(4, then=exponential(1.0, gamma=0.5))(t) for t in range(7)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """
    each("warmup", "{0, 1, ...}", steps=steps)
    each("warmup", "[0, 1]", start_factor=start_factor)
    function("warmup", "then", then, "a schedule, such as constant(0.1)")

    @checked_schedule
    def schedule(t: float) -> float:
        if t < steps:
            return then(0) * straight(start_factor, 1.0, t / steps)
        return then(t - steps)

    return schedule


def triangular(
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[float], float] | None = None,
    scale_mode: str = "cycle",
) -> Schedule:
    r"""The cyclical rate: up and down between base_lr and max_lr, again and again.

    $$\eta(t) = \eta_{\text{base}} + (\eta_{\max} - \eta_{\text{base}})\, \Lambda(t)\, s$$

    where Λ rises from 0 to 1 in `step_size_up` steps and falls back in `step_size_down`, and the
    scale s of the n-th cycle (from 1) is 1 ("triangular"), 2^(1−n) ("triangular2": half the height
    each time), or γ^t ("exp_range").

    Parameters
    ----------
    base_lr, max_lr: the lowest and the highest rate, 0 <= base_lr <= max_lr.
    step_size_up, step_size_down: whole numbers >= 1, the steps up and the steps down again; down is
        up by default.
    mode: as above; without meaning if there is a scale_fn.
    gamma: γ in (0, 1], by which the height is multiplied at every step of "exp_range".
    scale_fn: s as a function of n (scale_mode="cycle") or of t ("iterations").

    As PyTorch's `CyclicLR`, without its cycling of the momentum.

    Reference: Smith 2017, Cyclical Learning Rates, section 3.

    >>> [triangular(1.0, 3.0, step_size_up=2, mode="triangular2")(t) for t in range(8)]
    [1.0, 2.0, 3.0, 2.0, 1.0, 1.5, 2.0, 1.5]
    """
    each("triangular", "[0, inf)", base_lr=base_lr, max_lr=max_lr)
    ordered("triangular", base_lr=base_lr, max_lr=max_lr)
    down = step_size_up if step_size_down is None else step_size_down
    each("triangular", "{1, 2, ...}", step_size_up=step_size_up, step_size_down=down)
    choice("triangular", "mode", mode, "triangular", "triangular2", "exp_range")
    choice("triangular", "scale_mode", scale_mode, "cycle", "iterations")
    if scale_fn is not None:
        function("triangular", "scale_fn", scale_fn)
    each("triangular", "(0, 1]", gamma=gamma)

    @checked_schedule
    def schedule(t: float) -> float:
        finished, into = divmod(t, step_size_up + down)
        n = int(finished) + 1
        height = into / step_size_up if into <= step_size_up else 1 - (into - step_size_up) / down
        if scale_fn is not None:
            scale = scale_fn(n if scale_mode == "cycle" else t)
        elif mode == "exp_range":
            scale = gamma**t
        else:
            scale = 0.5 ** (n - 1) if mode == "triangular2" else 1.0
        return base_lr + (max_lr - base_lr) * height * scale

    return schedule


def cosine_restarts(lr: float, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Schedule:
    r"""SGDR: half a cosine down, a jump back up, and each time T_mult times as long.

    $$\eta(t) = \eta_{\min} + \tfrac12 (\eta - \eta_{\min})
      (1 + \cos(\pi T_{\text{cur}} / T_i)), \qquad T_i = T_0 T_{\text{mult}}^i$$

    with $T_{\text{cur}}$ the steps since the last restart.

    Parameters
    ----------
    lr: the learning rate η >= 0 after each restart, the highest.
    T_0: whole number >= 1, steps to the first restart.
    T_mult: whole number >= 1: how many times as long each stretch is as the one before.
    eta_min: in [0, lr], the lowest rate.

    As PyTorch's `CosineAnnealingWarmRestarts`.

    Reference: Loshchilov & Hutter 2017 (SGDR), equation 5.

    >>> [round(cosine_restarts(1.0, T_0=2, T_mult=2)(t), 3) for t in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """
    each("cosine_restarts", "[0, inf)", lr=lr, eta_min=eta_min)
    ordered("cosine_restarts", eta_min=eta_min, lr=lr)
    each("cosine_restarts", "{1, 2, ...}", T_0=T_0, T_mult=T_mult)

    @checked_schedule
    def schedule(t: float) -> float:
        T_cur, T_i = (t % T_0, T_0) if T_mult == 1 else (t, T_0)
        while T_cur >= T_i:
            T_cur, T_i = T_cur - T_i, T_i * T_mult
        return half_cosine(lr, eta_min, T_cur / T_i)

    return schedule


def one_cycle(
    max_lr: float,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    r"""One cycle over the whole run: warm-up to max_lr, annealing, fine-tuning far below the start.

    From $\eta_{\max}/\text{div}$ up to $\eta_{\max}$ during the first `pct_start` of the steps,
    then down to $\eta_{\max}/(\text{div} \cdot \text{final\_div})$ at the last,
    t = total_steps − 1. With `three_phase` (the paper's form) the way down is as long as the way
    up and ends where that began; the rest of the run goes on from there to the end.

    Parameters
    ----------
    max_lr: η_max >= 0, found by a range test.
    total_steps: whole number >= 1; or its factors `epochs` and `steps_per_epoch`.
    pct_start: in [0, 1]; at most 1/2 with three phases.
    anneal_strategy: "cos" or "linear", the form of every phase.
    div_factor, final_div_factor: > 0; the first rate is max_lr / div_factor, the last is that /
        final_div_factor.

    As PyTorch's `OneCycleLR`. The momentum that PyTorch moves the other way, from 0.95 to 0.85 and
    back, is `one_cycle(0.85, total_steps, div_factor=0.85 / 0.95, final_div_factor=1)`.

    Raises
    ------
    ValueError: also when called for a step t >= total_steps: the cycle is over.

    Reference: Smith & Topin 2018, Super-Convergence.

    >>> rate = one_cycle(1.0, total_steps=10, pct_start=0.5, anneal_strategy="linear")
    >>> [round(rate(t), 4) for t in (0, 2, 4, 7, 9)]
    [0.04, 0.52, 1.0, 0.4, 0.0]
    """
    each("one_cycle", "[0, inf)", max_lr=max_lr)
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ValueError("one_cycle: pass total_steps, or both epochs and steps_per_epoch")
        each("one_cycle", "{1, 2, ...}", epochs=epochs, steps_per_epoch=steps_per_epoch)
        total_steps = epochs * steps_per_epoch
    each("one_cycle", "{1, 2, ...}", total_steps=total_steps)
    each("one_cycle", "[0, 1]", pct_start=pct_start)
    if flag("one_cycle", "three_phase", three_phase) and pct_start > 0.5:
        raise ValueError(
            f"one_cycle: with three_phase the way up and the way down take pct_start each, so it "
            f"must be at most 0.5, got {pct_start}"
        )
    choice("one_cycle", "anneal_strategy", anneal_strategy, "cos", "linear")
    each("one_cycle", "(0, inf)", div_factor=div_factor, final_div_factor=final_div_factor)

    anneal = half_cosine if anneal_strategy == "cos" else straight
    first = max_lr / div_factor
    last = first / final_div_factor
    n, peak = total_steps, pct_start * total_steps - 1
    # where each phase ends, and the rate there
    phases = [(peak, max_lr), (n - 1, last)]
    if three_phase:
        phases = [(peak, max_lr), (2 * peak, first), (n - 1, last)]

    @checked_schedule
    def schedule(t: float) -> float:
        if t > n - 1:
            raise ValueError(f"one_cycle: the cycle has {n} steps, t = 0 to {n - 1}, got t = {t}")
        start, rate = 0.0, first
        for end, rate_at_end in phases[:-1]:
            if t <= end:
                return anneal(rate, rate_at_end, (t - start) / (end - start)) if end else max_lr
            start, rate = end, rate_at_end
        return anneal(rate, last, (t - start) / (n - 1 - start))

    return schedule


def trapezoid(
    lr: float,
    total_steps: int,
    warmup_steps: int,
    decay_steps: int,
    start_factor: float = 0.0,
    end_factor: float = 0.0,
) -> Schedule:
    r"""Warm-up, hold, decay: a straight line up, a level stretch, a straight line down.

    $$\eta(t) = \eta\, \min\Bigl(s + (1 - s)\frac{t}{w},\ 1,\ e + (1 - e)\frac{T - t}{d}\Bigr)$$

    for T steps, the first w of them the warm-up, the last d the decay; level at e·η from t = T on.

    Parameters
    ----------
    lr: the learning rate η >= 0 of the level stretch.
    total_steps, warmup_steps, decay_steps: T, w, d, whole numbers >= 0 with w + d <= T: the steps
        of the run, of the way up and of the way down.
    start_factor, end_factor: s, e in [0, 1], the parts of lr that it starts and ends with.

    The same as PyTorch's `SequentialLR` of `LinearLR`, `ConstantLR`, `LinearLR`.

    Reference: Xing et al. 2018, A Walk with SGD; Hägele et al. 2024 (warm-up, stable, decay).

    >>> [trapezoid(1.0, total_steps=8, warmup_steps=2, decay_steps=4)(t) for t in range(9)]
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    each("trapezoid", "[0, inf)", lr=lr)
    each("trapezoid", "{0, 1, ...}", warmup_steps=warmup_steps, decay_steps=decay_steps)
    each("trapezoid", "{1, 2, ...}", total_steps=total_steps)
    each("trapezoid", "[0, 1]", start_factor=start_factor, end_factor=end_factor)
    if warmup_steps + decay_steps > total_steps:
        raise ValueError(
            f"trapezoid: warmup_steps + decay_steps must fit into total_steps, got {warmup_steps} "
            f"+ {decay_steps} > {total_steps}"
        )
    w, d, T = warmup_steps, decay_steps, total_steps

    @checked_schedule
    def schedule(t: float) -> float:
        up = straight(start_factor, 1.0, t / w) if t < w else 1.0
        down = straight(end_factor, 1.0, max(T - t, 0) / d) if d and t > T - d else 1.0
        return lr * min(up, down)

    return schedule


def noam(d_model: int, warmup_steps: int = 4000, factor: float = 1.0) -> Schedule:
    r"""The rate of the first Transformer: a linear warm-up, then a fall as one over the root.

    $$\eta(t) = \text{factor} \cdot d_{\text{model}}^{-1/2}
      \min\bigl((t+1)^{-1/2},\ (t+1)\, \text{warmup\_steps}^{-3/2}\bigr)$$

    (The paper counts the steps from 1, hence t + 1.)

    Parameters
    ----------
    d_model: whole number >= 1, the width of the model.
    warmup_steps: whole number >= 1; the peak, at t = warmup_steps − 1.
    factor: >= 0, by which the whole is multiplied.

    Reference: Vaswani et al. 2017, equation 3.

    >>> round(noam(d_model=512)(3999), 7)  # the peak of the base model
    0.0006988
    """
    each("noam", "[0, inf)", factor=factor)
    each("noam", "{1, 2, ...}", d_model=d_model, warmup_steps=warmup_steps)
    scale = factor * d_model**-0.5
    return checked_schedule(
        lambda t: float(scale * min((t + 1) ** -0.5, (t + 1) * warmup_steps**-1.5))
    )


def range_test(
    start_lr: float, end_lr: float, num_iter: int = 100, step_mode: str = "exp"
) -> Schedule:
    r"""The rate of a range test: from tiny to too large, while one watches the loss.

    $$\eta(t) = \eta_{\text{start}}\, (\eta_{\text{end}} / \eta_{\text{start}})^{t / (n - 1)}$$

    or the straight line between the same ends. Good rates are where the loss falls fastest, well
    before it explodes. After n steps the rate stays at end_lr.

    Parameters
    ----------
    start_lr, end_lr: the first and the last rate to try, 0 < start_lr <= end_lr.
    num_iter: n, whole number >= 2: in how many steps.
    step_mode: "exp" or "linear".

    Reference: Smith 2017, Cyclical Learning Rates, section 3.3.

    >>> [round(range_test(1e-3, 10.0, num_iter=5)(t), 6) for t in range(5)]
    [0.001, 0.01, 0.1, 1.0, 10.0]
    """
    each("range_test", "(0, inf)", start_lr=start_lr, end_lr=end_lr)
    ordered("range_test", start_lr=start_lr, end_lr=end_lr)
    each("range_test", "{2, 3, ...}", num_iter=num_iter)
    choice("range_test", "step_mode", step_mode, "exp", "linear")

    @checked_schedule
    def schedule(t: float) -> float:
        done = t / (num_iter - 1)
        if done >= 1:
            return end_lr
        if step_mode == "linear":
            return straight(start_lr, end_lr, done)
        return float(start_lr * (end_lr / start_lr) ** done)

    return schedule


# --- the two ways from a to b, as `done` goes from 0 to 1


def straight(a: float, b: float, done: float) -> float:
    return a + (b - a) * done


def half_cosine(a: float, b: float, done: float) -> float:
    return b + (a - b) * (1 + math.cos(math.pi * done)) / 2


# --- checks


def checked_schedule(schedule: Schedule) -> Schedule:
    """Decorator: check the step before calling the schedule."""

    @wraps(schedule)
    def checked(t: float) -> float:
        number("a schedule", "the step t", t, "[0, inf)")
        return float(schedule(t))

    return checked


def ordered(who: str, **two: float) -> None:
    (low, a), (high, b) = two.items()
    if a > b:
        raise ValueError(f"{who}: {low} must not exceed {high}, got {a} > {b}")


__all__ = [
    "constant",
    "cosine",
    "cosine_restarts",
    "exponential",
    "linear",
    "noam",
    "one_cycle",
    "range_test",
    "step_decay",
    "trapezoid",
    "triangular",
    "warmup",
]
