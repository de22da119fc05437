"""What step() does to parameters and gradients, and what it leaves alone."""

import copy

import numpy as np
import pytest

from bowl import (
    ALL,
    BY_PAPER,
    BY_PYTORCH,
    close,
    drive,
    has,
    leaves,
    shapes_for,
    slope,
    snapshot,
    start,
)
from minigrad import Tensor, grad, losses, nn, no_grad, optim


def test_there_is_no_optimizer_without_an_independent_reference():
    assert BY_PYTORCH | BY_PAPER == set(ALL)


def test_trains_a_network(name):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 4))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    net = nn.Sequential(
        nn.Linear(4, 16, bias=name != "Muon", rng=rng),
        np.tanh,
        nn.Linear(16, 2, bias=name != "Muon", rng=rng),
    )
    lr = {
        "SGD": 0.5, "SGDW": 0.1, "Adadelta": 3.0, "LARS": 1.0, "LAMB": 0.01, "Adagrad": 0.1, "Muon": 0.05,
        "Shampoo": 0.3, "ScheduleFreeSGD": 2.0, "AdaBound": 0.05, "AMSBound": 0.05,
    }.get(name, 0.02)  # fmt: skip
    opt = ALL[name](net.parameters(), lr=lr)
    first = None
    for _ in range(300):
        opt.zero_grad()
        loss = losses.cross_entropy(net(x), y)
        first = loss.item() if first is None else first
        loss.backward()
        opt.step()
    assert losses.cross_entropy(net(x), y).item() < 0.25 * first


def test_a_parameter_without_gradient_is_left_alone(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.1)
    before = [p.data.copy() for p in params]
    opt.step()  # nobody has one
    close([p.data for p in params], before, rtol=0, atol=0)
    for i, p in enumerate(params):
        p.grad = None if i == 1 else np.ones(p.shape)
    for _ in range(4):
        opt.step()
    assert (params[1].data == before[1]).all()
    assert all((p.data != x).any() for i, (p, x) in enumerate(zip(params, before)) if i != 1)
    opt.zero_grad()
    assert all(p.grad is None for p in params)


def test_an_array_that_a_leaf_shares_is_not_written_to(name):
    values = start(shapes_for(name))
    kept = copy.deepcopy(values)
    params = [Tensor(x) for x in values]
    for p in params:
        p.requires_grad = True
        p.grad = np.ones(p.shape)
    ALL[name](params, lr=0.1).step()
    np.testing.assert_equal(values, kept)
    assert all((p.data != x).any() for p, x in zip(params, kept))


def test_gradients_are_not_written_to(name):
    params = leaves(shapes_for(name))
    decay = {"weight_decay": 0.1} if has(name, "weight_decay") else {}
    opt = ALL[name](params, lr=0.1, **decay)
    for i, p in enumerate(params):
        p.grad = np.full(p.shape, 0.5 + i)
        p.grad.flags.writeable = False
    opt.step()
    opt.step()
    single = leaves(shapes_for(name)[:1])
    opt = ALL[name](single, lr=0.1)
    single[0].grad = np.ones(single[0].shape)
    single[0].grad.flags.writeable = False
    opt.step()
    opt.step()


def test_grad_may_come_from_the_engine_as_it_is():
    # the gradient of a sum is a broadcast view: it must neither be written to nor be kept
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    opt = optim.SGD([x], lr=0.5, momentum=0.9)
    for _ in range(2):
        opt.zero_grad()
        x.sum().backward()
        opt.step()
    np.testing.assert_allclose(x.data, 1 - 0.5 - 0.5 * 1.9)
    (g,) = grad(x.sum(), [x])
    assert g.data.tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_stay_also_against_numpy_options(name, dtype):
    params = leaves(shapes_for(name), dtype)
    opt = ALL[name](params, lr=np.float64(0.01)).schedule(lambda t: np.cos(t) ** 2 / 100)
    drive(opt, params, 6)
    assert type(opt.lr) is float
    for p in params:
        assert p.dtype == dtype and p.data.dtype == dtype
    state = opt.state_dict()
    for s in state["opt"]["state"] if name == "Lookahead" else state["state"]:
        assert all(v.dtype == dtype for v in s.values() if isinstance(v, np.ndarray))


def test_a_float64_gradient_of_a_float32_parameter(name):
    (p,) = leaves(shapes_for(name)[:1], np.float32)
    opt = optim.SGD([p], lr=0.1, momentum=0.9) if name == "SGD" else ALL[name]([p], lr=0.1)
    p.grad = np.ones(p.shape)
    opt.step()
    saved = opt.state_dict()
    (state,) = saved.get("opt", saved)["state"]
    assert p.dtype == np.float32
    assert all(v.dtype == np.float32 for v in state.values() if isinstance(v, np.ndarray))


def test_assigned_data_is_what_the_next_step_starts_from(name):
    if name.startswith("ScheduleFree"):
        return  # documented: x and z live in the state
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.01)
    drive(opt, params, 3)
    for p in params:
        p.data = np.full(p.shape, 100.0)
    with no_grad():
        for p in params:
            p[...] = 50.0
            p.grad = np.ones(p.shape)
    if name == "Lookahead":
        opt.step(), opt.step()  # a round ended with the third step
    opt.step()
    for p in params:
        assert (abs(p.data - 50) < 1.5).all() and (p.data != 50).any()


def test_a_graph_that_needs_the_old_value_raises(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.1)
    loss = sum((p * p).sum() for p in params)
    loss.backward(retain_graph=True)
    opt.step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_nothing_is_half_updated(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02).schedule(lambda t: 0.01 if t < 100 else -1.0)
    drive(opt, params, 5)
    before = snapshot(opt, params)

    def attempt(words, error=ValueError):
        with pytest.raises(error, match=words):
            opt.step()
        np.testing.assert_equal(snapshot(opt, params), before)

    for p in params:
        p.grad = np.ones(p.shape)
    params[-1].grad = np.ones(99)
    attempt(r"has a .grad of shape \(99,\)")
    params[-1].grad = np.ones(params[-1].shape, complex)
    attempt("has a .grad of complex128", TypeError)
    params[-1].grad = np.ones(params[-1].shape)
    inner = opt.opt if name == "Lookahead" else opt
    inner._schedule = lambda t: float("nan")
    attempt("lr must be in .*got nan")
    inner._schedule = lambda t: 1 / 0
    attempt("division", ZeroDivisionError)
    if getattr(ALL[name], "needs_finite", False):
        inner._schedule = None
        params[-1].grad = np.full(params[-1].shape, np.nan)
        attempt("must be finite")


# --- closures, maximize, zero_grad


def test_a_closure_computes_the_gradients_first(name):
    params, others = leaves(shapes_for(name)), leaves(shapes_for(name))
    opt, by_hand = ALL[name](params, lr=0.02), ALL[name](others, lr=0.02)

    def loss_of(ps, o):
        o.zero_grad()
        loss = sum((p * p).sum() for p in ps)
        loss.backward()
        return loss

    for _ in range(4):
        with no_grad():  # of no effect on the closure, as in PyTorch
            loss = opt.step(lambda: loss_of(params, opt))
        want = loss_of(others, by_hand)
        assert by_hand.step() is None
        assert loss.item() == want.item()
    close([p.data for p in params], [p.data for p in others], rtol=0, atol=0)


def test_a_closure_that_fails_changes_nothing(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02).schedule(lambda t: 0.1)
    drive(opt, params, 3)
    before = snapshot(opt, params)
    with pytest.raises(ZeroDivisionError):
        opt.step(lambda: 1 / 0)
    np.testing.assert_equal(snapshot(opt, params), before)


def test_to_maximize_is_to_minimize_the_negative(name):
    params, others = leaves(shapes_for(name)), leaves(shapes_for(name))
    decay = {"weight_decay": 0.1} if has(name, "weight_decay") else {}
    up = ALL[name](params, lr=0.02, maximize=True, **decay)
    down = ALL[name](others, lr=0.02, **decay)
    for t in range(9):
        for i, (p, q) in enumerate(zip(params, others)):
            g = slope(q.numpy(), i, t)
            q.grad = None if g is None else -g
            p.grad = g
        up.step(), down.step()
    close([p.data for p in params], [q.data for q in others], rtol=0, atol=0)
    assert all((p.data != x).any() for p, x in zip(params, start(shapes_for(name))))


def test_zero_grad_forgets_or_sets_to_zero(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02)
    for p in params[1:]:
        p.grad = np.broadcast_to(np.ones((), p.dtype), p.shape)  # which cannot be written to
    opt.zero_grad(set_to_none=False)
    assert params[0].grad is None
    assert all(p.grad.shape == p.shape and not p.grad.any() for p in params[1:])
    opt.zero_grad()
    assert all(p.grad is None for p in params)


def test_a_parameter_without_elements_is_left_alone(name):
    """Also where all others have gradients: they are stepped as without it."""
    shapes = shapes_for(name)
    params, others = leaves([*shapes[:1], (0, 2), *shapes[1:]]), leaves(shapes)
    for p, q in zip([params[0], *params[2:]], others):
        p.data = q.data
    opt, plain = ALL[name](params, lr=0.02), ALL[name](others, lr=0.02)
    for t in range(6):
        for i, (p, q) in enumerate(zip([params[0], *params[2:]], others)):
            p.grad = q.grad = slope(q.numpy(), i, t)
        params[1].grad = np.zeros((0, 2)) if t % 2 else None
        opt.step(), plain.step()
    close([p.data for p in [params[0], *params[2:]]], [q.data for q in others], rtol=0, atol=0)
    assert params[1].shape == (0, 2)
    again = ALL[name](leaves([*shapes[:1], (0, 2), *shapes[1:]]), lr=0.02)
    again.load_state_dict(opt.state_dict())
    np.testing.assert_equal(again.state_dict(), opt.state_dict())
    only = ALL[name](leaves([(0, 2)]), lr=0.02)
    only.step(), only.state_dict()


def test_data_read_after_the_optimizer_was_made_stays_in_step(name):
    """What was read before is what the parameter was then: the docstring of Optimizer says so."""
    params = leaves(shapes_for(name))
    before = [p.data for p in params]
    opt = ALL[name](params, lr=0.1)
    after = [p.data for p in params]
    for _ in range(6):
        for p in params:
            p.grad = np.ones(p.shape)
        opt.step()
    close(before, start(shapes_for(name)), rtol=0, atol=0)
    close([p.data for p in params], after, rtol=0, atol=0)
    assert all((a != b).any() for a, b in zip(after, before))
