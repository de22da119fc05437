"""Which files are notebooks (press/notebook.py)."""

import re

import nbformat

from press.notebook import ROOT, notebooks


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
