"""The helpers that chapters call: checks, claims, sliders, figures, problems, data, execution."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError

from minigrad import init, lab, losses, norms, optim
from minigrad.lab import check, check_close, data, plots, problems, style, training
from press.execute import as_text, canonical, execute, main, parse
from press.notebook import ROOT, notebooks

ALT = {"zh": "一条 <曲线>", "en": 'A "curve"'}
rng = np.random.default_rng


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert not left


@pytest.fixture
def displayed(monkeypatch):
    """What cells would display: a list of mime bundles."""
    shown = []

    def display(thing, raw=False):
        shown.append(thing if raw else {"text/html": thing.data})

    monkeypatch.setattr(sys.modules["minigrad.lab.claims"], "display", display)
    return shown


# -- check


def test_check_prints_the_label(capsys):
    check("eq:a", True)
    check("eq:b", np.array([True, True]))
    check_close("eq:c", [1.0, 2.0], [1.0, 2.0 + 1e-13])
    check_close("eq:d", [1000.0, 1000.5], 1000.0, tol=1e-3)  # scaled by |want|, scalar want
    assert capsys.readouterr().out.splitlines() == [
        "✓ eq:a", "✓ eq:b", "✓ eq:c  |Δ| ≤ 1e-12", "✓ eq:d  |Δ| ≤ 0.001"
    ]  # fmt: skip


@pytest.mark.parametrize("condition", [False, np.bool_(False), np.array([True, False])])
def test_check_raises(condition, capsys):
    with pytest.raises(AssertionError, match="eq:a"):
        check("eq:a", condition)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("condition", [1, 0.5, "yes", None, np.array([]), [], np.zeros(0, bool)])
def test_check_refuses_what_is_no_truth_value(condition):
    with pytest.raises(TypeError, match="eq:a"):
        check("eq:a", condition)


@pytest.mark.parametrize("got, want, tol", [
    (1.0, 1.1, 1e-3),
    (np.nan, 1.0, 1.0),
    (1.0, np.nan, 1.0),
    (np.inf, 1.0, 1.0),
    ([1.0, 2.0], [1.0, 2.1], 1e-2),
    (0.1, 0.0, 1e-2),
    (1e-3, 0.0, 1e-4),  # small numbers are not compared relative to themselves
])  # fmt: skip
def test_check_close_raises_with_the_difference(got, want, tol, capsys):
    with pytest.raises(AssertionError, match=r"eq:a: \|difference\| is"):
        check_close("eq:a", got, want, tol)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("got, want", [([1, 2], [1, 2, 3]), ([[1], [2]], [1, 2]), ([], [])])
def test_check_close_refuses_misfits(got, want):
    with pytest.raises(ValueError, match="eq:a"):
        check_close("eq:a", got, want)


def test_check_close_takes_tensors():
    minigrad = pytest.importorskip("minigrad")
    x = minigrad.Tensor([1.0, 2.0], requires_grad=True)
    check_close("eq:a", x * 2, np.array([2.0, 4.0]))
    check_close("eq:a", np.array([2.0, 4.0]), x * 2)


def test_checkpoints_of_jupyterlab_are_no_notebooks(tmp_path):
    book = nbformat.v4.new_notebook()
    left = tmp_path / "part" / ".ipynb_checkpoints" / "a-checkpoint.ipynb"
    left.parent.mkdir(parents=True)
    for path in (tmp_path / "part" / "a.ipynb", left):
        nbformat.write(book, path)
    assert notebooks(tmp_path) == notebooks(tmp_path / "part", left) == [tmp_path / "part/a.ipynb"]
    # Nothing else looks for notebooks in folders, so nothing else can find a checkpoint.
    seekers = [path.name for path in (ROOT / "press").rglob("*.py")
               if re.search(r"glob\(.*ipynb|ipynb_checkpoints", path.read_text("utf-8"))]  # fmt: skip
    assert seekers == ["notebook.py"]


# -- figures


def test_styles_are_known_and_told_apart():
    assert set(style.color) == set(style._dashes)
    compared = [
        "sgd momentum nesterov adagrad rmsprop adam adamw amsgrad",
        "adam adamw adamax nadam radam amsgrad adabound lamb lion muon sophia",
        "sigmoid tanh relu leaky-relu elu selu gelu silu mish softplus",
        "batch-norm layer-norm rms-norm group-norm instance-norm no-norm",
        "lecun xavier he orthogonal normal", "mha gqa mqa", "train validation test",
        "relu gelu glu bilinear reglu geglu swiglu", "gradient-descent newton bfgs l-bfgs cg",
    ]  # fmt: skip
    for names in map(str.split, compared):
        looks = [(style.color[name], style._dashes[name]) for name in names]
        assert len(set(map(str, looks))) == len(names)
    with pytest.raises(KeyError, match="adamm.*style.py"):
        style.line("adamm")
    assert style.line("adam", label="x")["label"] == "x"


def linear(color):
    """Linear RGB of a hexadecimal colour, or of an array of sRGB."""
    if isinstance(color, str):
        color = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    color = np.asarray(color)
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


# Linear RGB as seen without one kind of cone (Machado, Oliveira & Fernandes 2009, severity 1).
COLOUR_BLIND = {
    "none": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
OKLAB = (
    np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]),
    np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]),
)


@pytest.mark.parametrize("sight", COLOUR_BLIND)
def test_palette_is_told_apart(sight):
    colors = np.array([linear(c) for c in style.palette.values()])
    seen = np.clip(colors @ np.array(COLOUR_BLIND[sight]).T, 0, 1)
    lab = np.cbrt(seen @ OKLAB[0].T) @ OKLAB[1].T
    distance = np.linalg.norm(lab[:, None] - lab, axis=2) + np.eye(len(lab))
    one, two = np.unravel_index(distance.argmin(), distance.shape)
    names = list(style.palette)
    assert distance.min() > 0.09, (names[one], names[two], distance.min())


# -- problems

PROBLEMS = [
    problems.ravine(), problems.ravine(100, 0.6), problems.rosenbrock(), problems.saddle(),
    problems.beale(), problems.plateau(), problems.two_minima(),
]  # fmt: skip
by_name = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def test_values_at_the_start():
    values = [problem.f(problem.start) for problem in PROBLEMS]
    by_hand = [18, 58, 24.2, 1.62 - 5e-7, 41.25, 20 / 21, 3.2336]
    np.testing.assert_allclose(values, by_hand, rtol=1e-12)


@by_name
def test_gradient_against_finite_differences(problem):
    points = [problem.start, problem.minimum, *rng(0).uniform(-1.5, 1.5, (5, 2))]
    for x in points:
        h = 1e-5
        numeric = [(problem.f(x + e) - problem.f(x - e)) / (2 * h) for e in h * np.eye(2)]
        np.testing.assert_allclose(problem.gradient(x), numeric, rtol=1e-6, atol=1e-6)


@by_name
def test_minimum_is_one(problem):
    np.testing.assert_allclose(problem.gradient(problem.minimum), 0, atol=1e-13)
    left, right, bottom, top = problem.bounds
    grid = np.stack(np.meshgrid(np.linspace(left, right, 81), np.linspace(bottom, top, 81)), -1)
    assert problem.f(problem.minimum) <= problem.f(grid).min()
    assert problem.f(grid).shape == (81, 81)
    for x, y in (problem.start, problem.minimum):
        assert left < x < right and bottom < y < top
    assert np.linalg.norm(problem.gradient(problem.start)) > 0


@by_name
def test_problem_takes_tensors(problem):
    minigrad = pytest.importorskip("minigrad")
    x = minigrad.Tensor(problem.start, requires_grad=True)
    y = problem.f(x)
    y.backward()
    np.testing.assert_allclose(y.data, problem.f(problem.start), rtol=1e-15)
    np.testing.assert_allclose(x.grad, problem.gradient(problem.start), rtol=1e-12)


@pytest.mark.parametrize("angle", [0, 0.7, 2])
def test_ravine_has_its_condition_number(angle):
    problem = problems.ravine(50, angle)
    hessian = np.stack([problem.gradient(e) for e in np.eye(2)])  # of a quadratic
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [1, 50])
    floor = np.array([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(hessian @ floor, floor, atol=1e-13)
    np.testing.assert_allclose(problem.f(problem.start), (4**2 + 50 * 1**2) / 2)


def test_saddle_and_second_minimum():
    np.testing.assert_array_equal(problems.saddle().gradient([0, 0]), 0)
    two = problems.two_minima()
    poor = np.array([max(np.roots([4, 0, -4, 0.3]).real), 0])
    np.testing.assert_allclose(two.gradient(poor), 0, atol=1e-13)
    assert two.f(poor) > two.f(two.minimum) + 0.5
    with pytest.raises(ValueError, match="tilt"):
        problems.two_minima(2)
    assert set(problems.all_problems()) == {"ravine", "Rosenbrock", "saddle", "Beale", "plateau"}


def test_noisy_quadratic():
    x, generator = np.array([2.0, -3.0]), rng(0)
    samples = np.array([problems.noisy_quadratic(x, generator, (1, 0.1), 2) for _ in range(20_000)])
    want = (1 * (4 + 4) + 0.1 * (9 + 4)) / 2  # ½ Σ h (x² + σ²)
    assert abs(samples.mean() - want) < 4 * samples.std() / np.sqrt(20_000)


def test_reddi():
    assert [problems.reddi(0.5, t) for t in range(1, 7)] == [2, -0.5, -0.5] * 2
    x, v, c = 0.0, 0.0, 4.0  # Adam with β1 = 0 and the theorem's β2 ends at the worst point
    for t in range(1, 3001):
        g = c if t % 3 == 1 else -1.0
        v = v / (1 + c**2) + (1 - 1 / (1 + c**2)) * g**2
        x = np.clip(x - 0.1 / np.sqrt(t) * g / np.sqrt(v), -1, 1)
    assert x > 0.9
    with pytest.raises(ValueError, match="above 2"):
        problems.reddi(0.5, 1, c=2)


# -- data


def test_real_data():
    x, y = data.iris()
    assert x.shape == (150, 4) and np.bincount(y).tolist() == [50, 50, 50]
    x, y = data.digits()
    assert x.shape == (1797, 64) and x.min() == 0 and x.max() == 1 and set(y) == set(range(10))


def test_texts():
    english, pinyin = data.texts()
    assert (len(english), len(pinyin)) == (1420, 1282)
    assert set(english + pinyin) == set("abcdefghijklmnopqrstuvwxyz ")
    assert english.startswith("four score and seven years ago our fathers ")
    assert english.endswith(" shall not perish from the earth")
    assert pinyin.startswith("jin tai yuan zhong ") and pinyin.endswith(" wu wen jin zhe")
    assert "  " not in english + pinyin


@pytest.mark.parametrize("make, classes", [
    (data.two_moons, 2), (data.blobs, 3), (data.spirals, 3),
])  # fmt: skip
def test_made_data(make, classes):
    (x, y), (again, _), (other, _) = (make(60, rng=rng(seed)) for seed in (0, 0, 1))
    assert x.shape == (60, 2) and np.bincount(y).tolist() == [60 // classes] * classes
    np.testing.assert_array_equal(x, again)
    assert (x != other).any()


def test_shapes_of_made_data():
    x, y = data.two_moons(400, 0, rng=rng(0))
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1, 0.5]).T), 1)
    assert (x[y == 0, 1] >= 0).all() and (x[y == 1, 1] <= 0.5).all()
    x, y = data.spirals(300, noise=0, rng=rng(0))
    turned = np.arctan2(*x.T[::-1]) - 4 * np.hypot(*x.T) - 2 * np.pi * y / 3
    np.testing.assert_allclose(np.cos(turned), 1)


def test_split_and_standardize():
    x, y = data.iris()
    (a, ya), (b, yb) = data.split(x, y, 0.8, rng=rng(0))
    assert np.bincount(ya).tolist() == [40] * 3 and np.bincount(yb).tolist() == [10] * 3
    assert sorted(map(tuple, np.vstack([a, b]))) == sorted(map(tuple, x))
    a, b = data.standardize(a, b)
    np.testing.assert_allclose(a.mean(0), 0, atol=1e-13)
    np.testing.assert_allclose(a.std(0), 1)
    assert np.abs(b.mean(0)).max() > 1e-3  # by the statistics of the first
    assert np.array_equal(data.standardize(np.ones((3, 1))), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="fraction"):
        data.split(x, y, 1.0, rng=rng(0))


def test_batches():
    parts = data.batches(10, 4, rng=rng(0))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert sorted(np.concatenate(parts)) == list(range(10)) != np.concatenate(parts).tolist()
    with pytest.raises(ValueError, match="size"):
        data.batches(10, 0, rng=rng(0))


# -- plots


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


# -- execution

SOURCES = [
    """import sys
import matplotlib.pyplot as plt
import numpy as np
from minigrad.lab import check_close, claim, slider, style
x = np.random.default_rng(0).normal(size=(300, 300))
print("one")
print("progress 1", end="\\r"); print("progress 2", end="\\r"); print("\\r", end="")
print("two")
check_close("eq:a", np.linalg.norm(x @ x), np.sqrt(((x @ x) ** 2).sum()))""",
    """plt.plot(np.tanh(x @ x)[0])
plt.xlabel("步 · step")
plt.show()""",
    """def draw(k):
    plt.subplots()[1].plot((x @ x)[k])
    plt.gca().set(xlim=(0, 300), ylim=(-60, 60))
slider(draw, {"zh": "图", "en": "figure"}, k=[0, 1, 2])""",
    """claim("norm", np.linalg.norm(x) > 1, norm=np.linalg.norm(x @ x))
{"b": 1, "a": 2}""",
]


def notebook_file(path, sources=SOURCES):
    cells = [nbformat.v4.new_markdown_cell("# 标题", metadata={"tags": ["lang-zh"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells[1].metadata = {"collapsed": True, "execution": {"iopub.status.busy": "now"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {}, "toc": {}})
    path.with_suffix(".md").write_text(as_text(notebook), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    path = notebook_file(tmp_path_factory.mktemp("executed") / "a.ipynb")
    assert main([str(path)]) == 0
    return path


def test_execution_is_canonical(executed):
    text = executed.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert text.endswith("}\n") and "标题" in text and "widget" not in text
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert "version" not in notebook["metadata"]["language_info"]
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == 5
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2, 3, 4]
    assert cells[1]["metadata"] == {}
    (printed,) = cells[1]["outputs"]
    assert "".join(printed["text"]) == "one\ntwo\n✓ eq:a  |Δ| ≤ 1e-12\n"
    (figure,) = cells[2]["outputs"]
    assert set(figure["data"]) == {"text/html", "text/plain"}
    (knob,) = cells[3]["outputs"]
    assert set(knob["data"]) == {"text/html", "text/plain"}
    assert cells[4]["outputs"][1]["execution_count"] == 4


def test_execution_does_not_depend_on_the_machine(tmp_path, monkeypatch):
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "7")
    names = "['OPENBLAS_CORETYPE', 'OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS']"
    source = f"import os\nprint(*(os.environ[name] for name in {names}), os.getcwd())"
    path = notebook_file(tmp_path / "a.ipynb", ["", source]).with_suffix(".md")
    assert f"Haswell 1 1 {tmp_path}" in asyncio.run(execute(path))[1]


def test_running_twice_changes_no_byte(executed, capsys):
    before = executed.read_bytes()
    assert main([str(executed)]) == 0
    assert executed.read_bytes() == before
    assert "same" in capsys.readouterr().out
    assert canonical(nbformat.read(executed, as_version=4)).encode() == before


def test_measured_times_are_kept_until_their_code_changes(tmp_path):
    path = notebook_file(tmp_path / "times.ipynb", ["import time", "print(time.time_ns())"])

    def run(*options, source=None):
        text = path.with_suffix(".md")
        notebook = parse(text.read_text(encoding="utf-8"))
        notebook.cells[2].metadata["tags"] = ["nbval-ignore-output"]
        notebook.cells[2].source = source or notebook.cells[2].source
        text.write_text(as_text(notebook), encoding="utf-8")
        assert main([*options, str(path)]) == 0
        return path.read_bytes()

    first = run()
    assert run() == first
    assert len({first, run("--measure"), run(source="print(-time.time_ns())")}) == 3


def test_check_mode_writes_nothing(executed, tmp_path, capsys):
    stale = tmp_path / "stale.ipynb"
    before = executed.read_text(encoding="utf-8").replace('"one\\n"', '"uno\\n"')
    stale.write_text(before, encoding="utf-8")
    shutil.copy(executed.with_suffix(".md"), stale.with_suffix(".md"))
    assert main(["--check", str(stale)]) == 1
    assert stale.read_text(encoding="utf-8") == before
    assert "make notebooks" in capsys.readouterr().err


def test_failing_cell_is_told_and_nothing_written(tmp_path, capsys):
    path = notebook_file(tmp_path / "bad.ipynb", ["x = 1", "raise ValueError('why it failed')"])
    assert main([str(path)]) == 1
    captured = capsys.readouterr()
    assert "failed" in captured.out and "why it failed" in captured.err
    assert not path.exists()
    with pytest.raises(CellExecutionError):
        asyncio.run(execute(path.with_suffix(".md")))
    with pytest.raises(SystemExit):
        main([str(tmp_path / "absent.ipynb")])


def nbval(*paths, **environment):
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "--color=no",
               "--nbval-sanitize-with", str(ROOT / "press" / "nbval.cfg"), *map(str, paths)]  # fmt: skip
    result = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    return re.findall(r"^([.F]+) ", result.stdout, re.M), result.stdout


@pytest.mark.parametrize("core, threads", [("Haswell", "1"), ("Prescott", "2")])
def test_nbval_passes_whatever_the_processor(executed, core, threads):
    outcomes, text = nbval(executed, OPENBLAS_CORETYPE=core, OPENBLAS_NUM_THREADS=threads,
                           OMP_NUM_THREADS=threads)  # fmt: skip
    assert outcomes == ["...."], text


def test_nbval_notices_what_changed(executed, tmp_path):
    text = executed.read_text(encoding="utf-8")
    another_word = text.replace('"步 · step\\n"', '"步 · stop\\n"')
    another_value = text.replace('"0 1 2\\n"', '"0 1 5\\n"')
    another_line = text.replace('"two\\n"', '"three\\n"')
    another_verdict = text.replace('"verdict": "holds"', '"verdict": "fails"')
    another_number = re.sub(r'"norm": \d+', '"norm": 7', text)
    changed = [another_word, another_value, another_line, another_verdict, another_number]
    assert len({text, *changed}) == 6
    for name, content in zip("abcde", changed):
        (tmp_path / f"{name}.ipynb").write_text(content, encoding="utf-8")
    outcomes, text = nbval(*sorted(tmp_path.iterdir()))
    assert "".join(outcomes) == ".F.." + "..F." + "F..." + "...F" + "...F", text


def test_the_engine_imports_neither_lab_nor_press():
    wrong = re.compile(r"^\s*(from|import) (press|minigrad\.lab|\.+lab)\b", re.M)
    for source in Path(ROOT, "minigrad").rglob("*.py"):
        if "lab" not in source.parts:
            assert not wrong.search(source.read_text("utf-8")), source
        assert not re.search(r"^\s*(from|import) press\b", source.read_text("utf-8"), re.M), source
    assert set(lab.__all__) == {
        "check", "check_close", "claim", "language", "record", "slider", "table"
    }  # fmt: skip


# -- training


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
