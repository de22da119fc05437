"""Compiled training is ordinary training, bit for bit: every optimizer, every module, fifty steps."""

import numpy as np
import pytest

from minigrad import Tensor, activations, attention, losses, nn, norms, optim, schedules
from minigrad.compiling import compile
from minigrad.lab import training

STEPS = 50


def digits(dtype, n=12, features=6, classes=4, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(STEPS, n, features)).astype(dtype)
    return x, rng.integers(0, classes, (STEPS, n))


def network(dtype, seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(6, 8, rng=rng, dtype=dtype), np.tanh, nn.Linear(8, 4, rng=rng, dtype=dtype)
    )


def ordinary(f, opt, clip=None):
    def step(*args):
        opt.zero_grad()
        loss = f(*args)
        loss.backward()
        if clip is not None:
            optim.clip_grad_norm([p for g in opt.param_groups for p in g["params"]], clip)
        opt.step()
        return loss.item()

    return step


def state_of(module):
    return {k: v.copy() for k, v in module.state_dict().items()}


def same(a, b):
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)


def run_both(make, batches, clip=None, poison=True, between=None):
    """Two trainings side by side, of what make() gives: (net, optimizer, loss function)."""
    (net1, opt1, f1), (net2, opt2, f2) = make(), make()
    slow, fast = ordinary(f1, opt1, clip), compile(f2, opt2, clip)
    trained = {id(q) for q in fast.params}
    for i, batch in enumerate(batches):
        if between is not None:
            between(i, net1, opt1)
            between(i, net2, opt2)
        if poison:
            for program in fast.programs.values():
                program.poison()
        expected, got = slow(*batch), fast(*batch)
        assert got.item() == expected or np.isnan(expected), i
        for (name, p), q in zip(net1.named_parameters(), net2.parameters(), strict=True):
            assert same(p.data, q.data), (i, name)
            if id(q) not in trained:
                continue
            assert (p.grad is None) == (q.grad is None), (i, name)
            assert p.grad is None or same(p.grad, q.grad), (i, name)
        for key, value in state_of(net1).items():
            assert same(np.asarray(value), np.asarray(net2.state_dict()[key])), (i, key)
    return fast


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "SGD nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "SGD dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
    "SGDW": lambda p: optim.SGDW(p, lr=0.1, momentum=0.9),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "Adagrad decay": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, weight_decay=0.01),
    "RMSprop": lambda p: optim.RMSprop(p),
    "RMSprop centered": lambda p: optim.RMSprop(p, centered=True, momentum=0.9, weight_decay=0.1),
    "Adadelta": lambda p: optim.Adadelta(p, lr=1.0),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Adam maximize": lambda p: optim.Adam(p, lr=0.01, maximize=True),
    "Adam amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "AdamW amsgrad": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
    "Adamax": lambda p: optim.Adamax(p, lr=0.01),
    "NAdam": lambda p: optim.NAdam(p, lr=0.01),
    "RAdam": lambda p: optim.RAdam(p, lr=0.01),
    "Adafactor": lambda p: optim.Adafactor(p, lr=0.01),
    "AdaBound": lambda p: optim.AdaBound(p),
    "AMSBound": lambda p: optim.AMSBound(p),
    "LARS": lambda p: optim.LARS(p, lr=0.1),
    "LAMB": lambda p: optim.LAMB(p, lr=0.01),
    "SWATS": lambda p: optim.SWATS(p, lr=0.01),
    "Lion": lambda p: optim.Lion(p, lr=0.001),
    "Sophia": lambda p: optim.Sophia(p, lr=0.01),
    "Shampoo": lambda p: optim.Shampoo(p, lr=0.1),
    "SOAP": lambda p: optim.SOAP(p, lr=0.01),
    "ScheduleFreeSGD": lambda p: optim.ScheduleFreeSGD(p, lr=0.1),
    "ScheduleFreeAdamW": lambda p: optim.ScheduleFreeAdamW(p, lr=0.01),
    "Muon": lambda p: optim.Muon([q for q in p if q.ndim == 2], lr=0.01),
    "Lookahead": lambda p: optim.Lookahead(optim.Adam(p, lr=0.01), k=3),
}
# whose rule is in the program; the others are stepped as always, on compiled gradients
INSIDE = {
    "SGD", "SGD momentum", "SGD nesterov", "SGD dampening", "SGDW", "RMSprop",
    "Adadelta", "Adam", "Adam maximize", "Adam amsgrad", "AdamW", "AdamW amsgrad", "Adamax", "Lion", "Sophia",
}  # fmt: skip


def test_every_optimizer_is_here():
    tried = {name.split()[0] for name in OPTIMIZERS}
    assert tried == {*optim.__all__} - {"EMA", "SWA", "Optimizer", "clip_grad_norm"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name, dtype):
    def make():
        net = network(dtype)
        return net, OPTIMIZERS[name](net.parameters()), lambda x, y: losses.cross_entropy(net(x), y)

    x, y = digits(dtype)
    fast = run_both(make, zip(x, y))
    assert fast.last is not None
    if name in INSIDE:
        assert fast.last.recorded.steps


def test_float16_parameters_and_groups_under_a_schedule():
    def make():
        net = network(np.float16)
        first, *rest = net.parameters()
        opt = optim.Adam([{"params": [first], "lr": 0.02}, {"params": rest}], lr=0.01)
        opt.schedule(schedules.cosine(0.01, 40))
        return net, opt, lambda x, y: losses.cross_entropy(net(x), y)

    x, y = digits(np.float16)
    run_both(make, zip(x, y))


@pytest.mark.parametrize("name", ["SGD", "Adam", "SWATS", "Lookahead"])
def test_schedules_clipping_and_rates_changed_from_outside(name):
    def make():
        net = network(np.float64)
        opt = OPTIMIZERS[name](net.parameters())
        if name != "Lookahead":
            opt.schedule(schedules.warmup(10, then=schedules.cosine(0.05, 40)))
        return net, opt, lambda x, y: losses.cross_entropy(net(x), y)

    x, y = digits(np.float64)
    run_both(make, zip(x, y), clip=0.5)


def test_what_is_changed_from_outside_between_steps():
    def make():
        net = network(np.float64)
        opt = optim.Adam(net.parameters(), lr=0.01)
        return net, opt, lambda x, y: losses.cross_entropy(net(x), y)

    saved = {}

    def between(i, net, opt):
        p = net.parameters()[0]
        if i == 10:
            opt.lr = 0.05
        if i == 15:
            p.data = p.data * 0.5
        if i == 20:
            opt.param_groups[0]["betas"] = (0.5, 0.9)
        if i == 25:
            saved[id(opt)] = opt.state_dict(), net.state_dict()
        if i == 30:
            opt.load_state_dict(saved[id(opt)][0])
            net.load_state_dict(saved[id(opt)][1])
        if i == 35:
            p.grad = np.ones_like(p.data)

    x, y = digits(np.float64)
    run_both(make, zip(x, y), between=between)


def test_shapes_in_turn_and_steps_by_hand_in_between():
    def make():
        net = network(np.float32)
        opt = optim.AdamW(net.parameters(), lr=0.01)
        f = lambda x, y: losses.cross_entropy(net(x), y)  # noqa: E731
        return net, opt, f

    x, y = digits(np.float32)
    batches = [
        (a[: 12 - 5 * (i % 3 == 2)], b[: 12 - 5 * (i % 3 == 2)])
        for i, (a, b) in enumerate(zip(x, y))
    ]

    def between(i, net, opt):
        if i % 7 == 6:
            ordinary(lambda x, y: losses.cross_entropy(net(x), y), opt)(x[i], y[i])

    fast = run_both(make, batches, between=between)
    assert len(fast.programs) == 2


class Pointwise(nn.Module):
    def __init__(self, f, rng):
        self.f, self.w = f, nn.Parameter(rng.normal(size=(6, 6)))

    def forward(self, x):
        return self.f(x @ self.w)


MODULES = {
    "Linear": lambda rng: nn.Linear(6, 6, rng=rng),
    "no bias": lambda rng: nn.Linear(6, 6, bias=False, rng=rng),
    "BatchNorm1d": lambda rng: norms.BatchNorm1d(6),
    "BatchNorm2d": lambda rng: nn.Sequential(
        lambda x: x.reshape(-1, 6, 2, 2), norms.BatchNorm2d(6), lambda x: x.reshape(-1, 4, 6)
    ),
    "LayerNorm": lambda rng: norms.LayerNorm(6),
    "RMSNorm": lambda rng: norms.RMSNorm(6),
    "GroupNorm": lambda rng: nn.Sequential(
        lambda x: x.swapaxes(1, 2), norms.GroupNorm(2, 6), lambda x: x.swapaxes(1, 2)
    ),
    "InstanceNorm2d": lambda rng: nn.Sequential(
        lambda x: x.reshape(-1, 6, 2, 2),
        norms.InstanceNorm2d(6, track_running_stats=True),
        lambda x: x.reshape(-1, 4, 6),
    ),
    "PreNorm": lambda rng: norms.PreNorm(norms.LayerNorm(6), nn.Linear(6, 6, rng=rng)),
    "PostNorm": lambda rng: norms.PostNorm(norms.RMSNorm(6), nn.Linear(6, 6, rng=rng)),
    "DeepNorm": lambda rng: norms.DeepNorm(norms.LayerNorm(6), nn.Linear(6, 6, rng=rng), 1.5),
    "MultiheadAttention": lambda rng: nn.MultiheadAttention(6, 3, rng=rng),
    "shared heads": lambda rng: nn.MultiheadAttention(6, 3, num_kv_heads=1, rng=rng),
    "Dropout": lambda rng: nn.Dropout(0.3, rng=rng),
    "Sequential": lambda rng: nn.Sequential(
        nn.Linear(6, 6, rng=rng), activations.gelu, nn.Dropout(0.1, rng=rng)
    ),
    "activation": lambda rng: Pointwise(activations.silu, rng),
}


@pytest.mark.parametrize("name", MODULES)
def test_every_module(name):
    def make():
        rng = np.random.default_rng(3)
        first, module, last = nn.Linear(6, 6, rng=rng), MODULES[name](rng), nn.Linear(6, 4, rng=rng)
        net = nn.Sequential(
            first,
            lambda x: x.reshape(-1, 4, 6) if name != "BatchNorm1d" else x,
            module,
            lambda x: x.reshape(-1, 6),
            last,
        )
        if "1d" in name:
            net = nn.Sequential(first, module, last)
        opt = optim.Adam(net.parameters(), lr=0.01)
        return net, opt, lambda x, y: losses.cross_entropy(net(x), y)

    x, y = digits(np.float64)
    fast = run_both(make, zip(x, y))
    assert fast.last is not None


def test_embedding_and_tied_weights():
    def make():
        rng = np.random.default_rng(0)
        table = nn.Embedding(9, 6, padding_idx=0, rng=rng)
        net = nn.Sequential(table, nn.Linear(6, 6, rng=rng), lambda h: h @ table.weight.T)
        opt = optim.Adam(net.parameters(), lr=0.01)
        return net, opt, lambda i, y: losses.cross_entropy(net(i), y)

    rng = np.random.default_rng(5)
    run_both(make, zip(rng.integers(0, 9, (STEPS, 7)), rng.integers(0, 9, (STEPS, 7))))


def test_modes_are_noticed():
    def make():
        rng = np.random.default_rng(3)
        net = nn.Sequential(
            nn.Linear(6, 6, rng=rng),
            norms.BatchNorm1d(6),
            nn.Dropout(0.4, rng=rng),
            nn.Linear(6, 4, rng=rng),
        )
        opt = optim.SGD(net.parameters(), lr=0.1)
        return net, opt, lambda x, y: losses.cross_entropy(net(x), y)

    def between(i, net, opt):
        net.train(i % 20 < 10)
        net.layers[2].p = 0.4 if i < 30 else 0.2

    x, y = digits(np.float64)
    run_both(make, zip(x, y), between=between)


def test_a_parameter_that_gets_its_gradient_later():
    def make():
        net = network(np.float64)
        extra = Tensor(np.ones(4), requires_grad=True)
        opt = optim.Adam([*net.parameters(), extra], lr=0.01)

        def f(x, y, late):
            z = net(x)
            return losses.cross_entropy(z * extra if late else z, y)

        return net, opt, f

    x, y = digits(np.float64)
    run_both(make, [(a, b, i > 20) for i, (a, b) in enumerate(zip(x, y))])


def test_long_parameters_are_stepped_in_pieces():
    def make():
        rng = np.random.default_rng(0)
        net = nn.Sequential(
            nn.Linear(600, 900, rng=rng, dtype=np.float32),
            activations.relu,
            nn.Linear(900, 4, rng=rng, dtype=np.float32),
        )
        return net, optim.Adam(net.parameters()), lambda x, y: losses.cross_entropy(net(x), y)

    x, y = digits(np.float32, features=600)
    run_both(make, [*zip(x, y)][:8])


def test_decoding_with_a_cache_is_refused():
    rng = np.random.default_rng(0)
    m, cache = nn.MultiheadAttention(6, 2, rng=rng), attention.KVCache()
    fast = compile(lambda x: m(x, is_causal=True, cache=cache))
    fast(np.ones((1, 1, 6)))
    with pytest.raises(TypeError, match="assigns to"):
        fast(np.ones((1, 1, 6)))
    assert len(cache) == 1


FITS = {
    "adam": (optim.Adam, 0.01, None, losses.cross_entropy),
    "stepped as always": (optim.RAdam, 0.01, norms.BatchNorm1d, losses.cross_entropy),
    "diverges": (optim.SGD, 0.2, None, lambda z, y: -(z**4).mean()),
    "cannot be compiled": (
        optim.SGD,
        0.1,
        None,
        lambda z, y: losses.cross_entropy(z, y) * float(z.data.max() > 0),
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_fit_gives_the_same_numbers(name, monkeypatch):
    make, lr, norm, loss = FITS[name]

    def run(worthwhile):
        monkeypatch.setattr(training, "WORTHWHILE", worthwhile)
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(50, 6)), rng.integers(0, 4, 50)
        net = training.mlp([6, 8, 4], rng=rng, norm=norm)
        seen = []
        curve = training.fit(
            net, make(net.parameters(), lr=lr), x, y, epochs=12, rng=rng, batch=16, loss=loss,
            each_epoch=lambda: seen.append(training.evaluate(net, x, y)),
        )  # fmt: skip
        return curve, seen, net.state_dict()

    (curve1, seen1, state1), (curve2, seen2, state2) = run(np.inf), run(0)
    assert np.array_equal(curve1, curve2) and seen1 == seen2
    assert all(np.array_equal(v, state2[k], equal_nan=True) for k, v in state1.items())
    assert np.isfinite(curve1).all() == (name != "diverges")
