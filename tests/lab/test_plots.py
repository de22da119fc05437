"""The plots that chapters share."""


import matplotlib.pyplot as plt
import numpy as np
import pytest

from minigrad.lab import plots, problems, style

rng = np.random.default_rng


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert not left


def test_paths():
    problem = problems.ravine()
    axes = plots.paths(problem, {"adam": np.zeros((3, 2)), "sgd": np.ones((3, 2))})
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert lines["Adam"].get_color() == style.color["adam"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Adam", "SGD"]
    assert (*axes.get_xlim(), *axes.get_ylim()) == problem.bounds
    plt.close("all")


def test_interval_covers_as_often_as_it_says():
    samples = rng(0).normal(size=(5, 20_000))
    mean, half = plots.interval(samples)
    assert abs((np.abs(mean) <= half).mean() - 0.95) < 0.005
    with pytest.raises(ValueError, match="two seeds"):
        plots.interval(np.ones((1, 3)))
