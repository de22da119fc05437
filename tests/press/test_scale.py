"""How much stands behind a claim is read off the code (press/scale.py)."""

import json

from minigrad.lab.claims import CLAIM
from press.notebook import Notebook
from press.scale import scales
from small_book import code, notebook, shown

RESULTS = {
    "tuned": {"run": "train", "axes": {"lr": [0.1, 1.0], "epochs": [5, 60], "seed": [*range(20)]}},
    "long run": {"run": "toy", "axes": {"steps": [4000], "seed": [*range(8)]}},
}
SCRIPT = """\
from minigrad.lab import data

def network(rng):
    return data.digits()

def train(lr, epochs, seed):
    return network(seed)

def toy(steps, seed):
    return seed
"""


def scales_of(tmp_path, *cells):
    """The scales of a chapter that makes the claims that its last cell names."""
    (tmp_path / "a.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps({"results": RESULTS}), encoding="utf-8")
    *before, last = cells
    names = [line.split('"')[1] for line in last.splitlines() if line.startswith("claim(")]
    outputs = [shown(**{CLAIM: {"name": name, "verdict": "holds", "numbers": {}}}) for name in names]
    content = notebook(*map(code, before), code(last, outputs))
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return scales(Notebook(path))


def test_a_stored_result_says_seeds_lengths_and_data(tmp_path):
    found = scales_of(
        tmp_path,
        'stored = load("a.json")\nbest = stored["tuned"].best("lr")',
        "gain = best - 1",
        'claim("a", gain > 0)\nclaim("b", 1 < 2)',
    )
    assert found["a"].data == {"digits"} and found["a"].seeds == {20} and found["a"].stored
    assert found["a"].lengths == {"epochs": {5, 60}}
    assert not (found["b"].data or found["b"].seeds or found["b"].stored or found["b"].drawn)


def test_only_the_part_that_is_used_counts(tmp_path):
    found = scales_of(
        tmp_path,
        'stored = load("a.json")\nshort = stored["tuned"].at(epochs=5)\nother = stored["long run"]',
        'claim("a", short > 0)\nclaim("b", other > 0)',
    )
    assert found["a"].lengths == {"epochs": {5}}
    assert found["b"].lengths == {"steps": {4000}} and found["b"].seeds == {8}
    assert not found["b"].data


def test_a_name_that_is_bound_anew_forgets_what_it_was(tmp_path):
    found = scales_of(
        tmp_path,
        'stored = load("a.json")\nx = stored["tuned"]',
        "x = 3\ny = [x for x in (1, 2)]",
        'claim("a", x > 0)\nclaim("b", y[0] > 0)',
    )
    assert not found["a"].stored and not found["b"].stored


def test_a_result_named_in_a_loop_is_found(tmp_path):
    found = scales_of(
        tmp_path,
        'stored = load("a.json")\ndef of(kind):\n    return stored[f"{kind} run"]',
        'mean = {}\nfor kind in ("long",):\n    mean[kind] = of(kind)',
        'claim("a", mean["long"] > 0)',
    )
    assert found["a"].seeds == {8} and found["a"].lengths == {"steps": {4000}}


def test_runs_in_the_chapter_say_what_is_written_there(tmp_path):
    found = scales_of(
        tmp_path,
        "SEEDS = range(100, 112)\nrng = np.random.default_rng(0)\nx, y = data.iris()",
        "def fit(seed, epochs=6):\n    return x[rng.integers(9)]",
        "errors = [fit(seed) for seed in SEEDS]",
        'claim("a", errors[0] > 0)\nclaim("b", rng.random() > 0)',
    )
    assert found["a"].seeds == {12} and found["a"].lengths == {"epochs": {6}}
    assert found["a"].data == {"iris"} and found["a"].drawn and not found["a"].stored
    assert found["b"].drawn and not found["b"].seeds and not found["b"].data
