"""minigrad.lab.experiments: sweeps, choices, intervals and comparisons, stored results."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from minigrad.lab import experiments, language, plots, style
from minigrad.lab.experiments import Scores, compare, interval, seeds_needed, sweep

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "chapters").glob("*/*.py"))


def rng(seed):
    return np.random.default_rng(seed)


def bowl(method, rate, seed):
    """A score whose best rate is 0.1 for "a", 1 for "b", and inf at rate 100 for odd seeds."""
    if rate == 100 and seed % 2:
        return np.log(np.float64(-rate))  # NaN, and a warning outside of sweeps
    return np.log10(rate / {"a": 0.1, "b": 1.0}[method]) ** 2 + rng(seed).normal(0, 0.1)


def two_scores(x, seed):
    return {"validation": (x - 2) ** 2, "test": -x}


GRID = {"method": ("a", "b"), "rate": (0.01, 0.1, 1.0, 10.0)}


# -- sweeps


def test_sweep_runs_every_setting_with_every_seed_once_and_in_order():
    seen = []

    def run(**setting):
        seen.append(tuple(setting.items()))
        return len(seen)

    scores = sweep(run, {"x": (3, 1), "y": ("p", "q")}, seeds=(5, 7))
    assert len(set(seen)) == 8 and seen[2] == (("x", 3), ("y", "q"), ("seed", 5))
    assert scores.axes == {"x": (3, 1), "y": ("p", "q"), "seed": (5, 7)}
    assert scores.values.shape == (2, 2, 2)
    assert scores.at(x=3, y="q", seed=5).values == 3 and scores.at(x=1, y="p", seed=7).values == 6


def test_scores_and_curves_have_axes_of_their_own():
    scores = sweep(two_scores, {"x": (1, 2, 3)}, seeds=2)
    assert scores.axes["score"] == ("validation", "test")
    assert scores["test"].mean().tolist() == [-1, -2, -3]

    curves = sweep(lambda x, seed: [x, seed, x + seed], {"x": (1, 2)}, seeds=2)
    assert curves.axes["step"] == (1, 2, 3) and curves.values.shape == (2, 2, 3)
    both = sweep(lambda seed: {"loss": [1, 2], "norm": [3, 4]}, {}, seeds=2)
    assert both["norm"].at(step=2).values.tolist() == [4, 4]


def test_a_run_that_is_not_a_number_diverged():
    scores = sweep(bowl, {"method": ("a",), "rate": (0.1, 100)}, seeds=4)
    assert scores.diverged().tolist() == [[0, 0.5]]
    assert scores.mean()[0, 1] == np.inf and np.isfinite(scores.mean()[0, 0])


def test_sweep_refuses_what_it_cannot_name():
    with pytest.raises(ValueError, match="x needs values that differ"):
        sweep(bowl, {"x": (1, 1)})
    with pytest.raises(ValueError, match="x needs values"):
        sweep(bowl, {"x": ()})
    with pytest.raises(ValueError, match="must not be called seed"):
        sweep(bowl, {"seed": (1, 2)})
    with pytest.raises(ValueError, match="one length"):
        sweep(lambda seed: [0] * seed, {}, seeds=3)
    with pytest.raises(ValueError, match="same scores"):
        sweep(lambda seed: {str(seed): 0}, {}, seeds=2)
    with pytest.raises(ZeroDivisionError) as caught:
        sweep(lambda x, seed: 1 / x, {"x": (1, 0)}, seeds=2)
    assert caught.value.__notes__ == ["in the run with x = 0, seed = 0"]


def test_at_selects_by_value():
    scores = sweep(bowl, GRID, seeds=3)
    np.testing.assert_array_equal(scores.at(method="b").values, scores.values[1])
    np.testing.assert_array_equal(scores.at(rate=0.1 * 3 / 3, seed=2).values, scores.values[:, 1, 2])
    some = scores.at(rate=[10.0, 0.01])
    assert some.axes["rate"] == (10.0, 0.01)
    np.testing.assert_array_equal(some.values, scores.values[:, [3, 0]])
    with pytest.raises(KeyError, match="no axis 'eta'; the axes are method, rate, seed"):
        scores.at(eta=1)
    with pytest.raises(KeyError, match="no value 0.3; it has"):
        scores.at(rate=0.3)
    flags = sweep(lambda on, seed: on, {"on": (True, False)}, seeds=1)
    assert flags.at(on=False).values == [0]


def test_differences_are_paired():
    scores = sweep(bowl, GRID, seeds=5)
    gap = scores.at(method="a") - scores.at(method="b")
    exact = [1 - 4, 0 - 1, 1 - 0, 4 - 1]  # the noise of a seed is that of its pair, and cancels
    np.testing.assert_allclose(gap.values, np.repeat(np.array(exact)[:, None], 5, axis=1), atol=1e-12)
    lost = sweep(lambda x, seed: np.inf if seed else x, {"x": (1, 2)}, seeds=2)
    assert (lost.at(x=1) - lost.at(x=2)).values.tolist() == [-1, 0]
    with pytest.raises(ValueError, match="axes are equal"):
        scores.at(seed=[0, 1]) - scores.at(seed=[1, 2])


def test_processes_change_nothing_and_one_that_dies_is_noticed(tmp_path):
    script = tmp_path / "two_ways.py"
    script.write_text(
        "import multiprocessing, os\n"
        "from concurrent.futures.process import BrokenProcessPool\n"
        "import numpy as np\n"
        "from minigrad.lab.experiments import sweep\n"
        "def run(x, seed):\n"
        "    child = multiprocessing.parent_process() is not None\n"
        "    assert not child or os.environ['OPENBLAS_NUM_THREADS'] == '1'\n"
        "    return np.random.default_rng(seed).normal() + x\n"
        "def die(seed):\n"
        "    os._exit(1)\n"
        "if __name__ == '__main__':\n"
        "    one, two = (sweep(run, {'x': (1, 2)}, 3, workers=w) for w in (1, 2))\n"
        "    assert np.array_equal(one.values, two.values) and one.axes == two.axes\n"
        "    best = two.best('x', fresh=[7], ends=['x'])\n"
        "    assert best.chosen['x'] == 1 and best.values == run(1, 7)\n"
        "    try:\n"
        "        sweep(die, {}, 2, workers=2)\n"
        "    except BrokenProcessPool:\n"
        "        print('noticed')\n"
    )
    environment = {key: v for key, v in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, script], check=True, cwd=ROOT, timeout=120, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.endswith("noticed\n")


# -- choices


def test_best_chooses_for_each_of_the_others_and_reports_fresh_seeds():
    asked = []

    def run(method, rate, seed):
        asked.append(seed)
        return bowl(method, rate, seed)

    grid = {"method": ("a", "b"), "rate": (0.01, 0.1, 1.0, 10.0)}
    tuned = sweep(run, grid, seeds=3).best("rate", fresh=range(100, 104))
    assert tuned.chosen["rate"].tolist() == [0.1, 1.0]
    assert tuned.axes == {"method": ("a", "b"), "seed": (100, 101, 102, 103)}
    np.testing.assert_array_equal(tuned.values[0], [bowl("a", 0.1, s) for s in range(100, 104)])
    np.testing.assert_array_equal(tuned.values[1], [bowl("b", 1.0, s) for s in range(100, 104)])
    assert sorted(asked[-8:]) == sorted([*range(100, 104)] * 2)
    assert tuned.at(method="b").chosen["rate"] == 1.0


def test_best_of_two_settings_jointly():
    scores = sweep(lambda x, y, z, seed: (x - y) ** 2 + (y - z) ** 2,
                   {"x": range(6), "z": (2, 3), "y": range(6)}, seeds=1)  # fmt: skip
    tuned = scores.best("y", "x", fresh=[9])
    assert tuned.chosen["x"].tolist() == tuned.chosen["y"].tolist() == [2, 3]
    assert tuned.values.tolist() == [[0], [0]]


def test_a_selected_setting_is_still_known_to_the_run():
    scores = sweep(bowl, GRID, seeds=3)
    tuned = scores.at(method="b").best("rate", fresh=[9])
    assert tuned.values == [bowl("b", 1.0, 9)] and tuned.chosen == {"method": "b", "rate": 1.0}
    one = scores.best("rate", fresh=[7, 8]).best("method", fresh=[9])  # first each, then all
    assert one.values == [bowl(one.chosen["method"], one.chosen["rate"], 9)]


def test_best_refuses_the_end_of_a_grid():
    scores = sweep(bowl, GRID, seeds=3)
    for method, ends in (("a", [0.1, 1.0, 10.0]), ("b", [0.01, 0.1, 1.0])):
        part = scores.at(method=method, rate=ends)
        with pytest.raises(ValueError, match="at an end of .* extend the grid"):
            part.best("rate", fresh=[9])
        assert part.best("rate", fresh=[9], ends=["rate"]).chosen["rate"] in (0.1, 1.0)
    with pytest.raises(ValueError, match="rate = 1.0 is at an end"):  # for one of two methods
        scores.at(rate=[0.01, 0.1, 1.0]).best("rate", fresh=[9])
    with pytest.raises(ValueError, match="at an end"):  # two numbers are two ends
        scores.at(method="a", rate=[0.1, 10.0]).best("rate", fresh=[9])
    names = scores.at(rate=1.0).best("method", fresh=[9])  # names have no ends
    assert names.chosen["method"] == "b"


def test_best_refuses_seeds_that_chose_and_test_scores():
    scores = sweep(two_scores, {"x": (1, 2, 3)}, seeds=2)
    with pytest.raises(ValueError, match=r"seeds \[1\] served the choice"):
        scores.best("x", by="validation", fresh=[1, 2])
    with pytest.raises(ValueError, match="test set"):
        scores.best("x", by="test", fresh=[5])
    with pytest.raises(ValueError, match="name the score"):
        scores.best("x", fresh=[5])
    tuned = scores.best("x", by="validation", fresh=[5])
    assert tuned.chosen["x"] == 2 and tuned["test"].values == [-2]
    with pytest.raises(ValueError, match="no run"):
        Scores(scores.values, scores.axes).best("x", by="validation", fresh=[5])


def test_a_setting_that_diverges_once_is_chosen_by_the_median_only():
    def run(x, seed):  # 2 is best but where it diverges
        return np.inf if x == 2 and seed == 0 else abs(x - 2)

    scores = sweep(run, {"x": (0, 1, 2, 2.5, 4)}, seeds=7)
    assert scores.best("x", fresh=[9]).chosen["x"] == 2.5
    assert scores.best("x", fresh=[9], of="median").chosen["x"] == 2
    with pytest.raises(ValueError, match="every choice diverged"):
        sweep(lambda x, seed: np.nan, {"x": (1, 2, 3)}).best("x", fresh=[9])


# -- intervals


@pytest.mark.parametrize("n", [6, 17])
@pytest.mark.parametrize("of, truth", [("mean", 0.0), ("geometric", 1.0), ("median", 0.0)])
def test_intervals_hold_as_often_as_they_say(n, of, truth):
    samples = rng(0).normal(size=(n, 20_000))
    values = np.exp(samples) if of == "geometric" else samples
    for level in (0.8, 0.95):
        found = interval(values, of=of, level=level)
        holds = np.mean((found.low <= truth) & (truth <= found.high))
        if of == "median":  # the least of the few levels that order statistics can have
            level = min(c for k in range(n // 2) if (c := 1 - 2 * stats.binom.cdf(k, n, 0.5)) >= level)
        assert abs(holds - level) < 0.006


def test_the_interval_of_a_median_holds_for_any_distribution_and_with_divergences():
    values = rng(1).exponential(size=(12, 20_000))
    found = interval(values, of="median")
    assert np.mean((found.low <= np.log(2)) & (np.log(2) <= found.high)) >= 0.95
    values[0] = np.inf  # one seed more diverges than before
    worse = interval(values, of="median")
    assert (worse.high >= found.high).all() and np.isfinite(worse.low).all()


def test_interval_of_a_mean_is_everything_where_a_run_diverged():
    found = interval([[1.0, 1.0], [2.0, np.inf]])
    assert (found.center[1], found.low[1], found.high[1]) == (np.inf, -np.inf, np.inf)
    assert f"{entry(found, 0):.1f}" == "1.5 ± 6.4"
    assert f"{entry(found, 1):.1f}" == "inf [-inf, inf]"


def entry(found, i):
    return experiments.Interval(*(end[i] for end in found))


def test_interval_refuses():
    with pytest.raises(ValueError, match="two seeds"):
        interval(np.ones((1, 3)))
    with pytest.raises(ValueError, match="more than 5 seeds"):
        interval(np.ones(5), of="median")
    with pytest.raises(ValueError, match="> 0"):
        interval([1.0, 0.0], of="geometric")
    with pytest.raises(TypeError, match="select one"):
        format(interval(np.ones((3, 2))), ".2f")


# -- comparisons


def test_compare_takes_the_pairs_apart():
    luck = rng(0).normal(0, 10, size=30)  # what a pair shares
    a, b = luck + rng(1).normal(0, 0.1, 30), luck + 0.5 + rng(2).normal(0, 0.1, 30)
    found = compare(a, b, matters=0.2)
    assert found.verdict is True and found.smallest < 0.1 and found.pairs == 30
    assert abs(found.difference.center + 0.5) < found.smallest and found.wins == 1
    shuffled = compare(a, b[::-1], matters=0.2)
    assert shuffled.verdict == "undecided" and shuffled.smallest > 2


@pytest.mark.parametrize(
    "low, high, verdict, same",
    [
        (-3, -2, True, False),
        (-3, -0.5, True, "undecided"),
        (-0.9, -0.5, True, True),  # it is less, but by nothing that matters
        (-3, 0.5, "undecided", "undecided"),
        (-0.5, 0.5, False, True),
        (-0.5, 3, False, "undecided"),
        (2, 3, False, False),
    ],
)
def test_verdicts(low, high, verdict, same):
    for of, scale in (("mean", lambda x: x), ("geometric", np.exp)):
        found = experiments.Interval(scale((low + high) / 2), scale(low), scale(high))
        comparison = experiments.Comparison(found, 9, scale(1.0), of, 0.5)
        assert (comparison.verdict, comparison.same) == (verdict, same)
        np.testing.assert_allclose(comparison.smallest, scale((high - low) / 2))


def test_verdicts_are_seldom_wrong():
    verdicts = [compare(d, np.zeros(10), matters=1.0).verdict for d in rng(0).normal(size=(2000, 10))]
    assert 0.015 < verdicts.count(True) / 2000 < 0.035  # 2.5 %
    few = [compare(d, np.zeros(10), matters=0.3).verdict for d in rng(0).normal(size=(2000, 10))]
    assert few.count("undecided") / 2000 > 0.8  # ten pairs cannot see 0.3
    # a real effect of what matters is called False as rarely as a null is called True
    less = [compare(d, np.zeros(10), matters=1.0).verdict for d in rng(0).normal(-1, size=(2000, 10))]
    assert 0.015 < less.count(False) / 2000 < 0.035


def test_ratio_and_median():
    a = rng(0).lognormal(size=40)
    b = a * rng(1).lognormal(0.5, 0.3, size=40)
    ratio = compare(a, b, matters=0.8, of="geometric")
    assert ratio.verdict is True and ratio.difference.low < np.exp(-0.5) < ratio.difference.high
    np.testing.assert_allclose(ratio.difference.center, np.exp(np.mean(np.log(a / b))))
    a[:2], b[1:4] = np.inf, np.inf  # pair 1 is a tie
    with pytest.raises(ValueError, match='4 of 40 pairs .* use of="median"'):
        compare(a, b, matters=0.1)
    with pytest.raises(ValueError, match="diverged"):
        compare(a, b, matters=0.8, of="geometric")
    sign = compare(a, b, matters=0.1, of="median")
    assert sign.verdict is True and np.isfinite(sign.difference.center)
    assert 0.75 < sign.wins < 1


def test_compare_refuses_what_is_not_paired():
    scores = sweep(bowl, GRID, seeds=3)
    a = scores.at(method="a", rate=0.1)
    with pytest.raises(ValueError, match="same seeds and nothing else"):
        compare(scores.at(rate=0.1), scores.at(rate=0.1), matters=1)
    with pytest.raises(ValueError, match="same seeds"):
        compare(a, sweep(bowl, GRID, seeds=(3, 4, 5)).at(method="b", rate=0.1), matters=1)
    with pytest.raises(ValueError, match="shapes"):
        compare([1, 2], [1, 2, 3], matters=1)
    with pytest.raises(ValueError, match="matters"):
        compare(a, a, matters=0)
    with pytest.raises(ValueError, match="> 0"):
        compare([1.0, -1.0], [1.0, 1.0], matters=0.5, of="geometric")


@pytest.mark.parametrize("k, half, assurance", [(5, 0.6, 0.8), (20, 0.4, 0.5), (20, 0.3, 0.9)])
def test_seeds_needed_is_right_on_average_over_pilots(k, half, assurance):
    generator, narrow, trials = rng(k), 0, 2000
    for _ in range(trials):
        n = seeds_needed(generator.normal(size=k), half, assurance=assurance)
        narrow += interval(generator.normal(size=n)).half <= half
    assert -0.035 < narrow / trials - assurance < 0.07  # 3 standard errors, and whole seeds


def test_half_of_what_matters_always_decides():
    for seed in range(200):
        d = rng(seed).normal(-0.5, 1, size=rng(seed).integers(3, 60))
        half = interval(d).half
        assert compare(d, 0 * d, matters=2.001 * half).verdict != "undecided"


def test_seeds_needed_refuses():
    with pytest.raises(ValueError, match="two finite"):
        seeds_needed([1.0, np.inf], 0.1)
    with pytest.raises(ValueError, match="half must be"):
        seeds_needed([1.0, 2.0], 0)
    with pytest.raises(ValueError, match="more than 100000"):
        seeds_needed([0.0, 1.0], 1e-4)


# -- shown


def test_table(capsys):
    scores = sweep(bowl, GRID, seeds=3)
    scores.table("rate", "method", spec={"a": ".1f", "b": "+.2f"}, labels={"a": "A"})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rate", "A", "b"] and len({len(line) for line in lines}) == 1
    found = experiments.Interval(*(end[1, 2] for end in scores.interval()))
    assert lines[3].startswith("1.0 ") and lines[3].endswith(f"{found:+.2f}")
    with pytest.raises(ValueError, match="method must be an axis"):
        scores.table("rate")
    scores.at(method="a").table("rate", of="geometric")  # a heading is never empty
    assert capsys.readouterr().out.splitlines()[0].endswith("几何平均 · geometric mean")


def test_the_heading_of_a_table_is_in_the_language_asked_for(capsys):
    scores = sweep(lambda x, seed: x + seed, {"x": (1, 20)}, 3)
    language("English")
    try:
        scores.table("x")
    finally:
        language("中文 · English")
    assert capsys.readouterr().out.splitlines()[0].split() == ["x", "mean"]


def test_plot_of_a_sweep():
    scores = sweep(bowl, {"method": ("a", "b"), "rate": (0.1, 1.0, 100)}, seeds=3)
    axes = plots.sweep(scores, x="rate", each="method", labels={"a": "A", "b": "B"})
    one, two = axes.get_lines()
    mean = scores.mean()
    assert axes.get_xscale() == "log" and np.isnan(one.get_ydata()[2])  # where it diverged
    np.testing.assert_array_equal(one.get_ydata()[:2], mean[0, :2])
    band = axes.collections[1].get_paths()[0].vertices
    np.testing.assert_allclose(band[:, 1].max(), scores.interval().high[1, :2].max())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["A", "B"]
    axes = plots.sweep(scores, x="rate", each="method", labels={"b": {"linestyle": ":"}})
    assert [line.get_linestyle() for line in axes.get_lines()[-2:]] == ["-", ":"]
    plt.close("all")

    names = sweep(lambda name, eta, seed: eta + seed + 1, {"name": ("relu", "gelu"), "eta": (1, 2)}, 4)
    axes = plots.sweep(names, x="eta", each="name", of="geometric")
    assert [line.get_color() for line in axes.get_lines()] == [style.color["relu"], style.color["gelu"]]
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    plt.close("all")
    axes = plots.sweep(names.at(eta=1), x="name")  # names are points with bars
    assert axes.get_legend() is None and axes.get_lines()[0].get_linestyle() == "None"
    plt.close("all")
    with pytest.raises(ValueError, match="eta must be an axis"):
        plots.sweep(names, x="name")


# -- stored results

SCRIPT = '''
"""A long experiment."""
from minigrad.lab.experiments import store, sweep
def run(x, seed):
    return {"validation": (x - 2) ** 2 + seed / 3, "test": float("nan") if x == 3 else x}
if __name__ == "__main__":
    scores = sweep(run, {"x": (1, 2, 3)}, seeds=2)
    tuned = scores.best("x", by="validation", fresh=[7, 8])
    store(__file__, {"tuning": scores, "tuned": tuned}, again=("tuned", {"seed": 8}), tol=1e-5)
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    script = tmp_path_factory.mktemp("made") / "long-one.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, script], check=True, cwd=ROOT, capture_output=True)
    return script


@pytest.fixture
def stored(made, tmp_path):
    for path in (made, made.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    return tmp_path / made.name


def test_stored_scores_come_back_and_an_entry_comes_out_again(stored, capsys):
    results = experiments.load(stored.with_suffix(".json"))
    tuning, tuned = results["tuning"], results["tuned"]
    assert tuning.axes == {"x": (1, 2, 3), "seed": (0, 1), "score": ("validation", "test")}
    np.testing.assert_allclose(tuning.at(x=1, score="validation").values, [1, 4 / 3], rtol=1e-5)
    assert tuning.at(x=3, score="test").diverged() == 1
    assert tuned.chosen == {"x": 2} and tuned.axes["seed"] == (7, 8)
    assert results.made_with.keys() == {"python", "numpy", "scipy", "kernel"}
    results.again()
    assert "one entry computed again, as stored  |Δ| ≤ 10⁻⁵" in capsys.readouterr().out
    tuned.again(1e-5, seed=8)
    assert capsys.readouterr().out == "✓ seed = 8  |Δ| ≤ 10⁻⁵\n"
    tuning.again(1e-5, x=1, seed=0)
    with pytest.raises(ValueError, match="seed is not given"):
        tuning.again(1e-5, x=1)
    before = stored.with_suffix(".json").read_bytes()
    subprocess.run([sys.executable, stored], check=True, cwd=ROOT, capture_output=True)
    assert stored.with_suffix(".json").read_bytes() == before
    assert b"[2.33333, 2.0]" in before  # a row on a line


def test_a_result_that_does_not_come_out_again_is_noticed(stored):
    path = stored.with_suffix(".json")
    path.write_text(path.read_text().replace("2.66667", "2.66767"))
    with pytest.raises(AssertionError, match="one entry computed again, as stored"):
        experiments.load(path).again()


def test_a_stale_result_is_refused(stored):
    stored.write_bytes(SCRIPT.replace("\n", "\r\n").encode())  # a checkout with other line ends
    experiments.load(stored.with_suffix(".json"))
    stored.write_text(SCRIPT.replace("seed / 3", "seed / 4"))
    with pytest.raises(ValueError, match="long-one.json is stale: long-one.py is not the script"):
        experiments.load(stored.with_suffix(".json"))


def test_store_refuses_settings_without_a_name(tmp_path):
    script = tmp_path / "short.py"
    script.write_text("")
    scores = sweep(lambda f, seed: f(seed), {"f": (abs,)}, seeds=1)
    with pytest.raises(ValueError, match="store names instead"):
        experiments.store(script, {"s": scores}, again=("s", {"f": abs, "seed": 0}), tol=1)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_long_experiments_are_stored_and_come_out_again(script, capsys):
    path = script.with_suffix(".json")
    assert path.is_file(), f"no {path.name}: run `make experiments C={script.parent.name}/{script.stem}`"
    experiments.load(path).again()
    assert capsys.readouterr().out.startswith("✓")
    took = json.loads(path.read_text(encoding="utf-8"))["cpu minutes"]
    assert took <= 30  # 15 minutes on two cores
    chapter = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert f'load(\\"{path.name}\\")' in chapter and ".again(" in chapter
