"""The graph: order, accumulation, release, in-place changes, dtypes, shapes, messages."""

import gc
import itertools
import math
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from compares import compares
from minigrad import Tensor, grad, no_grad
from minigrad.autograd import tensor
from minigrad.autograd.arrays import OPERATORS
from minigrad.autograd.messages import name


def leaf(*values, dtype=float):
    return Tensor(np.array(values[0] if len(values) == 1 else values, dtype), requires_grad=True)


# --- order and accumulation


def test_chain_of_a_million_operations():
    x = leaf(1.0)
    y = x
    for _ in range(10**6):
        y = y * 1.000001
    y.backward()
    assert math.isclose(x.grad, 1.000001**10**6, rel_tol=1e-9)


def test_diamond():
    a = leaf(3.0)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad == 4  # 3 if b were visited before all its uses had reported


def test_many_diamonds_are_not_exponential():
    x = leaf(1.0)
    y = x
    for _ in range(500):
        y = (y + y) / 2
    y.backward()
    assert x.grad == 1


def test_fan_out_of_unequal_depth():
    x = leaf(0.7)
    y = x * x
    z = np.sin(y) + y * np.exp(y * x) + x
    z.backward()
    e = math.exp(0.343)
    expected = math.cos(0.49) * 1.4 + 1.4 * e + 0.49 * e * 3 * 0.49 + 1
    assert math.isclose(x.grad, expected, rel_tol=1e-14)


def test_gradients_of_two_leaves_do_not_share_memory():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (a + b).sum().backward()
    a.grad[0] = 100
    assert b.grad.tolist() == [1, 1]
    seed = np.ones(2)
    c, d = leaf(1.0, 2.0), leaf(1.0, 2.0)
    (c + d).backward(seed)
    c.grad[0] = 100
    assert seed.tolist() == [1, 1] and d.grad.tolist() == [1, 1]


def test_grad_accumulates_over_calls_and_keeps_what_was_handed_out():
    x = leaf(2.0, 3.0)
    (x * x).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    assert x.grad.tolist() == [8, 12] and first.tolist() == [4, 6]


def test_leaf_backward():
    x = leaf(5.0)
    x.backward()
    x.backward()
    assert x.grad == 2 and isinstance(x.grad, np.ndarray)
    x = Tensor(np.ones((1, 1), np.float32), requires_grad=True)
    x.backward()
    assert x.grad.shape == (1, 1) and x.grad.dtype == np.float32 and x.grad == 1


def test_constants_need_no_gradient():
    x, c = leaf(1.0, 2.0), Tensor([3.0, 4.0])
    (x * c).sum().backward()
    assert c.grad is None and x.grad.tolist() == [3, 4]
    assert not (c * c).requires_grad


# --- release and memory


def test_second_backward_raises_and_names_the_cure():
    x = leaf(2.0)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        y.backward()
    assert x.grad == 4


def test_retain_graph():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 8


def test_shared_part_released_by_another_output():
    x = leaf(2.0)
    h = x * x
    a, b = h + 1, h + 2
    a.backward()
    with pytest.raises(RuntimeError, match="released"):
        b.backward()


def test_no_reference_cycles_and_memory_freed_while_walking():
    gc.disable()
    try:
        x = leaf(np.ones(3))
        h = np.exp(x)
        seen = weakref.ref(h._data)  # as long as the tensor
        y = (h * h).sum()
        del h
        assert seen() is not None  # y's history holds it
        y.backward()
        assert seen() is None  # released by the walk, not by the garbage collector
        y = np.exp(x) * 2
        seen = weakref.ref(y._data)
        del y
        assert seen() is None
    finally:
        gc.enable()


# --- operators


@pytest.mark.parametrize("other", [[1, 2], (1.5, 2.0)], ids=["list", "tuple"])
@pytest.mark.parametrize("x", [3, 3.0, np.float32(3)], ids=["int", "float64", "float32"])
def test_a_number_times_a_list_is_an_array(x, other):
    for y in Tensor(x) * other, other * Tensor(x), np.multiply(Tensor(x) + 0, other):
        assert y.numpy().tolist() == [3 * v for v in other]


OPERANDS = [2, -3, 0.5, *(np.array(v, t) for v in (-2, 0, 3, [1, 4]) for t in "efdi")]


@pytest.mark.parametrize("f", [f for f in OPERATORS if isinstance(f, np.ufunc)], ids=name)
def test_an_operator_computes_what_its_function_does(f):
    for a, b in itertools.product(OPERANDS, OPERANDS):
        if isinstance(a, (int, float)) and isinstance(b, (int, float)):
            continue  # at least one operand was a Tensor
        results = []
        for g in OPERATORS[f], f:
            for single in False, True:  # NumPy's single numbers, too
                x, y = (v[()] if single and isinstance(v, np.ndarray) else v for v in (a, b))
                try:
                    with np.errstate(all="ignore"):
                        results.append(np.asarray(g(x, y)))
                except ValueError as error:  # an integer to a negative power
                    results.append(np.asarray(str(error)))
        first, *others = results
        for other in others:
            assert other.dtype == first.dtype
            if first.dtype.kind == "U":
                assert other == first
            else:
                np.testing.assert_allclose(other, first, rtol=4 * np.finfo("f").eps)


# --- in-place changes


@pytest.mark.parametrize(
    "change",
    [
        lambda x: setattr(x, "data", np.zeros(2)),
        lambda x: x.__setattr__("data", x.data.__isub__(1)),
        lambda x: no_grad()(lambda: x.__setitem__(0, 9.0))(),
    ],
    ids=["x.data = ", "x.data -= ", "x[0] = "],
)
def test_changing_a_leaf_that_is_still_needed_raises(change):
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    change(x)
    with pytest.raises(RuntimeError, match="changed in place after multiply"):
        y.backward()
    assert x.grad is None
    (x * x).sum().backward()  # and anew it works
    assert x.grad.tolist() == (2 * x.data).tolist()


def test_augmented_assignment_of_data_is_noticed():
    x = leaf(1.0, 2.0)
    y = x * x
    x.data -= 1
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_results_are_read_only():
    x = leaf(1.0, 2.0)
    y = np.exp(x)
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5
    with pytest.raises(RuntimeError, match="result cannot be changed"):
        y.data = np.zeros(2)
    with pytest.raises(RuntimeError, match="np.where"):
        y[0] = 5
    with pytest.raises(RuntimeError, match="no_grad"):
        x[0] = 5


def test_a_leaf_copies_its_array():
    a = np.array([1.0, 2.0])
    x = Tensor(a, requires_grad=True)
    y = (x * x).sum()
    a[:] = 100
    y.backward()
    assert x.grad.tolist() == [2, 4]


def test_assigning_data_keeps_the_memory_and_the_shape():
    x = leaf(1.0, 2.0)
    view = x.data
    x.data = [5, 6]
    assert view.tolist() == [5, 6] and x.dtype == float
    with pytest.raises(ValueError, match=r"keep its shape \(2,\), got \(3,\)"):
        x.data = np.zeros(3)


# --- dtypes and shapes


@pytest.mark.parametrize("data", [1, [1, 2], True, np.arange(3), np.array([True])])
def test_integer_leaves_are_refused(data):
    with pytest.raises(TypeError, match="floating-point"):
        Tensor(data, requires_grad=True)
    x = Tensor(data)
    with pytest.raises(TypeError, match="floating-point"):
        x.requires_grad = True


@pytest.mark.parametrize("data", ["a", 1j, [None]])
def test_not_numbers(data):
    with pytest.raises(TypeError, match="real numbers"):
        Tensor(data)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_is_kept_through_python_scalars_and_back(dtype):
    x = Tensor(np.array([0.5, 2.0], dtype), requires_grad=True)
    y = 2 * x**2 + x / 3 - 1.5
    y = np.where(x > 1, y, 0) + np.maximum(x, 0) + np.clip(x, -1, 1) + abs(x) + x.mean() + x.std()
    y = (y.sum() + np.linalg.norm(x) + x.prod() + x.max() + x[[0, 0]].sum()) ** 0.5
    assert y.dtype == dtype
    y.backward()
    assert x.grad.dtype == dtype


def test_mixed_dtypes_promote_and_come_back():
    a, b = leaf([1.0, 2.0], dtype=np.float32), leaf([3.0, 4.0])
    y = (a * b).sum()
    y.backward()
    assert y.dtype == np.float64 and a.grad.dtype == np.float32 and b.grad.dtype == np.float64


def test_astype():
    x = leaf(1.7, 2.2)
    (x.astype(np.float32) * 2).sum().backward()
    assert x.grad.tolist() == [2, 2] and x.grad.dtype == float
    assert x.astype(int).data.tolist() == [1, 2] and not x.astype(int).requires_grad


shapes = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0)


@settings(max_examples=80, deadline=None)
@given(shapes, st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
def test_broadcast_gradients_have_the_shape_of_their_tensor(shapes, dtype, seed):
    rng = np.random.default_rng(seed)
    a, b = (
        Tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes.input_shapes
    )
    y = a * b
    assert y.shape == shapes.result_shape
    g = rng.normal(size=y.shape).astype(dtype)
    y.backward(g)
    for x, other in ((a, b), (b, a)):
        assert x.grad.shape == x.shape and x.grad.dtype == dtype
        full = np.broadcast_to(other.data, y.shape) * g
        # independently: the sum, over the places of y that x's element went to, of g times the other
        places = np.broadcast_to(np.arange(x.size).reshape(x.shape), y.shape)
        expected = np.zeros(x.size)
        np.add.at(expected, places.ravel(), full.ravel())
        assert np.allclose(x.grad.ravel(), expected, rtol=1e-4, atol=1e-5)


def test_zero_dimensional_and_empty():
    x = leaf(3.0)
    y = x * x
    assert y.shape == () and y.item() == 9 and float(y) == 9
    y.backward()
    assert x.grad.shape == () and x.grad == 6
    e = Tensor(np.zeros((0, 3)), requires_grad=True)
    z = (np.exp(e) @ np.ones((3, 2))).sum() + 1
    z.backward()
    assert e.grad.shape == (0, 3) and z.item() == 1


def test_unused_branch_gives_no_gradient():
    x, y = leaf(1.0), leaf(2.0)
    (x * 2).backward()
    assert y.grad is None


# --- NumPy's functions and operators


@compares("torch", "Tensor")
def test_numpy_functions_stay_differentiable():
    x = leaf(0.3, 0.6)
    y = np.stack([np.exp(x), np.tanh(x), np.maximum(x, 0.5), np.where(x > 0.5, x, 0)])
    z = np.sum(np.concatenate([y, y * 2]), axis=1)
    assert isinstance(z, Tensor) and z.shape == (8,)
    z.sum().backward()
    e = np.exp([0.3, 0.6])
    t = 1 - np.tanh([0.3, 0.6]) ** 2
    assert np.allclose(x.grad, 3 * (e + t + [0, 1] + [0, 1]))


def test_an_array_on_the_left():
    x = leaf(1.0, 2.0)
    a = np.array([3.0, 4.0])
    for y, dx in [
        (a + x, [1, 1]),
        (a * x, [3, 4]),
        (a - x, [-1, -1]),
        (a / x, [-3, -1]),
        (a @ x, [3, 4]),
    ]:
        assert isinstance(y, Tensor)
        x.grad = None
        y.sum().backward()
        assert x.grad.tolist() == dx
    assert isinstance(np.float64(2) * x, Tensor) and isinstance(2**x, Tensor)


def test_comparisons_and_piecewise_constant_functions_give_arrays():
    x = leaf(1.0, 3.0)
    for r in (x > 2, x == x, 2 < x, np.argmax(x), np.sign(x), np.isnan(x), np.floor(x)):
        assert not isinstance(r, Tensor)
    assert (x >= Tensor([1.0, 4.0])).tolist() == [True, False]
    assert {x: 1}[x] == 1  # hashable by identity


@pytest.mark.parametrize(
    "call,words",
    [
        (lambda x: np.linalg.eig(x), "np.linalg.eig has no derivative rule"),
        (lambda x: np.add.reduce(x), "np.add.reduce has no derivative rule"),
        (lambda x: np.sum(x, axis=0, dtype=float), "of the options only axis, keepdims"),
        (lambda x: np.exp(x, out=np.zeros(2)), "of the options only none"),
        (lambda x: np.floor(x, out=np.zeros(2)), "np.floor: out= is not written to"),
        (lambda x: np.var(x, where=[True, False]), "differentiate, where=: of the options only"),
        (lambda x: np.pad(x, 1, mode="mean"), 'the modes "constant", "edge"'),
        (lambda x: np.multiply(x, 2j), "real numbers or booleans, got dtype complex128"),
        (lambda x: np.asarray(x), "x.numpy"),
    ],
)
def test_unsupported_numpy_says_so(call, words):
    with pytest.raises(TypeError, match=words):
        call(leaf(1.0, 2.0))


@pytest.mark.parametrize(
    "call,words",
    [
        (lambda: leaf(1.0, 2.0) + leaf(1.0, 2.0, 3.0), r"add: shapes \(2,\) and \(3,\) do not fit"),
        (
            lambda: leaf(np.ones((2, 3))) @ leaf(np.ones((2, 3))),
            r"matmul: \(2, 3\) @ \(2, 3\): the last size",
        ),
        (
            lambda: leaf(np.ones((2, 3))).reshape(4),
            r"reshape: shape \(2, 3\), 4 do not fit together: the new sizes",
        ),
        (lambda: leaf(1.0, 2.0).backward(np.ones(3)), r"shape \(2,\), got \(3,\)"),
        (lambda: leaf(1.0, 2.0).item(), "one element"),
    ],
)
def test_misfits_of_shape_are_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "call,words",
    [
        (
            lambda: (leaf(1.0, 2.0) * 2).backward(),
            r"shape \(2,\); a gradient starts from one number",
        ),
        (lambda: Tensor(1.0).backward(), "nothing to differentiate"),
        (lambda: grad(leaf(1.0) * 2, Tensor(1.0)), "does not require a gradient"),
        (lambda: grad(leaf(1.0) * 2, leaf(1.0)), "allow_unused"),
        (
            lambda: np.clip(leaf(1.0), leaf(0.0), 2).backward(),
            "clip has no derivative with respect to its argument 1",
        ),
    ],
)
def test_misuse_of_the_graph(call, words):
    with pytest.raises(RuntimeError, match=words):
        call()


@compares("torch", "no_grad")
def test_no_grad_as_context_and_decorator_and_after_an_error():
    x = leaf(1.0)
    with no_grad():
        assert not (x * 2).requires_grad
        with no_grad():
            pass
        assert not (x * 2).requires_grad
    assert no_grad()(lambda: x * 2)().requires_grad is False

    @no_grad()
    def down(n):
        assert not (x * 2).requires_grad
        return n and down(n - 1)

    down(3)
    assert (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0
    assert (x * 2).requires_grad


def test_looks():
    x = leaf(1.0, 2.0)
    assert repr(x) == "Tensor([1., 2.], requires_grad=True)"
    assert repr(np.exp(x * 0)) == "Tensor([1., 1.], from exp)"
    assert f"{(x * x).sum():.2f}" == "5.00"
    assert len(x) == 2 and [float(v) for v in x] == [1, 2] and x.T.shape == (2,)
    assert x.detach().requires_grad is False and x.numpy().flags.writeable is False


def test_iteration_and_setitem_under_no_grad():
    x = leaf(1.0, 2.0)
    with no_grad():
        x[0] = 7.0
    assert x.data.tolist() == [7, 2]
    sum(v * v for v in x).backward()
    assert x.grad.tolist() == [14, 4]


def test_a_rule_is_not_replaced_by_accident():
    before = tensor.RULES[np.tanh]
    with pytest.raises(ValueError, match="tanh already has a rule"):
        tensor.primitive(lambda g, y, x: g)(np.tanh)
    assert tensor.RULES[np.tanh] is before


@pytest.mark.parametrize(
    "f, rule",
    [
        (np.transpose, lambda g, y, x: g),  # six numbers in another order would fit
        (lambda x: x.sum(0), lambda g, y, x: np.tile(g[:, None], 3)),
        (lambda x: x.sum(), lambda g, y, x: np.zeros(4)),
        (lambda x: x.reshape(-1), lambda g, y, x: g),
    ],
)
def test_a_rule_whose_gradient_does_not_fit_is_refused(f, rule):
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    y = tensor.primitive(rule)(lambda x: f(x))(x)
    with pytest.raises(ValueError, match=r"gradient of shape .* operand of shape \(2, 3\)"):
        y.backward(np.ones(y.shape))


# --- what readers expect of an array


def test_floor_division_rounding_and_conversions():
    x = leaf(7.5, -2.5)
    assert (x // 2).tolist() == [3, -2] and (7.5 // x).tolist() == [1, -3]
    q, r = divmod(x, 2)
    assert q.tolist() == [3, -2] and isinstance(r, Tensor) and r.tolist() == [1.5, 1.5]
    assert round(x).tolist() == x.round().tolist() == [8, -2] and round(leaf(1.26), 1) == 1.3
    assert int(leaf(3.9)) == 3 and x.tolist() == [7.5, -2.5]
    r.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_methods_of_arrays():
    x = Tensor(np.arange(6.0).reshape(2, 3) + 1, requires_grad=True)
    a = x.data
    for y, z in [
        (x.flatten(), a.flatten()),
        (x.ravel("F"), a.ravel("F")),
        (x.reshape(3, 2, order="F"), a.reshape(3, 2, order="F")),
        (x.repeat(2, axis=1), a.repeat(2, axis=1)),
        (x.take([0, 2], axis=1), a.take([0, 2], axis=1)),
        (x.cumprod(axis=1), a.cumprod(axis=1)),
        (x.diagonal(1), a.diagonal(1)),
        (x.sum(axis=[0, 1]), a.sum(axis=(0, 1))),
        (x.mean([0]), a.mean(0)),
        (np.amax(x, axis=1), a.max(1)),
        (x.trace(), a.trace()),
    ]:
        assert isinstance(y, Tensor) and y.requires_grad
        np.testing.assert_array_equal(y.data, z)
    for y, z in [
        (x.argmax(), 5), (x.argmin(axis=0), a.argmin(0)), (x.argsort(), a.argsort()), (x.any(), True),
        (x.all(axis=0), a.all(0)), (x.nonzero(), a.nonzero()),
    ]:  # fmt: skip
        assert not isinstance(y, Tensor)
        np.testing.assert_array_equal(y, z)


def test_lists_are_operands():
    x = leaf(1.0, 2.0)
    for y, dx in [
        (x @ [1.0, 2.0], [1, 2]),
        ([1.0, 2.0] @ x, [1, 2]),
        (x ** [2, 3], [2, 12]),
        (x / [2.0, 4.0], [0.5, 0.25]),
        (x + [x[0], 5.0], [2, 1]),  # a list with Tensors in it is stacked
        (np.maximum(x, [0.0, 9.0]), [1, 0]),
    ]:
        x.grad = None
        y.sum().backward()
        assert x.grad.tolist() == dx


# --- what float16 cannot hold


def test_float16_sums_and_counts_beyond_65504():
    big = Tensor(np.full(1000, 100, np.float16), requires_grad=True)
    assert big.mean().item() == 100 and big.mean().dtype == np.float16
    assert np.linalg.norm(Tensor(np.full(4, 30000, np.float16))).item() == 60000
    spread = Tensor(np.tile(np.array([0, 400], np.float16), 500), requires_grad=True)
    assert spread.var().item() == 40000 and spread.std().item() == 200
    spread.std().backward()
    assert np.allclose(spread.grad, np.tile([-1, 1], 500) / 1000, rtol=1e-3)
    many = Tensor(np.zeros(70000, np.float16), requires_grad=True)
    many.mean().backward()
    assert many.grad.dtype == np.float16 and np.allclose(many.grad, 1 / 70000, rtol=0.02)


def test_std_of_equal_numbers_has_gradient_0():
    for x in (leaf(3.0, 3.0), leaf(3.5)):
        x.std().backward()
        assert not x.grad.any() and x.grad.shape == x.shape
    x = Tensor(np.array([[1.0, 1.0], [0.0, 2.0]]), requires_grad=True)
    np.std(x, axis=1).sum().backward()
    assert x.grad.tolist() == [[0, 0], [-0.5, 0.5]]
