"""The planner: what is alive at the same time does not lie in the same place."""

import tracemalloc

import numpy as np
import pytest

from minigrad import Tensor, grad, losses, nn, optim
from minigrad.compiling import compile, replaying
from minigrad.compiling.program import values
from minigrad.compiling.writing import Writer

X = np.linspace(-1.0, 1.0, 24).reshape(6, 4)
Y = np.array([0, 2, 1, 1, 0, 2])


def network():
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Linear(4, 8, rng=rng),
        nn.LayerNorm(8),
        np.tanh,
        nn.Linear(8, 8, rng=rng),
        np.tanh,
        nn.Linear(8, 3, rng=rng),
    )


def step():
    net = network()
    fast = compile(lambda x, y: losses.cross_entropy(net(x), y), optim.Adam(net.parameters()))
    for _ in range(4):
        fast(X, Y)
    return fast


def second_order():
    fast = compile(
        lambda t: grad((grad((t**3).sum() + (t @ t.T).sum(), t, create_graph=True) ** 2).sum(), t)
    )
    for _ in range(4):
        fast(Tensor(X, requires_grad=True))
    return fast


@pytest.fixture
def writers(monkeypatch):
    """Those of the programs that are written, which do not keep them."""
    made = []

    class Kept(Writer):
        def __init__(self, *args):
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(replaying, "Writer", Kept)
    return made


@pytest.mark.parametrize("make", [step, second_order])
def test_no_value_is_overwritten_before_it_is_read_for_the_last_time(make, writers):
    """By following every byte: who wrote it last must be who is expected to be read."""
    make()
    plan, arrays = writers[-1].plan, writers[-1].arrays
    buffer = writers[-1].buffer
    start = buffer.__array_interface__["data"][0]
    owner = np.full(buffer.size, -1)

    def bytes_of(v):
        array = arrays[v]
        if array.size == 0 or not np.may_share_memory(array, buffer):
            return None
        offsets = np.array(array.__array_interface__["data"][0] - start)
        for n, stride in zip(array.shape, array.strides):
            offsets = offsets[..., None] + np.arange(n) * stride
        return (offsets[..., None] + np.arange(array.itemsize)).ravel()

    number = {root: i for i, root in enumerate(plan.roots.values())}
    for instruction in plan.program:
        for v in values([list(instruction.args), instruction.kwargs]):
            if v in plan.roots and (where := bytes_of(v)) is not None:
                parts = {owner[k] for k in where}
                expected = {number[plan.roots[v]]}
                if plan.roots[v].made.kind == "concatenate":
                    expected |= {
                        number[plan.roots[u]] for u in plan.roots[v].made.args[0] if u in plan.roots
                    }
                assert parts <= expected, (instruction.kind, instruction.line)
        out = instruction.out
        if (
            out in plan.roots
            and instruction.kind not in ("view", "concatenate")
            and (where := bytes_of(out)) is not None
        ):
            owner[where] = number[plan.roots[out]]
        if instruction.kind == "concatenate" and (where := bytes_of(out)) is not None:
            regions = plan.regions
            if not any(
                regions[plan.roots[u]].inside for u in instruction.args[0] if u in plan.roots
            ):
                owner[where] = number[plan.roots[out]]


def test_parameters_and_moments_are_written_in_place(writers):
    fast = step()
    assert not writers[-1].plan.writes
    assert "theta)" in fast.source and "copyto(theta" not in fast.source


def test_gradients_are_computed_side_by_side():
    assert "concatenate" not in step().source


PARTS = {
    "disjoint": lambda x: x[:2] * x[3:5] + x[5] ** 2,
    "all": lambda x: (x[:3] * x[3:]).sum() + (x[:3] + x[3:]).sum(),
    "twice": lambda x: x[1:] * x[1:] + x[1:] * x[1:],
    "one by one": lambda x: x[0] * x[-1] + x[..., 0] * x[2] * x[2],
    "overlapping": lambda x: x[:4] * x[2:],
    "steps": lambda x: x[::2] * x[1::2],
    "rows": lambda x: x.reshape(2, 3)[0] * x.reshape(2, 3)[1] * x[0],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", PARTS)
def test_parts_that_come_back_to_a_row_are_put_side_by_side(kind, dtype):
    def f(x, sign):
        g = grad((PARTS[kind](x) * sign).sum(), x, create_graph=True)
        return g, grad((g * g).sum(), x)

    fast = compile(f)
    for i in range(14):  # with zeros of both signs
        x = np.where(np.arange(6) % 3 < i % 3, np.arange(6.0) - 3, -0.0).astype(dtype)
        for program in fast.programs.values():
            program.poison()
        for a, b in zip(
            f(Tensor(x, requires_grad=True), (-1.0) ** i),
            fast(Tensor(x, requires_grad=True), (-1.0) ** i),
        ):
            assert a.data.tobytes() == b.data.tobytes(), i


def test_no_zeros_are_added_to_zeros():
    fast = compile(lambda x: grad(PARTS["all"](x), x))
    for _ in range(4):
        fast(Tensor(np.arange(6.0), requires_grad=True))
    assert "fill" not in fast.source and "concatenate" not in fast.source


def test_less_memory_than_all_arrays_together(writers):
    step()
    plan = writers[-1].plan
    whole = sum(
        r.size for r in {id(r): r for r in plan.regions.values()}.values() if r.memory is None
    )
    assert plan.size < whole / 2


def test_the_place_of_a_gradient_is_free_until_it_is_computed(writers):
    """What is alive at the same time needs so many bytes; a planner cannot do with less."""
    rng = np.random.default_rng(0)
    layers = [f for _ in range(12) for f in (nn.Linear(16, 16, rng=rng), np.tanh)]
    net = nn.Sequential(*layers, nn.Linear(16, 3, rng=rng))
    fast = compile(lambda x, y: losses.cross_entropy(net(x), y), optim.Adam(net.parameters()))
    for _ in range(4):
        fast(rng.normal(size=(40, 16)), rng.integers(0, 3, 40))
    plan = writers[-1].plan
    regions = {id(r): r for r in plan.regions.values() if r.memory is None}.values()
    own = [r for r in regions if not r.parts]
    ends = [(r.inside or r).end for r in own]
    alive = [
        sum(r.size for r, end in zip(own, ends) if r.start <= i <= end)
        for i in range(len(plan.program))
    ]
    together = sum(r.size for r in regions if r.parts)  # the gradients
    parts, size, least = sum(r.size for r in own if r.inside), plan.size, max(alive)
    assert parts == together > least / 3
    assert size < 1.1 * least


def long_batches(rng):
    layers = [nn.Linear(64, 128, rng=rng), np.tanh, nn.Linear(128, 128, rng=rng), np.tanh]
    return [*layers, nn.Linear(128, 10, rng=rng)], 256


def many_layers(rng):
    """Parameters, moments and gradients are more than what a batch needs."""
    layers = [f for _ in range(24) for f in (nn.Linear(64, 64, rng=rng), nn.LayerNorm(64), np.tanh)]
    return [*layers, nn.Linear(64, 10, rng=rng)], 64


@pytest.mark.parametrize("make, most", [(long_batches, 0.8), (many_layers, 0.9)])
def test_a_step_takes_less_memory_than_an_ordinary_one(make, most):
    """All that is held, program and recording included; and recording takes at most twice that."""
    rng = np.random.default_rng(0)
    peaks, recordings = [], []
    for compiled in (True, False, True):  # first for what Python keeps of any program, as its names
        layers, batch = make(rng)
        x, y = rng.normal(size=(batch, 64)), rng.integers(0, 10, batch)
        tracemalloc.start()
        net = nn.Sequential(*layers)
        opt = optim.Adam(net.parameters())
        fast = compile(lambda x, y: losses.cross_entropy(net(x), y), opt)  # noqa: B023
        for i in range(6):
            if i == 4:
                recordings.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
            fast(x, y) if compiled else fast.eager((x, y))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < most * peaks[1]
    assert recordings[2] < 2 * peaks[1]


def test_what_nobody_needs_is_left_out_and_equal_calls_are_made_once():
    def f(x):
        unused = np.exp(x) @ x.T  # noqa: F841
        return np.tanh(x) * 2 + np.tanh(x) * 1

    fast = compile(f)
    for _ in range(4):
        fast(X)
    assert fast.source.count("tanh(") == 1 + fast.source.count("np.tanh(")
    assert " exp(" not in fast.source and "multiply(" in fast.source
    assert fast.source.count("multiply(") == 1


def test_the_program_can_be_read():
    source = step().source
    assert source.startswith("def step(x, y):\n")
    assert "test_planning.py" in source and "∂ test_planning.py" in source and "adam.py" in source
    assert "theta -= step" in source  # the optimizer's own line beside what it became
    compile_ = __builtins__["compile"] if isinstance(__builtins__, dict) else __builtins__.compile
    compile_(source, "source", "exec")
