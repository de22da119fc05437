"""Copies of tensors, changes in place, and in which thread, generator or function is recorded."""

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

from minigrad import Tensor, no_grad, optim
from minigrad.autograd import tensor
from minigrad.module import Parameter, Sequential
from minigrad.nn import Linear


def leaf(*values, dtype=float):
    return Tensor(np.array(values, dtype), requires_grad=True)


# --- copies


@pytest.mark.parametrize("how", [copy.deepcopy, copy.copy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("kind", [Parameter, lambda v: Tensor(v, requires_grad=True)])
def test_a_copy_is_a_leaf_of_its_own(how, kind):
    a = kind([1.0, 2.0])
    (a * a).sum().backward()
    b = how(a)
    assert type(b) is type(a) and b.requires_grad and b.grad.tolist() == [2, 4]
    a.grad = b.grad = None
    (2 * a + 3 * b).sum().backward()
    assert a.grad.tolist() == [2, 2] and b.grad.tolist() == [3, 3]
    b.data = [5.0, 6.0]
    b.grad[0] = 9
    assert a.data.tolist() == [1, 2] and a.grad.tolist() == [2, 2]


def test_copies_of_constants_and_of_results():
    c = copy.deepcopy(Tensor(np.arange(3)))
    assert not c.requires_grad and c.dtype == np.arange(3).dtype
    with pytest.raises(RuntimeError, match="result of multiply: x.detach()"):
        copy.deepcopy(leaf(1.0) * 2)
    assert copy.deepcopy((leaf(1.0) * 2).detach()).data.tolist() == [2]


def test_cloned_layers_learn_by_themselves():
    layer = Linear(2, 2, rng=np.random.default_rng(0))
    layers = [copy.deepcopy(layer) for _ in range(3)]
    net = Sequential(*layers)
    assert len({id(p) for p in net.parameters()}) == 6
    x = np.array([[1.0, -2.0]])
    net(x).sum().backward()
    # the same, computed by hand: three linear maps one after the other
    w, b = layer.weight.data, layer.bias.data
    h1 = x @ w.T + b
    assert np.allclose(layers[2].weight.grad, np.ones((2, 1)) * (h1 @ w.T + b))
    assert np.allclose(layers[0].weight.grad, (np.ones((1, 2)) @ w @ w).T * x)
    optim.SGD(layers[0].parameters(), lr=0.1).step()
    assert np.array_equal(layers[1].weight.data, w) and not np.array_equal(layers[0].weight.data, w)


def test_what_holds_a_tensor_twice_keeps_that():
    a = leaf(1.0)
    b, c = copy.deepcopy([a, a])
    assert b is c and b is not a


def test_a_leaf_in_a_fresh_process(tmp_path):
    (tmp_path / "x").write_bytes(pickle.dumps([leaf(3.0), leaf(5.0)]))
    code = f"""
import pickle, pathlib
a, b = pickle.loads(pathlib.Path({str(tmp_path / "x")!r}).read_bytes())
(a * b).sum().backward()
print(a.grad.tolist(), b.grad.tolist())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[5.0] [3.0]\n"


# --- in place

OPERATIONS = {
    "+=": lambda x, y: x.__iadd__(y),
    "-=": lambda x, y: x.__isub__(y),
    "*=": lambda x, y: x.__imul__(y),
    "/=": lambda x, y: x.__itruediv__(y),
    "**=": lambda x, y: x.__ipow__(y),
    "%=": lambda x, y: x.__imod__(y),
}


@pytest.mark.parametrize("op", OPERATIONS)
def test_in_place_under_no_grad_changes_the_leaf(op):
    x, a, y = leaf(3.0, 4.0), np.array([3.0, 4.0]), np.array([2.0, 0.5])
    view = x.data
    with no_grad():
        result = OPERATIONS[op](x, y)
    assert result is x and x.requires_grad
    exec(f"a {op} y")
    assert x.data.tolist() == a.tolist() == view.tolist()


def test_the_usual_loop_learns():
    params = [leaf(3.0), leaf(5.0)]
    for _ in range(3):
        loss = sum((p * p).sum() for p in params)
        loss.backward()
        with no_grad():
            for p in params:
                p -= 0.25 * p.grad
                p.grad = None
    assert [p.item() for p in params] == [3 / 8, 5 / 8]


def test_a_change_in_place_is_noticed_by_graphs_that_used_the_leaf():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="changed in place after multiply"):
        y.backward()


def test_where_it_is_recorded_a_new_tensor_takes_the_name():
    x = leaf(1.0, 2.0)
    y = x
    y *= 3
    assert y is not x and x.data.tolist() == [1, 2]
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]
    with no_grad():
        z = x * 1  # a result's memory is read-only
        first = z
        z += 1
    assert z.data.tolist() == [2, 3] and first.data.tolist() == [1, 2]


def test_what_does_not_fit_in_place_is_refused():
    x, n = leaf(1.0, 2.0), Tensor([1, 2])
    with no_grad():
        with pytest.raises(ValueError, match=r"keep its shape \(2,\), got \(3, 2\)"):
            x += np.ones((3, 2))
        with pytest.raises(TypeError, match="float64 does not fit into x of int64 in place"):
            n += 0.5
    assert x.data.tolist() == [1, 2] and n.data.tolist() == [1, 2]


# --- where it is recorded


def test_no_grad_without_brackets():
    x = leaf(1.0)

    @no_grad
    def double(v):
        "Twice."
        return 2 * v

    assert not double(x).requires_grad and (double.__name__, double.__doc__) == ("double", "Twice.")
    assert (2 * x).requires_grad
    with pytest.raises(TypeError, match="no_grad: takes no argument, or the function"):
        no_grad(3)


def test_threads_do_not_disturb_each_other():
    x = leaf(1.0)
    inside, leave, seen = threading.Event(), threading.Event(), []

    def other():
        with no_grad():
            inside.set()
            leave.wait(10)
            seen.append((x * 2).requires_grad)
        seen.append((x * 2).requires_grad)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    assert (x * 2).requires_grad  # while the other thread is in its block
    with no_grad():  # overlapping it
        leave.set()
        thread.join()
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad and seen == [False, True]


@pytest.mark.parametrize("decorate", [no_grad, no_grad()], ids=["bare", "brackets"])
def test_a_generator_is_unrecorded_while_it_runs_and_its_loop_is_recorded(decorate):
    x = leaf(1.0)
    closed = []

    @decorate
    def batches():
        try:
            sent = yield (x * 2).requires_grad
            assert sent == "sent"
            try:
                yield (x * 2).requires_grad
            except ZeroDivisionError:
                yield "caught"
            yield (x * 2).requires_grad
            return "end"
        finally:
            closed.append((x * 2).requires_grad)

    g = batches()
    assert next(g) is False and (x * 2).requires_grad
    assert g.send("sent") is False and (x * 2).requires_grad
    assert g.throw(ZeroDivisionError) == "caught" and (x * 2).requires_grad
    assert next(g) is False and (x * 2).requires_grad
    with pytest.raises(StopIteration) as end:
        next(g)
    assert end.value.value == "end" and (x * 2).requires_grad and closed == [False]
    g = batches()
    next(g)
    g.close()
    assert closed == [False, False] and (x * 2).requires_grad


def test_blocks_that_end_in_another_order_leave_recording_on():
    x = leaf(1.0)
    a, b = no_grad(), no_grad()
    a.__enter__()
    b.__enter__()
    a.__exit__(None, None, None)
    assert not (x * 2).requires_grad
    b.__exit__(None, None, None)
    assert (x * 2).requires_grad


def test_an_error_in_the_middle_of_a_rule_leaves_all_as_it_was(monkeypatch):
    monkeypatch.setitem(tensor.RULES, np.cbrt, (lambda g, y, x: 1 / 0,))
    x = leaf(1.0)
    y = x * x
    z = (y + np.cbrt(y)).sum()
    with pytest.raises(ZeroDivisionError):
        z.backward()
    assert x.grad is None and (x * 2).requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2]
