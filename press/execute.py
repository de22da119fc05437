"""Run notebooks and write them in canonical form.

Canonical means that equal content is equal bytes: cell ids ``cell-0, cell-1, …``, execution counts
1…n, outputs without times or widget state, one output per stream, sorted keys. Running twice
changes no byte: measured times, which differ from run to run, are in cells tagged
``nbval-ignore-output``, whose output is kept until their code changes or ``--measure`` is given.
Without paths, every notebook below ``chapters/`` is run; ``--check`` writes nothing and fails if a
notebook would change.

Writing a chapter as text
-------------------------
Any editor of notebooks will do. To write text instead, use Jupytext's MyST format and convert::

    jupytext --to ipynb draft.md -o chapters/optimizers/adam.ipynb
    python -m press.execute chapters/optimizers/adam.ipynb

In it, a line ``+++ {"tags": ["lang-zh"]}`` begins a Markdown cell, and a code cell is

.. code-block:: text

    ```{code-cell} ipython3
    :tags: [hide-input]
    :alt: {"zh": "一条抛物线", "en": "A parabola"}

    plt.plot(x, x**2)
    plt.show()
    ```

where ``alt`` is for cells whose output has a figure. ``jupytext --to md:myst`` goes back.
"""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from .notebook import CHAPTERS, notebooks

# The last digits of a matrix product depend on the BLAS kernel and on how many threads share the
# sum. Fixing both makes figures the same on every machine that has this kernel.
ENVIRONMENT = {
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "BOOK_EXECUTE": "1",  # nobody watches: no progress line
}
CELL_SECONDS = 120  # a chapter must run in 20 s, so a cell that takes this long hangs

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
_CELL_METADATA = ("alt", "tags", "mystnb")  # what the book reads; the rest is left by editors
_WIDGETS = ("application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json")


def canonical(notebook):
    """The canonical text of an executed notebook (an ``nbformat`` node, which is not changed)."""
    cells = []
    count = 0
    for number, cell in enumerate(notebook.cells):
        new = {
            "cell_type": cell.cell_type,
            "id": f"cell-{number}",
            "metadata": {k: v for k, v in cell.metadata.items() if k in _CELL_METADATA and v},
            "source": cell.source.rstrip(),
        }
        if cell.cell_type == "code":
            if cell.execution_count is not None:
                count += 1
            new["execution_count"] = None if cell.execution_count is None else count
            new["outputs"] = [_output(output, count) for output in cell.outputs]
        cells.append(new)
    book = {"book": notebook.metadata.book} if "book" in notebook.metadata else {}
    new = {"cells": cells, "metadata": _METADATA | book, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.writes(nbformat.from_dict(new)).rstrip("\n") + "\n"


def _output(output, count):
    output = dict(output)
    if "data" in output:
        # The widget belongs to a kernel that is gone; text/html is the form for the page.
        output["data"] = {k: v for k, v in output["data"].items() if k not in _WIDGETS}
    if "execution_count" in output:
        output["execution_count"] = count
    output.pop("transient", None)
    return output


async def execute(path, *, measure=False):
    """Run the notebook at ``path`` in its folder; return its canonical text.

    Args:
        measure: replace also the measured times of cells whose code is unchanged.

    Raises:
        CellExecutionError: if a cell raises. Nothing is written.
    """
    notebook = nbformat.read(path, as_version=4)
    measured = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if cell.outputs and _is_measured(cell) and not measure:
                measured[cell.source.rstrip()] = cell.outputs
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # no warning about TCP for each kernel
        timeout=CELL_SECONDS,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(Path(path).parent)}},
    )
    await client.async_execute(env=os.environ | ENVIRONMENT)
    for cell in notebook.cells:
        if cell.cell_type == "code" and _is_measured(cell):
            cell.outputs = measured.get(cell.source.rstrip(), cell.outputs)
    return canonical(notebook)


def _is_measured(cell):
    return "nbval-ignore-output" in cell.metadata.get("tags", [])


async def run(paths, *, check=False, measure=False, jobs=2):
    """Execute notebooks, ``jobs`` at a time, telling the progress; return how many failed."""
    gate, done, failed = asyncio.Semaphore(jobs), 0, 0

    async def one(path):
        nonlocal done, failed
        async with gate:
            began, problem = time.perf_counter(), None
            try:
                text = await execute(path, measure=measure)
                changed = text != path.read_text(encoding="utf-8")
                if changed and check:
                    problem = "running it changes the file: run `make notebooks` and commit"
                elif changed:
                    path.write_text(text, encoding="utf-8", newline="\n")
            except (CellExecutionError, TimeoutError, RuntimeError) as error:
                problem = str(error)
        done += 1
        failed += problem is not None
        state = "failed" if problem else "changed" if changed else "same"
        seconds = time.perf_counter() - began
        print(f"[{done}/{len(paths)}] {path}  {seconds:.1f} s  {state}", flush=True)
        if problem:
            print(problem, file=sys.stderr, flush=True)

    await asyncio.gather(*map(one, paths))
    return failed


def main(arguments=None):
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m press.execute", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks or folders (chapters/)")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file would")
    parser.add_argument("--measure", action="store_true", help="measure all times anew")
    options = parser.parse_args(arguments)
    paths = notebooks(*options.paths or [CHAPTERS])
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        parser.error(f"no such notebook: {', '.join(missing) or 'no paths, and none in chapters/'}")
    return 1 if asyncio.run(run(paths, check=options.check, measure=options.measure)) else 0


if __name__ == "__main__":
    sys.exit(main())
