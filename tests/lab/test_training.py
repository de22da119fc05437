"""The training loop, and comparisons with equal chances."""


import numpy as np
import pytest

from minigrad import init, losses, norms, optim
from minigrad.lab import data, training


def test_fit_is_the_loop_written_out():
    x, y = data.iris()

    def setting():
        rng = np.random.default_rng(3)
        net = training.mlp([4, 8, 3], rng=rng)
        return net, optim.SGD(net.parameters(), lr=0.1), rng

    net, optimizer, rng = setting()
    epochs = []
    curve = training.fit(
        net, optimizer, x, y, epochs=2, rng=rng, batch=40, each_epoch=lambda: epochs.append(1)
    )
    other, optimizer, rng = setting()
    for step, chosen in enumerate([b for _ in range(2) for b in data.batches(150, 40, rng=rng)]):
        optimizer.zero_grad()
        loss = losses.cross_entropy(other(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
        assert curve[step] == loss.item()
    assert curve.shape == (8,) and epochs == [1, 1]
    loss, accuracy = training.evaluate(net, x, y)
    assert loss == losses.cross_entropy(other(x), y).item()
    assert accuracy == np.mean(other(x).data.argmax(1) == y)


def test_a_run_that_diverges_is_reported_and_warns_of_nothing():
    x, y = data.iris()
    rng = np.random.default_rng(0)
    net = training.mlp([4, 3], rng=rng)
    # Squares of the outputs grow with the weights, and soon beyond every bound.
    curve = training.fit(
        net, optim.SGD(net.parameters(), lr=10.0), x, y, epochs=40, rng=rng,
        loss=lambda output, _: (output * output).mean(),
    )  # fmt: skip
    assert np.isfinite(curve[0]) and np.isinf(curve[-1]) and not np.isnan(curve).any()
    assert training.evaluate(net, x, y, lambda output, _: (output * output).mean())[0] == np.inf


def test_mlp_normalizes_and_initializes_as_told():
    net = training.mlp(
        [4, 5, 6, 3], rng=np.random.default_rng(0), norm=norms.BatchNorm1d,
        weight=lambda shape, rng: init.constant(shape, 2.0), dtype=np.float32,
    )  # fmt: skip
    kinds = [type(layer).__name__ for layer in net.layers]
    assert kinds == ["Linear", "BatchNorm1d", "ufunc"] * 2 + ["Linear"]
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    assert (net[3].weight.data == 2).all() and (net[3].bias.data == 0).all()


@pytest.mark.parametrize("mode", [True, False])
def test_evaluation_leaves_the_network_as_it_was(mode):
    net = training.mlp([4, 5, 3], rng=np.random.default_rng(0), norm=norms.BatchNorm1d)
    net.train(mode)
    before = net.state_dict()
    training.evaluate(net, np.ones((2, 4)), np.array([0, 1]))
    assert net.training is mode
    assert all(np.array_equal(before[key], value) for key, value in net.state_dict().items())


def test_tune_reports_other_seeds_than_it_chose_by():
    asked = []

    def run(rate, seed):
        asked.append((rate, seed))
        return np.nan if rate == 3 else abs(rate - 2) + seed / 1000

    tuned = training.tune(run, [1, 2, 3], seeds=range(2), report=range(7, 9))
    assert tuned.best == 2 and tuned.scores.tolist() == [0.007, 0.008]
    assert np.isinf(tuned.tried[3]).all() and asked[-2:] == [(2, 7), (2, 8)]
    with pytest.raises(ValueError, match="end of the list"):
        training.tune(run, [2, 2.5, 3])
    with pytest.raises(ValueError, match="overlap"):
        training.tune(run, [1, 2, 3], seeds=range(2), report=range(1, 3))


def test_progress_passes_everything_on_and_wipes_its_line(capsys, monkeypatch):
    assert list(training.progress("abc", "reading")) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""  # under pytest nobody watches
    monkeypatch.delenv("PYTEST_VERSION")
    assert list(training.progress([], "reading")) == []
    assert list(training.progress("abc", "reading")) == ["a", "b", "c"]
    assert capsys.readouterr().out.endswith("reading 3/3\r" + " " * 11 + "\r")
