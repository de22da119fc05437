"""Schedules against PyTorch's over 240 steps, each paper's formula, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compares import compares
from minigrad import Tensor, schedules
from minigrad.optim import SGD
from minigrad.schedules import (
    constant,
    cosine,
    cosine_restarts,
    exponential,
    linear,
    noam,
    one_cycle,
    range_test,
    step_decay,
    trapezoid,
    triangular,
    warmup,
)
from torch_reference import needs_torch, reference

STEPS = 240


def ours(schedule, steps=STEPS):
    return np.array([schedule(t) for t in range(steps)])


def torchs(torch, scheduler, steps=STEPS, lr=0.3):
    """The rates that PyTorch's scheduler, made by scheduler(optimizer, module), gives to steps."""
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)
    s = scheduler(opt, torch.optim.lr_scheduler)
    rates, momenta = [], []
    for _ in range(steps):
        rates.append(opt.param_groups[0]["lr"])
        momenta.append(opt.param_groups[0]["momentum"])
        opt.step()
        s.step()
    return np.array(rates), np.array(momenta)


def in_turn(S, opt, milestones, *parts):
    return S.SequentialLR(opt, list(parts), milestones=milestones)


# ours, and the same in PyTorch; the base rate is 0.3 throughout
PAIRS = {
    "constant": (constant(0.3), lambda o, S: S.ConstantLR(o, factor=1.0)),
    "constant-factor": (
        constant(0.3, factor=1 / 3, total_iters=77),
        lambda o, S: S.ConstantLR(o, factor=1 / 3, total_iters=77),
    ),
    "constant-iters": (constant(0.3, factor=0.2), lambda o, S: S.ConstantLR(o, factor=0.2)),
    "step": (step_decay(0.3, 17), lambda o, S: S.StepLR(o, 17)),
    "step-gamma": (step_decay(0.3, 5, gamma=0.9), lambda o, S: S.StepLR(o, 5, gamma=0.9)),
    "milestones": (
        step_decay(0.3, milestones=[100, 30, 200, 30]),
        lambda o, S: S.MultiStepLR(o, [30, 30, 100, 200]),
    ),
    "milestones-gamma": (
        step_decay(0.3, milestones=[1, 50], gamma=0.7),
        lambda o, S: S.MultiStepLR(o, [1, 50], gamma=0.7),
    ),
    "exponential": (exponential(0.3, 0.97), lambda o, S: S.ExponentialLR(o, 0.97)),
    "cosine": (cosine(0.3, 240), lambda o, S: S.CosineAnnealingLR(o, 240)),
    "cosine-beyond": (
        cosine(0.3, 70, eta_min=0.02),
        lambda o, S: S.CosineAnnealingLR(o, 70, eta_min=0.02),
    ),
    "linear": (linear(0.3), lambda o, S: S.LinearLR(o)),
    "linear-options": (
        linear(0.3, start_factor=0.9, end_factor=0.1, total_iters=111),
        lambda o, S: S.LinearLR(o, start_factor=0.9, end_factor=0.1, total_iters=111),
    ),
    "warmup": (
        warmup(40, then=cosine(0.3, 200), start_factor=0.1),
        lambda o, S: in_turn(
            S,
            o,
            [40],
            S.LinearLR(o, start_factor=0.1, total_iters=40),
            S.CosineAnnealingLR(o, 200),
        ),
    ),
    "triangular": (
        triangular(0.01, 0.5, step_size_up=23),
        lambda o, S: S.CyclicLR(o, 0.01, 0.5, step_size_up=23),
    ),
    "triangular-default": (triangular(0.01, 0.5), lambda o, S: S.CyclicLR(o, 0.01, 0.5)),
    "triangular-down": (
        triangular(0.01, 0.5, step_size_up=10, step_size_down=31),
        lambda o, S: S.CyclicLR(o, 0.01, 0.5, step_size_up=10, step_size_down=31),
    ),
    "triangular2": (
        triangular(0.01, 0.5, 20, 11, mode="triangular2"),
        lambda o, S: S.CyclicLR(o, 0.01, 0.5, 20, 11, mode="triangular2"),
    ),
    "exp_range": (
        triangular(0.01, 0.5, 20, mode="exp_range", gamma=0.99),
        lambda o, S: S.CyclicLR(o, 0.01, 0.5, 20, mode="exp_range", gamma=0.99),
    ),
    "scale-cycle": (
        triangular(0.01, 0.5, 20, scale_fn=lambda n: 1 / n),
        lambda o, S: S.CyclicLR(o, 0.01, 0.5, 20, scale_fn=lambda n: 1 / n),
    ),
    "scale-iterations": (
        triangular(0.01, 0.5, 20, scale_fn=lambda t: 0.99**t, scale_mode="iterations"),
        lambda o, S: S.CyclicLR(
            o, 0.01, 0.5, 20, scale_fn=lambda t: 0.99**t, scale_mode="iterations"
        ),
    ),
    "restarts": (cosine_restarts(0.3, 50), lambda o, S: S.CosineAnnealingWarmRestarts(o, 50)),
    "restarts-mult": (
        cosine_restarts(0.3, 10, T_mult=3, eta_min=0.01),
        lambda o, S: S.CosineAnnealingWarmRestarts(o, 10, T_mult=3, eta_min=0.01),
    ),
    "one_cycle": (one_cycle(0.3, STEPS + 1), lambda o, S: S.OneCycleLR(o, 0.3, STEPS + 1)),
    "one_cycle-epochs": (
        one_cycle(0.3, epochs=50, steps_per_epoch=5, pct_start=0.25),
        lambda o, S: S.OneCycleLR(o, 0.3, epochs=50, steps_per_epoch=5, pct_start=0.25),
    ),
    "one_cycle-linear": (
        one_cycle(
            0.3, 250, pct_start=0.61, anneal_strategy="linear", div_factor=7, final_div_factor=90
        ),
        lambda o, S: S.OneCycleLR(
            o,
            0.3,
            250,
            pct_start=0.61,
            anneal_strategy="linear",
            div_factor=7,
            final_div_factor=90,
        ),
    ),
    "one_cycle-three": (
        one_cycle(0.3, STEPS, pct_start=0.4, three_phase=True),
        lambda o, S: S.OneCycleLR(o, 0.3, STEPS, pct_start=0.4, three_phase=True),
    ),
    "one_cycle-three-linear": (
        one_cycle(0.3, 241, anneal_strategy="linear", three_phase=True),
        lambda o, S: S.OneCycleLR(o, 0.3, 241, anneal_strategy="linear", three_phase=True),
    ),
    "trapezoid": (
        trapezoid(0.3, 220, warmup_steps=30, decay_steps=90, start_factor=0.1, end_factor=0.05),
        lambda o, S: in_turn(
            S,
            o,
            [30, 130],
            S.LinearLR(o, start_factor=0.1, total_iters=30),
            S.ConstantLR(o, factor=1.0, total_iters=0),
            S.LinearLR(o, start_factor=1.0, end_factor=0.05, total_iters=90),
        ),
    ),
    "noam": (
        noam(64, warmup_steps=50, factor=0.3),
        lambda o, S: S.LambdaLR(
            o, lambda t: 64**-0.5 * min((t + 1) ** -0.5, (t + 1) * 50**-1.5)
        ),
    ),
    "range-exp": (
        range_test(0.3 * 1.01**-250, 0.3, 251),
        lambda o, S: S.LambdaLR(o, lambda t: 1.01 ** (t - 250)),
    ),
    "range-linear": (
        range_test(0.1 * 0.3, 0.3, 201, step_mode="linear"),
        lambda o, S: S.LinearLR(o, start_factor=0.1, total_iters=200),
    ),
}  # fmt: skip


@compares("torch.optim.lr_scheduler.ConstantLR", "schedules.constant")
@compares("torch.optim.lr_scheduler.CosineAnnealingLR", "schedules.cosine")
@compares("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts", "schedules.cosine_restarts")
@compares("torch.optim.lr_scheduler.CyclicLR", "schedules.triangular")
@compares("torch.optim.lr_scheduler.ExponentialLR", "schedules.exponential")
@compares("torch.optim.lr_scheduler.LinearLR", "schedules.linear")
@compares("torch.optim.lr_scheduler.OneCycleLR", "schedules.one_cycle")
@compares("torch.optim.lr_scheduler.SequentialLR of LinearLR", "schedules.warmup")
@compares("torch.optim.lr_scheduler.StepLR and MultiStepLR", "schedules.step_decay")
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.filterwarnings("ignore:Seems like `optimizer.step")
@pytest.mark.parametrize("key", PAIRS)
def test_equals_pytorch(key):
    schedule, scheduler = PAIRS[key]
    (want,) = reference(f"schedules/{key}", lambda torch: [torchs(torch, scheduler)[0]])
    np.testing.assert_allclose(ours(schedule), want, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal", ["cos", "linear"])
def test_one_cycle_also_gives_pytorchs_momentum(three_phase, anneal):
    options = dict(anneal_strategy=anneal, three_phase=three_phase)
    (want,) = reference(
        f"schedules/momentum-{anneal}-{three_phase}",
        lambda torch: [
            torchs(torch, lambda o, S: S.OneCycleLR(o, 0.3, STEPS, **options), STEPS)[1]
        ],
    )
    got = one_cycle(0.85, STEPS, div_factor=0.85 / 0.95, final_div_factor=1, **options)
    np.testing.assert_allclose(ours(got), want, rtol=1e-12)


@needs_torch
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_options_equal_pytorchs(data):
    import torch

    draw = data.draw
    part = st.floats(0.05, 1)
    size = st.integers(1, 60)
    lr = draw(st.floats(1e-4, 10))
    kind = draw(st.sampled_from(["step", "linear", "cosine", "cycle", "restarts", "one_cycle"]))
    if kind == "step":
        o = dict(step_size=draw(size), gamma=draw(part))
        pair = step_decay(lr, **o), lambda p, S: S.StepLR(p, **o)
    elif kind == "linear":
        o = dict(start_factor=draw(part), end_factor=draw(part), total_iters=draw(size))
        pair = linear(lr, **o), lambda p, S: S.LinearLR(p, **o)
    elif kind == "cosine":
        o = dict(T_max=draw(st.integers(2, 60)), eta_min=lr * draw(part))
        pair = cosine(lr, **o), lambda p, S: S.CosineAnnealingLR(p, **o)
    elif kind == "cycle":
        o = dict(
            base_lr=lr * draw(part),
            max_lr=lr,
            step_size_up=draw(size),
            step_size_down=draw(st.none() | size),
            mode=draw(st.sampled_from(["triangular", "triangular2", "exp_range"])),
            gamma=draw(part),
        )
        pair = triangular(**o), lambda p, S: S.CyclicLR(p, **o)
    elif kind == "restarts":
        o = dict(T_0=draw(size), T_mult=draw(st.integers(1, 4)), eta_min=lr * draw(part))
        pair = cosine_restarts(lr, **o), lambda p, S: S.CosineAnnealingWarmRestarts(p, **o)
    else:
        o = dict(
            max_lr=lr,
            total_steps=draw(st.integers(81, 200)),
            pct_start=draw(st.floats(0.05, 0.5)),
            anneal_strategy=draw(st.sampled_from(["cos", "linear"])),
            div_factor=draw(st.floats(1, 100)),
            final_div_factor=draw(st.floats(1, 1e5)),
            three_phase=draw(st.booleans()),
        )
        pair = one_cycle(**o), lambda p, S: S.OneCycleLR(p, **o)
    want = torchs(torch, pair[1], 80, lr)[0]
    np.testing.assert_allclose(ours(pair[0], 80), want, rtol=1e-9, atol=1e-9 * lr)


def test_an_optimizer_follows_its_schedule():
    """200 steps of SGD on a quadratic, with PyTorch's SGD and scheduler beside it."""
    curvature, start = np.array([1.0, 4.0, 0.1]), np.array([1.0, -2.0, 3.0])

    def in_pytorch(torch):
        x = torch.nn.Parameter(torch.tensor(start))
        opt = torch.optim.SGD([x], lr=0.3, momentum=0.5)
        s = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 40, eta_min=0.01)
        for _ in range(200):
            opt.zero_grad()
            (torch.tensor(curvature) * x * x * 0.1).sum().backward()
            opt.step()
            s.step()
        return [x]

    x = Tensor(start, requires_grad=True)
    opt = SGD([x], lr=1.0, momentum=0.5).schedule(cosine_restarts(0.3, 40, eta_min=0.01))
    for _ in range(200):
        opt.zero_grad()
        (curvature * x * x * 0.1).sum().backward()
        opt.step()
    np.testing.assert_allclose(x.data, reference("schedules/sgd", in_pytorch)[0], rtol=1e-9)


# --- what PyTorch lacks: the papers' formulas, and limiting cases


@compares("Vaswani et al. 2017, eq. 3", "schedules.noam")
def test_noam_is_equation_3_of_the_paper():
    for d_model, warm in [(512, 4000), (16, 7)]:
        rate = noam(d_model, warm)
        for step_num in [1, 2, warm - 1, warm, warm + 1, 10 * warm]:
            want = d_model**-0.5 * min(step_num**-0.5, step_num * warm**-1.5)
            assert math.isclose(rate(step_num - 1), want, rel_tol=1e-15)
        rates = [rate(t) for t in range(3 * warm)]
        assert int(np.argmax(rates)) == warm - 1
    assert noam(512)(100) == noam(512, 4000, 1.0)(100)  # the paper's warm-up is the default


def test_warmup_reaches_its_peak_at_steps_and_then_counts_from_0():
    asked = []

    def then(t):
        asked.append(t)
        return 2.0 - t

    rate = warmup(4, then=then)
    assert [rate(t) for t in range(7)] == [0, 0.5, 1.0, 1.5, 2.0, 1.0, 0.0]
    assert asked[-3:] == [0, 1, 2]
    assert ours(warmup(0, then=cosine(1.0, 9)), 9).tolist() == ours(cosine(1.0, 9), 9).tolist()
    assert warmup(4, then=constant(1.0), start_factor=0.25)(0) == 0.25


@compares("torch.optim.lr_scheduler.SequentialLR of LinearLR", "schedules.trapezoid")
def test_trapezoid_warms_up_holds_and_decays():
    rates = ours(trapezoid(0.2, 100, warmup_steps=20, decay_steps=40), 120)
    t = np.arange(120)
    np.testing.assert_allclose(rates[:20], 0.2 * t[:20] / 20, rtol=1e-14)
    assert (rates[20:61] == 0.2).all() and rates[61] < 0.2
    np.testing.assert_allclose(rates[60:100], 0.2 * (100 - t[60:100]) / 40, rtol=1e-13)
    assert (rates[100:] == 0).all()
    assert (ours(trapezoid(0.2, 50, 0, 0), 50) == 0.2).all()
    assert ours(trapezoid(1.0, 4, 0, 4), 5).tolist() == [1, 0.75, 0.5, 0.25, 0]
    assert ours(trapezoid(1.0, 4, 4, 0), 5).tolist() == [0, 0.25, 0.5, 0.75, 1]


@compares("Smith 2017, section 3.3", "schedules.range_test")
def test_range_test_goes_from_end_to_end_in_equal_ratios_or_differences():
    rates = ours(range_test(1e-5, 10.0, 61), 70)
    assert rates[0] == 1e-5 and (rates[60:] == 10.0).all()
    np.testing.assert_allclose(np.diff(np.log10(rates[:61])), 0.1, rtol=1e-9)
    rates = ours(range_test(1.0, 3.0, 5, step_mode="linear"), 7)
    assert rates.tolist() == [1, 1.5, 2, 2.5, 3, 3, 3]
    assert len(set(ours(range_test(1e-5, 10.0), 101))) == 100  # 100 rates by default


def test_restarts_without_restart_are_a_cosine_and_equal_cycles_repeat():
    np.testing.assert_array_equal(ours(cosine_restarts(0.3, 240)), ours(cosine(0.3, 240)))
    rates = ours(cosine_restarts(0.3, 60))
    np.testing.assert_array_equal(rates[:60], rates[180:])


def test_one_cycle_ends():
    rate = one_cycle(1.0, 100)
    assert math.isclose(rate(0), 1 / 25) and math.isclose(rate(99), 1 / 25 / 1e4)
    assert math.isclose(rate(29), 1.0)  # 0.3 * 100 steps, the last of them at the peak
    for t in [99.5, 100, 1000]:
        with pytest.raises(ValueError, match="the cycle has 100 steps, t = 0 to 99"):
            rate(t)
    assert one_cycle(1.0, 10, pct_start=0.1)(0) == 1.0  # a way up of one step is at the peak
    assert one_cycle(1.0, 10, pct_start=1.0)(9) == 1.0
    assert math.isclose(one_cycle(1.0, 1)(0), 4e-6)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_rates_are_finite_floats_between_0_and_the_largest(data):
    n = data.draw(st.integers(1, 50))
    half = st.floats(0, 0.5)
    f = st.floats(0, 1)
    draw = data.draw
    largest, schedule = draw(
        st.sampled_from(
            [
                (2.0, constant(2.0, draw(f), n)),
                (2.0, step_decay(2.0, n)),
                (2.0, cosine(2.0, n, draw(f))),
                (2.0, linear(2.0, draw(f), draw(f), n)),
                (2.0, warmup(n, exponential(2.0, 0.5), draw(f))),
                (2.0, triangular(draw(f), 2.0, n, draw(st.integers(1, 9)), mode="triangular2")),
                (2.0, cosine_restarts(2.0, n, draw(st.integers(1, 3)))),
                (2.0, one_cycle(2.0, 1001, pct_start=draw(half), three_phase=draw(st.booleans()))),
                (2.0, trapezoid(2.0, 2 * n, n, n // 2, draw(f), draw(f))),
                (1.0, noam(n, n)),
                (3.0, range_test(1e-6, 3.0, n + 1)),
            ]
        )
    )
    for t in [0, 1, n, draw(st.integers(0, 1000)), draw(st.floats(0, 1000)), np.int64(3)]:
        rate = schedule(t)
        assert type(rate) is float and 0 <= rate <= largest * (1 + 1e-12)


# --- bad input

BAD = [
    (lambda: constant(-1.0), r"constant: lr must be in \[0, inf\), got -1\.0"),
    (lambda: constant(math.nan), r"constant: lr must be in \[0, inf\), got nan"),
    (lambda: constant(1.0, factor=1.5), r"constant: factor must be in \[0, 1\], got 1.5"),
    (lambda: constant(1.0, total_iters=-1), r"constant: total_iters must be in \{0, 1, \.\.\.\}, got -1"),
    (lambda: step_decay(1.0), "either step_size or milestones"),
    (lambda: step_decay(1.0, 3, milestones=[4]), "either step_size or milestones"),
    (lambda: step_decay(1.0, 0), r"step_decay: step_size must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: step_decay(1.0, milestones=[3, -1]), r"step_decay: milestones\[1\] must be in \{0, 1, \.\.\.\}, got -1"),
    (lambda: step_decay(1.0, 3, gamma=0), r"gamma must be in \(0, 1\], got 0"),
    (lambda: exponential(1.0, 1.1), r"exponential: gamma must be in \(0, 1\], got 1.1"),
    (lambda: exponential(math.inf, 0.9), r"exponential: lr must be in \[0, inf\), got inf"),
    (lambda: cosine(1.0, 0), r"cosine: T_max must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: cosine(1.0, 10, eta_min=2.0), "eta_min must not exceed lr, got 2.0 > 1.0"),
    (lambda: linear(1.0, start_factor=-0.1), r"start_factor must be in \[0, 1\]"),
    (lambda: linear(1.0, end_factor=1.1), r"end_factor must be in \[0, 1\]"),
    (lambda: linear(1.0, total_iters=0), r"linear: total_iters must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: warmup(-1, constant(1.0)), r"warmup: steps must be in \{0, 1, \.\.\.\}, got -1"),
    (lambda: warmup(3, constant(1.0), start_factor=2), r"start_factor must be in \[0, 1\]"),
    (lambda: triangular(2.0, 1.0), "base_lr must not exceed max_lr, got 2.0 > 1.0"),
    (lambda: triangular(0.1, 1.0, 0), r"triangular: step_size_up must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: triangular(0.1, 1.0, 5, 0), r"triangular: step_size_down must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: triangular(0.1, 1.0, mode="saw"), 'triangular: mode must be "triangular", "triangular2" or "exp_range", got .saw.'),
    (lambda: triangular(0.1, 1.0, scale_mode="x"), 'triangular: scale_mode must be "cycle" or "iterations", got .x.'),
    (lambda: triangular(0.1, 1.0, gamma=2), r"gamma must be in \(0, 1\]"),
    (lambda: cosine_restarts(1.0, 0), r"cosine_restarts: T_0 must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: cosine_restarts(1.0, 5, eta_min=-1), r"cosine_restarts: eta_min must be in \[0, inf\), got -1"),
    (lambda: one_cycle(1.0), "pass total_steps, or both epochs and steps_per_epoch"),
    (lambda: one_cycle(1.0, epochs=3), "pass total_steps, or both"),
    (lambda: one_cycle(1.0, epochs=0, steps_per_epoch=3), r"one_cycle: epochs must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: one_cycle(1.0, 0), r"one_cycle: total_steps must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: one_cycle(1.0, 9, pct_start=1.5), r"pct_start must be in \[0, 1\]"),
    (lambda: one_cycle(1.0, 9, pct_start=0.6, three_phase=True), "must be at most 0.5, got 0.6"),
    (lambda: one_cycle(1.0, 9, anneal_strategy="exp"), 'one_cycle: anneal_strategy must be "cos" or "linear", got .exp.'),
    (lambda: one_cycle(1.0, 9, div_factor=0), r"one_cycle: div_factor must be in \(0, inf\), got 0"),
    (lambda: trapezoid(1.0, 10, 6, 5), r"must fit into total_steps, got 6 \+ 5 > 10"),
    (lambda: trapezoid(1.0, 10, -1, 5), r"trapezoid: warmup_steps must be in \{0, 1, \.\.\.\}, got -1"),
    (lambda: trapezoid(1.0, 10, 1, 5, end_factor=3), r"end_factor must be in \[0, 1\]"),
    (lambda: noam(0), r"noam: d_model must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: noam(8, warmup_steps=0), r"noam: warmup_steps must be in \{1, 2, \.\.\.\}, got 0"),
    (lambda: range_test(0.0, 1.0), r"range_test: start_lr must be in \(0, inf\), got 0\.0"),
    (lambda: range_test(2.0, 1.0), "start_lr must not exceed end_lr, got 2.0 > 1.0"),
    (lambda: range_test(0.1, 1.0, 1), r"range_test: num_iter must be in \{2, 3, \.\.\.\}, got 1"),
    (lambda: range_test(0.1, 1.0, step_mode="log"), 'range_test: step_mode must be "exp" or "linear", got .log.'),
]  # fmt: skip


@pytest.mark.parametrize("make,message", BAD)
def test_bad_options_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


GOOD = [
    constant(1.0), step_decay(1.0, 3), step_decay(1.0, milestones=[3]), exponential(1.0, 0.9),
    cosine(1.0, 9), linear(1.0), warmup(5, constant(1.0)), triangular(0.1, 1.0),
    cosine_restarts(1.0, 5), one_cycle(1.0, 9), trapezoid(1.0, 9, 3, 3), noam(8),
    range_test(0.1, 1.0),
]  # fmt: skip


@given(st.floats(max_value=-1e-9) | st.sampled_from([math.nan, math.inf, -math.inf, -1]))
def test_a_step_that_is_none_is_refused_by_every_schedule(t):
    for schedule in GOOD:
        with pytest.raises(ValueError, match=r"the step t must be in \[0, inf\)"):
            schedule(t)


def test_every_schedule_is_among_the_good_ones():
    assert len({s.__qualname__.split(".")[0] for s in GOOD}) == len(schedules.__all__)
