"""Chapters are run, and what is written is the same on every machine (press/execute.py)."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from press.execute import as_text, canonical, execute, main, parse
from press.notebook import ROOT

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
slider(draw, "图 · figure", k=[0, 1, 2])""",
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
    assert "".join(printed["text"]) == "one\ntwo\n✓ eq:a  |Δ| ≤ 10⁻¹²\n"
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
def test_nbval_passes_with_other_kernels_and_threads(executed, core, threads):
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
