"""Linear, Embedding, Dropout: equal to PyTorch's, with their starting values and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from module_inputs import close, draw, rng

from compares import compares
from minigrad import Tensor, grad, nn
from torch_reference import needs_torch, reference, torch


@compares("torch.nn", "nn.Linear")
@compares("torch.nn.functional", "nn.linear")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3)], ids=str)
def test_linear_equals_pytorch(shape, bias):
    x, W, b, u = draw(shape), draw((4, 3), 1), draw(4, 2), draw((*shape[:-1], 4), 3)
    arrays = [x, W, b] if bias else [x, W]

    def compute(torch):
        t = [torch.tensor(a, requires_grad=True) for a in arrays]
        y = torch.nn.functional.linear(*t)
        first = torch.autograd.grad(y, t, torch.tensor(u), create_graph=True)
        return [y, *first, *torch.autograd.grad(sum((g * g).sum() for g in first), t[:2])]

    t = [Tensor(a, requires_grad=True) for a in arrays]
    y = nn.linear(*t)
    first = grad(y, t, u, create_graph=True)
    second = grad(sum((g * g).sum() for g in first), t[:2])
    for got, want in zip(
        [y, *first, *second], reference(f"nn/linear-{len(shape)}-{bias}", compute)
    ):
        close(got.numpy(), want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [1, 7, 100])
def test_linear_starts_as_pytorchs(n):
    """U(±1/√in), for the bias too."""
    layer = nn.Linear(n, 200, rng=rng())
    for p in (layer.weight, layer.bias):
        assert 0.9 / np.sqrt(n) < abs(p.data).max() <= 1 / np.sqrt(n)
    assert np.array_equal(layer.weight.data, nn.Linear(n, 200, rng=rng()).weight.data)
    assert nn.Linear(2, 3, dtype=np.float32)(np.ones((1, 2), np.float32)).dtype == np.float32


def test_linear_takes_the_wider_dtype():
    x, W, b = draw((2, 3)), draw((4, 3)).astype(np.float32), draw(4)
    y = nn.linear(x.astype(np.float32), W, b)
    assert y.dtype == np.float64
    close(y.numpy(), (x.astype(np.float32) @ W.T) + b, rtol=1e-15)
    assert nn.linear(x, W, b.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (2, 3, 0, 3)])
def test_linear_of_no_rows(shape):
    x, W = Tensor(np.zeros(shape), requires_grad=True), Tensor(np.ones((4, 3)), requires_grad=True)
    y = nn.linear(x, W, np.ones(4))
    assert y.shape == (*shape[:-1], 4)
    y.sum().backward()
    assert x.grad.shape == shape and not W.grad.any()


INDICES = np.array([[1, 0, 3], [1, 1, 2]])


@compares("torch.nn", "nn.Embedding")
@pytest.mark.parametrize("padding_idx", [None, 1, -1])
def test_embedding_equals_pytorch(padding_idx):
    W, u = draw((4, 3)), draw((2, 3, 3), 1)

    def compute(torch):
        w = torch.tensor(W, requires_grad=True)
        e = torch.nn.functional.embedding(torch.tensor(INDICES), w, padding_idx)
        (e * e * torch.tensor(u)).sum().backward()
        return [e, w.grad]

    layer = nn.Embedding(4, 3, padding_idx, rng=rng())
    if padding_idx is not None:
        assert not layer.weight.data[padding_idx].any()
    layer.weight.data = W
    e = layer(INDICES)
    (e * e * u).sum().backward()
    for got, want in zip(
        [e.numpy(), layer.weight.grad], reference(f"nn/embedding-{padding_idx}", compute)
    ):
        close(got, want, rtol=1e-12)


def test_embedding_starts_from_the_normal_distribution():
    W = nn.Embedding(200, 100, rng=rng()).weight.data
    assert abs(W.mean()) < 4 / np.sqrt(W.size) and W.std() == pytest.approx(1, abs=0.02)
    assert (
        repr(nn.Embedding(3, 2, padding_idx=-1)) == "Embedding(3, 2, padding_idx=2)  6 parameters"
    )
    assert nn.Embedding(3, 2, dtype=np.float32)(2).dtype == np.float32


@settings(max_examples=50)
@given(i=st.lists(st.integers(-5, 8), max_size=4))
def test_indices_in_range_or_named(i):
    layer = nn.Embedding(4, 2, rng=rng())
    bad = [(j, at) for at, j in enumerate(i) if not 0 <= j < 4]
    if not bad:
        assert layer(np.array(i, int)).shape == (len(i), 2)
    else:
        with pytest.raises(
            ValueError, match=rf"indices must be in \[0, 4\), got {bad[0][0]} at \({bad[0][1]},\)"
        ):
            layer(i)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p):
    x = np.full((200, 500), 3.0)
    y = nn.Dropout(p, rng=rng())(x).numpy()
    close(np.unique(y), [0.0, 3 / (1 - p)] if p else [3.0], rtol=1e-15)
    n = x.size
    assert abs((y == 0).mean() - p) <= 4 * np.sqrt(p * (1 - p) / n)
    assert abs(y.mean() - 3) <= 4 * 3 * np.sqrt(p / (1 - p) / n)


def test_dropout_gradient_is_the_mask():
    x = Tensor(draw((20, 20)), requires_grad=True)
    y = nn.Dropout(0.5, rng=rng())(x)
    y.sum().backward()
    assert np.array_equal(x.grad, np.where(y.numpy() == 0, 0, 2))


def test_dropout_at_its_ends():
    x = Tensor(draw((4, 5)), requires_grad=True)
    assert not nn.Dropout(1.0)(x).numpy().any()  # and no 0/0
    assert nn.Dropout(0.0)(x) is x and nn.Dropout(0.7).eval()(x) is x
    assert nn.dropout(x, training=False) is x


def test_dropout_repeats_with_its_seed_and_keeps_dtype():
    x = np.ones((10, 10), np.float32)
    a, b = nn.Dropout(0.5, rng=rng(1)), nn.Dropout(0.5, rng=rng(1))
    first = a(x).numpy()
    assert np.array_equal(first, b(x).numpy()) and first.dtype == np.float32
    assert not np.array_equal(first, a(x).numpy())  # anew at every call
    assert nn.dropout(x.astype(np.float16), rng=rng()).dtype == np.float16


@compares("torch.nn", "nn.Dropout")
@compares("torch.nn.functional", "nn.dropout")
@needs_torch
def test_dropout_means_pytorchs_p():
    torch.manual_seed(0)
    x = np.ones(100_000)
    theirs = torch.nn.functional.dropout(torch.tensor(x), 0.2).numpy()
    own = nn.dropout(x, 0.2, rng=rng()).numpy()
    assert set(np.unique(own)) == set(np.unique(theirs)) == {0.0, 1.25}
    assert abs((own == 0).mean() - (theirs == 0).mean()) < 0.01
    assert nn.Dropout().p == torch.nn.Dropout().p


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: nn.Linear(0, 3), r"Linear: in_features must be in \{1, 2, \.\.\.\}, got 0"),
        (lambda: nn.Linear(3, 2)(draw((4, 2))), r"linear: x must be \(..., in\), weight \(out, in\) .*got shapes \(4, 2\), \(2, 3\)"),
        (lambda: nn.linear(3.0, draw((2, 3))), "linear: x must be"),
        (lambda: nn.linear(3.0, draw(2)), "linear: x must be"),
        (lambda: nn.linear(draw(3), draw((2, 3)), draw(3)), r"linear: .* bias \(out,\) \(got shapes \(3,\), \(2, 3\), \(3,\)\)"),
        (lambda: nn.Embedding(0, 3), r"Embedding: num_embeddings must be in \{1, 2, \.\.\.\}, got 0"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), r"Embedding: padding_idx must be in \[-3, 3\), got 3"),
        (lambda: nn.Embedding(3, 2)([[0, 1], [2, 3]]), r"Embedding: indices must be in \[0, 3\), got 3 at \(1, 1\)"),
        (lambda: nn.Dropout(-0.1), r"Dropout: p must be in \[0, 1\], got -0\.1"),
        (lambda: nn.dropout(draw(3), float("nan")), r"dropout: p must be in \[0, 1\], got nan"),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types():
    with pytest.raises(TypeError, match="Embedding: indices must be integers, got float64"):
        nn.Embedding(3, 2)([0.0])
    with pytest.raises(TypeError, match="Dropout: rng must be a numpy Generator"):
        nn.Dropout(0.5, rng=3)
    with pytest.raises(TypeError, match="floating-point"):
        nn.Parameter([1, 2])
