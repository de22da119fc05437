"""A chapter is a pair of files: the text that people edit, and the notebook that is made from it."""

import difflib
import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from jupytext.sync_contentsmanager import build_sync_jupytext_contents_manager_class

from press.execute import as_text, canonical, main, parse, source
from press.lint import lint
from press.notebook import CHAPTERS, ROOT, Notebook, notebooks, sources

PAGES = sources(CHAPTERS)


def test_every_notebook_has_its_text():
    assert [path.with_suffix(".ipynb") for path in PAGES] == notebooks(CHAPTERS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_text_gives_back_the_cells(path):
    notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    assert source(parse(as_text(notebook))) == source(notebook)


AUTHORED = """\
---
book:
  omits: {slider: nothing moves}
---
+++ {"tags": ["lang-zh"]}

# 标题

+++ {"tags": ["lang-en"]}

# Title

```{code-cell} ipython3
:tags: [hide-input]
:alt: {"zh": "一条线", "en": "A line"}

import minigrad.lab
import matplotlib.pyplot as plt

plt.plot([0, 1])
plt.show()
```

```{code-cell} ipython3
for _ in range(2):
    print("told")
```
"""
PARAGRAPH = """\
+++ {"tags": ["lang-zh"]}

又一段。

+++ {"tags": ["lang-en"]}

One paragraph more.

"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "draft.md"
    path.write_text(AUTHORED, encoding="utf-8")
    assert main([str(path)]) == 0
    return path


@pytest.fixture
def pair(made, tmp_path):
    for suffix in (".md", ".ipynb"):
        shutil.copy(made.with_suffix(suffix), tmp_path)
    shutil.copy(CHAPTERS / "jupytext.toml", tmp_path)
    return tmp_path / "draft.md"


def test_a_chapter_is_written_as_text(pair):
    notebook = json.loads(pair.with_suffix(".ipynb").read_text("utf-8"))
    assert notebook["metadata"]["book"] == {"omits": {"slider": "nothing moves"}}
    assert [cell["metadata"] for cell in notebook["cells"]] == [
        {"tags": ["lang-zh"]},
        {"tags": ["lang-en"]},
        {"alt": {"zh": "一条线", "en": "A line"}, "tags": ["hide-input"]},
        {},
    ]
    assert "text/html" in notebook["cells"][2]["outputs"][0]["data"]
    assert "jupytext" not in pair.read_text("utf-8") and "kernelspec" not in pair.read_text("utf-8")


def test_a_paragraph_more_is_one_hunk_and_leaves_the_other_cells(pair, capsys):
    text = CHAPTERS / "optimizers" / "adam.md"
    for suffix in (".md", ".ipynb"):
        shutil.copy(text.with_suffix(suffix), pair.with_suffix(suffix))
    before = [file.read_text("utf-8") for file in (pair, pair.with_suffix(".ipynb"))]
    place = [found.start() for found in re.finditer(r'^\+\+\+ \{"tags": \["lang-zh"', before[0], re.M)][5]
    pair.write_text(before[0][:place] + PARAGRAPH + before[0][place:], encoding="utf-8")
    assert "in-step" in {fault.rule for fault in lint(pair.with_suffix(".ipynb"))}
    assert main(["--keep", str(pair)]) == 0
    after = [file.read_text("utf-8") for file in (pair, pair.with_suffix(".ipynb"))]
    for one, other in zip(before, after):
        changes = list(difflib.unified_diff(one.split("\n"), other.split("\n"), n=0))[2:]
        assert sum(line.startswith("@@") for line in changes) == 1
    ids = [{cell["id"] for cell in json.loads(text)["cells"]} for text in (before[1], after[1])]
    assert ids[0] < ids[1] and len(ids[1]) == len(ids[0]) + 2
    assert "in-step" not in {fault.rule for fault in lint(pair.with_suffix(".ipynb"))}


def test_outputs_are_kept_only_while_the_code_is_the_same(pair, capsys):
    before = pair.read_text("utf-8")
    pair.write_text(before.replace("Title", "A title"), encoding="utf-8")
    assert main(["--keep", str(pair)]) == 0
    assert "A title" in pair.with_suffix(".ipynb").read_text("utf-8")
    pair.write_text(before.replace("told", "said"), encoding="utf-8")
    assert main(["--keep", str(pair)]) == 1
    assert "this code is new" in capsys.readouterr().err
    assert "A title" in pair.with_suffix(".ipynb").read_text("utf-8")


@pytest.mark.parametrize("change", [
    ("又一段", "又一段"), ("# Title", "# A title"), ("told", "said"), ("range(2)", "range(3)"),
    ("lang-en", "lang-fr"), ("A line", "A curve"), ("nothing moves", "no"),
    ("print(", "1\n```\n\n```{code-cell} ipython3\nprint("),
])  # fmt: skip
def test_the_pair_is_held_together(pair, change):
    pair.write_text(pair.read_text("utf-8").replace(*change), encoding="utf-8")
    changed = change[0] != change[1]
    assert ("in-step" in {fault.rule for fault in lint(pair.with_suffix(".ipynb"))}) is changed


def test_the_pair_needs_both(pair):
    pair.unlink()
    assert "in-step" in {fault.rule for fault in lint(pair.with_suffix(".ipynb"))}


@pytest.mark.parametrize("opened", ["draft.md", "draft.ipynb"])
def test_jupyterlab_saves_both(pair, opened):
    """Its contents manager reads chapters/jupytext.toml, whatever is opened."""
    manager = build_sync_jupytext_contents_manager_class(LargeFileManager)()
    manager.root_dir = str(pair.parent)
    model = manager.get(opened, type="notebook")
    cells = model["content"].cells
    assert "text/html" in cells[2].outputs[0].data
    cells[1].source = "# Edited"
    cells[3].outputs[0].text = "run again\n"
    manager.save(model, opened)
    notebook = nbformat.read(pair.with_suffix(".ipynb"), as_version=4)
    assert notebook.cells[1].source == "# Edited"
    assert notebook.cells[3].outputs[0].text == "run again\n"
    assert pair.read_text("utf-8") == as_text(notebook)  # as the executor writes it
    assert source(notebook) == source(parse(pair.read_text("utf-8")))
    before = Notebook(pair.with_suffix(".ipynb")).text
    assert canonical(notebook) != before  # until it is run again


def test_nbval_does_not_import_what_lies_beside_a_chapter(pair):
    (pair.parent / "experiment.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    recipe = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    (options,) = re.findall(r"^NBVAL := .* -m pytest (.*--nbval .*) -n 2", recipe, re.M)
    options = options.replace("$(CURDIR)", str(ROOT)).split()
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(pair.parent)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert "2 passed" in result.stdout and result.returncode == 0, result.stdout + result.stderr
