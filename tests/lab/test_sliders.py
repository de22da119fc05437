"""Sliders: the numbers that are stored say what `draw` draws, in every frame; the knobs say what they
are."""

import html
import json
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from minigrad.lab import figures, frames, sliders
from minigrad.lab.sliders import _label, _texts, slider
from moving import draw
from press.figures import in_edition, inline, pictures

ALT = '一条 <曲线> · A "curve"'


@pytest.fixture(autouse=True)
def no_figure_left(monkeypatch):
    monkeypatch.setenv("BOOK_FRAMES", "all")
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert not left


@pytest.fixture
def displayed(monkeypatch):
    """What cells would display: a list of mime bundles."""
    shown = []
    monkeypatch.setattr(sliders, "display", lambda bundle, raw: shown.append(bundle))
    return shown


def unpacked(data):
    """The coordinates of each mark in each frame, by undoing `minigrad.lab.frames`."""
    film = json.loads(data)
    for mark in film["marks"]:
        if "moves" not in mark:
            continue
        counts = mark["counts"]
        moves = np.array(mark["moves"]).reshape(*([1] * (2 - len(counts))), *counts, -1)
        if mark["guess"] & 2:
            values = moves.cumsum(axis=0).cumsum(axis=1)
        else:
            values = moves.copy()
            values[:, 0] = values[:, 0].cumsum(axis=0)
            values = values.cumsum(axis=1)
        if mark["guess"] & 1:
            for k in (0, 1):
                values[..., k::2] = values[..., k::2].cumsum(axis=2)
        if "base" in mark:
            base, column = np.cumsum(mark["base"]), np.array(mark["column"])
            full = np.broadcast_to(base, (*values.shape[:2], len(base))).copy()
            full[..., column >= 0] = values[..., column[column >= 0]]
            values = full
        mark["all"] = np.broadcast_to(
            values, (*([1] * (2 - len(counts))), *film["counts"], values.shape[-1])
        ).reshape(-1, values.shape[-1])
    for mark in film["marks"]:
        if "like" in mark:
            mark["all"] = film["marks"][mark["like"]]["all"]
    return film


def data_of(page):
    return re.search(r'<script type="application/json">(.*?)</script>', page)[1]


def near(points, line):
    """How far each of some points is from a line."""
    a, b = line[:-1], line[1:]
    chord = b - a
    along = ((points[:, None] - a) * chord).sum(2) / np.maximum((chord**2).sum(1), 1e-9)
    nearest = a + np.clip(along, 0, 1)[..., None] * chord
    return np.sqrt(((points[:, None] - nearest) ** 2).sum(2)).min(1)


@pytest.mark.parametrize("params, start", [
    ({"beta": [0, 0.5, 1, 2]}, {"beta": 0.5}),
    ({"beta": [0, 0.4, 2], "eta": [0.2, 0.5, 0.8, 1]}, {"beta": 2}),
])  # fmt: skip
def test_every_frame_is_what_draw_draws(params, start, displayed):
    slider(draw, ALT, start=start, **params)
    page = displayed[0]["text/html"]
    film = unpacked(data_of(page))
    wide, narrow = pictures(page)
    places = {int(k): (tag, rest) for tag, k, rest in re.findall(r'<(\w+) data-k="(\d+)"(.*?)>', wide)}
    assert sorted(places) == list(range(len(film["marks"])))
    assert {int(k) for k in re.findall(r'data-k="(\d+)"', narrow)} == set(places)

    shapes = list(np.ndindex(*film["counts"]))
    recorder = sliders._Film(draw)
    values = [dict(zip(params, (list(v)[i] for v, i in zip(params.values(), at)))) for at in shapes]
    first = shapes.index(tuple(list(v).index(start.get(k, v[0])) for k, v in params.items()))
    fresh = {first: recorder.shoot(values[first])}
    for i, value in enumerate(values):
        fresh.setdefault(i, recorder.shoot(value))
    order, shots = frames._aligned([fresh[i] for i in range(len(shapes))], first)
    moving = [n for n in order if not frames._is_still(
        n, shots[first].get(n) or next(s[n] for s in shots if n in s), [s.get(n) for s in shots])]
    assert len(moving) == len(film["marks"]) >= 6
    for name, mark in zip(moving, film["marks"], strict=True):
        for i, shot in enumerate(shots):
            which = mark.get("form", [0] * len(shots))[i]
            assert (which >= 0) == (name in shot)
            if which < 0 or "all" not in mark:
                continue
            real, told = shot[name].at.reshape(-1, 2), mark["all"][i].reshape(-1, 2)
            if shot[name].kind == "path" and set(shot[name].codes) <= set("ML"):
                assert near(real, told).max() <= figures.CLOSE + 1e-9
            else:
                assert np.array_equal(told[: len(real)], real)
                assert np.all(told[len(real) :] == real[-1])
            if shot[name].kind == "text" and "forms" in mark:
                assert mark["forms"][which]["en"] in shot[name].words
    assert displayed[0]["text/plain"].startswith("slider: " + ", ".join(params) + "\n")


def test_what_stays_is_stored_once(displayed):
    slider(draw, ALT, beta=[0, 0.5, 1, 2], eta=[0.2, 0.3, 0.4])
    film = json.loads(data_of(displayed[0]["text/html"]))
    assert sum("like" in mark for mark in film["marks"]) >= 1, "a line and its dots"
    assert any(mark.get("counts") == [4, 1] for mark in film["marks"]), "the title's knob is beta"
    wide, _ = pictures(displayed[0]["text/html"])
    assert wide.count("<path") > 12 and wide.count(' data-k="') < 0.4 * wide.count("<")


def test_it_is_light(displayed):
    slider(draw, ALT, beta=np.linspace(0, 2, 12).tolist(), eta=np.linspace(0.1, 1, 12).tolist())
    assert len(displayed[0]["text/html"]) < 60_000


def test_the_html_says_what_it_is(displayed):
    labels = {"eta": "步 · step"}
    slider(draw, ALT, beta=[-0.5, 0.25], eta=[0.1, 0.2, 0.5], labels=labels, start={"eta": 0.45},
           caption="试一试。 · Try it.")  # fmt: skip
    page = displayed[0]["text/html"]
    inputs = re.findall(r"<input .*?>", page)
    assert [json.loads(html.unescape(re.search("data-values='(.*?)'", i)[1])) for i in inputs] == [
        ["−0.5", "0.25"], ["0.1", "0.2", "0.5"]
    ]  # fmt: skip
    assert [re.search(r'max="(\d)" value="(\d)".*valuetext="(.*?)"', i).groups() for i in inputs
            ] == [("1", "0", "−0.5"), ("2", "2", "0.5")]  # fmt: skip
    assert re.findall(r"<output>(.*?)</output>", page) == ["−0.5", "0.5"]
    assert page.count('data-lang="zh"') == page.count('data-lang="en"')
    assert "<span>β</span>" in page and 'lang="zh">步</span>' in page
    assert '<figcaption><span data-lang="zh" lang="zh">试一试。' in page
    kept = in_edition(re.sub('<span data-lang="zh".*?</span>', "", page), "en")
    assert 'alt="A &quot;curve&quot;"' in kept and "一条" not in kept
    assert '"en":' not in data_of(kept) and "point" in inline(kept) and "点" not in inline(kept)


def test_names_are_buttons(displayed):
    def shown(direction, beta):
        draw(beta if direction == "forward" else 1 - beta)

    slider(shown, ALT, direction=["forward", "back"], beta=[0, 0.5, 1], start={"direction": "back"})
    page = displayed[0]["text/html"]
    radios = re.findall(r'<input type="radio" name="(.*?)" value="(\d)".*?(checked)?> (\w+)', page)
    assert len({name for name, *_ in radios}) == 1
    assert [rest for _, *rest in radios] == [["0", "", "forward"], ["1", "checked", "back"]]
    assert page.count('type="range"') == 1 and "<legend>direction</legend>" in page


def test_a_point_can_be_grabbed(displayed):
    def shown(beta):
        draw(beta)
        plt.gcf().axes[0].plot(beta / 3, 0.2, "o", color="white", gid="grab")

    slider(shown, ALT, beta=[0, 1, 2])
    film = unpacked(data_of(displayed[0]["text/html"]))
    across = film["marks"][film["grab"]]["all"][:, 0]
    assert across[0] < across[1] < across[2]
    for svg in pictures(displayed[0]["text/html"]):
        assert f'<path data-k="{film["grab"]}" class="grab"' in svg


def test_it_is_the_same_every_time_and_needs_nothing_afterwards(displayed):
    where = {"draw": draw, "drawn": 0}

    def counted(beta):
        where["drawn"] += 1
        where["draw"](beta)

    slider(counted, ALT, beta=[0, 1])
    slider(counted, ALT, beta=[0, 1])
    assert where["drawn"] == 4 and displayed[0] == displayed[1]
    slider(counted, ALT, beta=[0, 2])
    one, other = (re.search(' id="(.*?)"', shown["text/html"])[1] for shown in displayed[1:])
    assert one != other


def test_a_notebook_has_the_script_and_a_page_has_it_as_a_file(displayed, monkeypatch):
    slider(draw, ALT, beta=[0, 1])
    for name in ("BOOK_EXECUTE", "PYTEST_VERSION"):
        monkeypatch.delenv(name, raising=False)
    slider(draw, ALT, beta=[0, 1])
    stored, live = (shown["text/html"] for shown in displayed)
    assert live.startswith(stored) and "bookSliders" in live and "bookSliders" not in stored


def test_a_test_draws_three_frames(displayed, monkeypatch):
    monkeypatch.delenv("BOOK_FRAMES")
    drawn = []

    def counted(beta):
        drawn.append(beta)
        draw(beta)

    slider(counted, ALT, beta=list(range(9)), start={"beta": 3})
    assert drawn == [3, 0, 4, 8]


def resized(beta):
    plt.figure(figsize=(3, 2 + beta)).add_subplot()


def unfixed(beta):
    plt.subplots()[1].plot([0, beta])


def renamed(beta):
    plt.subplots()[1].set_xlabel(f"{beta}")


@pytest.mark.parametrize("arguments, message", [
    (dict(alt={"zh": "图", "en": "figure"}, beta=[0, 1]), "alt"),
    (dict(alt=" ", beta=[0, 1]), "alt"),
    (dict(alt=ALT, caption={"zh": "图", "en": "figure"}, beta=[0, 1]), "caption"),
    (dict(alt=ALT), "one or two"),
    (dict(alt=ALT, beta=[0, 1], eta=[0, 1], rho=[0, 1]), "one or two"),
    (dict(alt=ALT, beta=[1]), "two or more"),
    (dict(alt=ALT, beta=[1, 1]), "two or more"),
    (dict(alt=ALT, beta=range(101)), "101 frames"),
    (dict(alt=ALT, beta=range(21), eta=range(20)), "420 frames"),
    (dict(alt=ALT, beta=["a", "b"], start={"beta": "c"}), "start"),
    (dict(alt=ALT, beta=[0, 1], start={"rho": 0}), "start"),
    (dict(alt=ALT, draw=lambda beta: None, beta=[0, 1]), "no figure"),
    (dict(alt=ALT, draw=resized, beta=[0, 1]), "limits or labels"),
    (dict(alt=ALT, draw=unfixed, beta=[1, 2]), "limits or labels"),
    (dict(alt=ALT, draw=renamed, beta=[1, 2]), "limits or labels"),
])  # fmt: skip
def test_slider_refuses(arguments, message, displayed):
    with pytest.raises(ValueError, match=message):
        slider(**({"draw": draw} | arguments))
    plt.close("all")
    assert not displayed


def test_names_and_values_on_knobs():
    names = ["beta1", "lambda_", "eta", "lr", "k", "sigma2_", "optimizer"]
    assert [_label(name) for name in names] == ["β₁", "λ", "η", "lr", "k", "σ₂", "optimizer"]
    assert _texts([0.1 + 0.2, 1e-5, -2, 1000]) == ["0.3", "1e−5", "−2", "1000"]
    assert _texts([0.9985, 0.999]) == ["0.9985", "0.999"], "as many digits as tell them apart"
    assert _texts(["adam", "sgd"]) == ["adam", "sgd"]
