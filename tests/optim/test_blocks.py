"""How parameters are stepped together: blocks, pieces, memory, dtypes."""

import numpy as np
import pytest

from bowl import ALL, FLAT, close, drive, leaves, shapes_for, slope
from minigrad import optim

IN_PIECES = {
    "SGD", "SGDW", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam", "RAdam",
    "AdaBound", "AMSBound", "Lion", "Sophia", "ScheduleFreeSGD", "ScheduleFreeAdamW",
}  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}], ids=["", "decay"])
@pytest.mark.parametrize("name", sorted(IN_PIECES))
def test_piece_by_piece_is_the_same(name, options, monkeypatch):
    def run(piece):
        monkeypatch.setattr(optim.blocks, "PIECE", piece)
        params = leaves(shapes_for(name))
        opt = ALL[name](params, lr=0.02, **options)
        drive(opt, params, 6)
        if hasattr(opt, "eval"):
            opt.eval()
            opt.train()
            opt.eval()
        return [p.data for p in params], opt.state_dict()["state"]

    (whole, states), (parts, states_of_parts) = run(1 << 20), run(3)
    for p, q in zip(whole, parts):
        np.testing.assert_array_equal(p, q)
    assert states and all(s.keys() == t.keys() for s, t in zip(states, states_of_parts))
    for s, t in zip(states, states_of_parts):
        for key in s:
            np.testing.assert_array_equal(s[key], t[key])


def test_a_long_parameter_is_stepped_alone(monkeypatch):
    """So its gradient is not copied, and the short ones still share a block."""
    monkeypatch.setattr(optim.blocks, "PIECE", 100)
    params = leaves([(3,), (20, 5), (2, 2), (101,)])
    opt = optim.Adam(params)
    drive(opt, params, 3)
    assert [[p.size for p in block.params] for block in opt.param_groups[0].blocks] == [
        [3, 4],
        [100],
        [101],
    ]
    long = opt.param_groups[0].blocks[1]
    long.params[0].grad = np.ones((20, 5))
    assert np.shares_memory(long.gradient(), long.params[0].grad)


def test_which_optimizers_are_stepped_in_pieces():
    """Those whose rule looks at one element at a time, and SWATS, which adds up what it needs."""
    assert set(FLAT) == IN_PIECES | {"SWATS"}


def test_parameters_are_updated_independently(name):
    """One optimizer for all parameters does what one for each would, but for SWATS."""
    if name == "SWATS":
        return
    together, alone = leaves(shapes_for(name)), leaves(shapes_for(name))
    opt = ALL[name](together, lr=0.02)
    for _ in range(2):
        drive(opt, together, 10)
    opts = [ALL[name]([p], lr=0.02) for p in alone]
    for _ in range(2):
        for t in range(10):
            for i, (p, o) in enumerate(zip(alone, opts)):
                p.grad = slope(p.numpy(), i, t)
                if p.grad is not None or name == "Lookahead":
                    o.step()
    close([p.data for p in together], [p.data for p in alone], rtol=1e-12)


@pytest.mark.parametrize("name", FLAT)
def test_one_block_however_many_layers(name):
    params = leaves([(2, 3)] * 50)
    opt = ALL[name](params, lr=0.01)
    drive(opt, params, 1)
    opt = ALL[name](params, lr=0.01)
    for p in params:
        p.grad = np.ones(p.shape)
    opt.step()
    assert len(opt.param_groups[0].blocks) == 1
    params[7].grad = params[30].grad = None
    for _ in range(5):
        opt.step()
    assert len(opt.param_groups[0].blocks) == 2
    again = ALL[name](params, lr=0.01)
    again.load_state_dict(opt.state_dict())
    assert len(again.param_groups[0].blocks) == 2


@pytest.mark.parametrize("name", FLAT)
def test_mixed_dtypes_in_one_group(name):
    params = leaves([(3,), (2, 2)]) + leaves([(3,), (2,)], np.float32)
    opt = ALL[name](params, lr=0.01)
    for p in params:
        p.grad = np.ones(p.shape)  # float64 also for the float32 ones
    before = [p.data.copy() for p in params]
    opt.step()
    for p, x in zip(params, before):
        assert p.dtype == x.dtype and (p.data < x).all()
    assert len(opt.param_groups[0].blocks) == 2


STATE_SIZES = {  # numbers per element of a (4, 6) matrix, as the docstrings' "Memory" says
    "SGD": 0, "SGDW": 1, "Adagrad": 1, "RMSprop": 1, "Adadelta": 2, "Adam": 2, "AdamW": 2,
    "Adamax": 2, "NAdam": 2, "RAdam": 2, "Adafactor": (4 + 6) / 24, "Muon": 1, "AdaBound": 2,
    "AMSBound": 3, "LARS": 1, "LAMB": 2, "SWATS": 2, "Lion": 1, "Sophia": 2,
    "Shampoo": 2 * (16 + 36) / 24, "SOAP": 2 + 2 * (16 + 36) / 24, "ScheduleFreeSGD": 2,
    "ScheduleFreeAdamW": 3,
}  # fmt: skip


@pytest.mark.parametrize("name", STATE_SIZES)
def test_memory_is_as_documented(name):
    params = leaves([(4, 6)])
    opt = ALL[name](params, lr=0.01)
    drive(opt, params, 3)
    (state,) = opt.state_dict()["state"]
    numbers = sum(v.size for v in state.values() if isinstance(v, np.ndarray))
    assert numbers / 24 == pytest.approx(STATE_SIZES[name])


def test_two_optimizers_take_turns(name):
    """On the same parameters, with other shapes of buffers, each keeping its own state."""
    params, copies = leaves(shapes_for(name)), leaves(shapes_for(name))
    a, b = ALL[name](params, lr=0.01), optim.SGD(params[::-1], lr=0.05, momentum=0.9)
    # the same, each step with an optimizer that never lost the parameters: states carried over
    state_a, state_b = None, None
    for t in range(12):
        for i, (p, q) in enumerate(zip(params, copies)):
            p.grad = q.grad = slope(p.numpy(), i, t)
        if t % 2 == 0:
            a.step()
            fresh = ALL[name](copies, lr=0.01)
            if state_a:
                fresh.load_state_dict(state_a)
            fresh.step()
            state_a = fresh.state_dict()
        else:
            b.step()
            fresh = optim.SGD(copies[::-1], lr=0.05, momentum=0.9)
            if state_b:
                fresh.load_state_dict(state_b)
            fresh.step()
            state_b = fresh.state_dict()
        close([p.data for p in params], [q.data for q in copies], rtol=1e-12)
