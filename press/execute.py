"""Run chapters, and write what came out: ``python -m press.execute [paths…]``.

A chapter is a pair. ``adam.md`` is the source, MyST text that people write, review and merge;
``adam.ipynb`` is made from it here, with the outputs, and is what nbval, Colab, JupyterLab and the
site use. Both are committed. (Saving in JupyterLab writes both: ``chapters/jupytext.toml``.)

Both are written in canonical form: equal content is equal bytes. In the notebook, a cell's id is a
hash of its source, execution counts are 1…n, outputs are without times. Running
twice changes no byte: measured times, which differ from run to run, are in cells tagged
``nbval-ignore-output``, whose output is kept until their code changes or ``--measure`` is given.

Without paths, every chapter is run. ``--check`` writes nothing and fails if a file would change;
``--keep`` runs nothing and keeps the outputs of a chapter in which only prose has changed.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from jupytext.config import load_jupytext_configuration_file
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from .notebook import CHAPTERS, sources

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
_CELL_METADATA = ("alt", "caption", "tags", "mystnb")  # what the book reads; the rest is editors'


# --- The text ----------------------------------------------------------------------------------

_JUPYTEXT = load_jupytext_configuration_file(str(CHAPTERS / "jupytext.toml"))


def parse(text: str) -> nbformat.NotebookNode:
    """The notebook, without outputs, that a chapter's text describes."""
    return jupytext.reads(text, fmt="md:myst", config=_JUPYTEXT)


def as_text(notebook: nbformat.NotebookNode) -> str:
    """A notebook's cells as MyST text, in canonical form; `parse` gives the cells back."""
    return jupytext.writes(_cleaned(notebook), fmt="md:myst", config=_JUPYTEXT)


def source(notebook: nbformat.NotebookNode) -> tuple[dict, list[tuple[str, str, dict]]]:
    """What the two files of a pair have in common: ``book``'s metadata, and of every cell its
    type, source and the metadata that the book reads."""
    book = notebook.metadata.get("book", {})
    return book, [(cell.cell_type, *_cell(cell)) for cell in notebook.cells]


def _cell(cell):
    return (
        cell.source.strip("\n").rstrip(),
        _sorted({k: v for k, v in cell.metadata.items() if k in _CELL_METADATA and v}),
    )


def _sorted(metadata):
    """Metadata in the order in which nbformat writes it, hence the text too."""
    return json.loads(json.dumps(metadata, sort_keys=True))


def _cleaned(notebook):
    """A copy with only what is written into files; see `canonical`."""
    cells, seen, count = [], Counter(), 0
    for cell in notebook.cells:
        text, metadata = _cell(cell)
        id = hashlib.sha256(f"{cell.cell_type}\n{text}".encode()).hexdigest()[:8]
        seen[id] += 1
        new = {
            "cell_type": cell.cell_type,
            "id": id if seen[id] == 1 else f"{id}-{seen[id]}",
            "metadata": metadata,
            "source": text,
        }
        if cell.cell_type == "code":
            executed = cell.get("execution_count") is not None
            count += executed
            new["execution_count"] = count if executed else None
            new["outputs"] = [_output(output, count) for output in cell.outputs]
        cells.append(new)
    book = {"book": _sorted(notebook.metadata.book)} if "book" in notebook.metadata else {}
    new = {"cells": cells, "metadata": _METADATA | book, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(new)


def canonical(notebook: nbformat.NotebookNode) -> str:
    """The canonical text of an executed notebook, which is not changed."""
    return nbformat.writes(_cleaned(notebook)).rstrip("\n") + "\n"


def _output(output, count):
    output = dict(output)
    if "execution_count" in output:
        output["execution_count"] = count
    output.pop("transient", None)
    return output


# --- The run -----------------------------------------------------------------------------------


async def execute(path, *, measure=False, keep=False):
    """Run the chapter whose source is ``path``, in its folder.

    Args:
        measure: replace also the measured times of cells whose code is unchanged.
        keep: do not run anything, take the outputs stored in the notebook.

    Returns:
        ``(text, notebook)``: what the two files of the pair must contain.

    Raises:
        CellExecutionError: if a cell raises. Nothing is written.
        RuntimeError: if ``keep`` is given and a cell has no stored outputs.
    """
    notebook = parse(path.read_text(encoding="utf-8"))
    made = path.with_suffix(".ipynb")
    stored = {}  # the outputs of each source, in their order
    if made.exists():
        for cell in nbformat.read(made, as_version=4).cells:
            if cell.cell_type == "code" and cell.execution_count is not None:
                stored.setdefault(cell.source, []).append(cell)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if keep:
        for cell in code:
            if not (same := stored.get(_cell(cell)[0])):
                raise RuntimeError(f"--keep: this code is new, run it:\n{cell.source}")
            cell.outputs, cell.execution_count = same[0].outputs, 0
            del same[: len(same) > 1]
    else:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],  # no warning about TCP for each kernel
            timeout=CELL_SECONDS,
            coalesce_streams=True,
            record_timing=False,
            resources={"metadata": {"path": str(path.parent)}},
        )
        await client.async_execute(env=os.environ | ENVIRONMENT)
        for cell in code:
            if "nbval-ignore-output" in cell.metadata.get("tags", []) and not measure:
                if before := [one for one in stored.get(_cell(cell)[0], ()) if one.outputs]:
                    cell.outputs = before[0].outputs
    return as_text(notebook), canonical(notebook)


async def run(paths, *, check=False, measure=False, keep=False, jobs=2):
    """Run chapters, ``jobs`` at a time, telling the progress; return how many failed."""
    gate, done, failed = asyncio.Semaphore(jobs), 0, 0

    async def one(path):
        nonlocal done, failed
        async with gate:
            began, changed, problem = time.perf_counter(), False, None
            try:
                made = await execute(path, measure=measure, keep=keep)
                for file, text in zip((path, path.with_suffix(".ipynb")), made):
                    if file.exists() and file.read_bytes() == text.encode():
                        continue
                    changed = True
                    if check:
                        problem = f"running it changes {file}: run `make notebooks` and commit"
                    else:
                        file.write_text(text, encoding="utf-8", newline="\n")
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
    parser.add_argument("paths", nargs="*", type=Path, help="chapters or folders (chapters/)")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file would")
    parser.add_argument("--measure", action="store_true", help="measure all times anew")
    parser.add_argument("--keep", action="store_true", help="run nothing, keep stored outputs")
    options = parser.parse_args(arguments)
    paths = sources(*options.paths or [CHAPTERS])
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        parser.error(f"no such chapter: {', '.join(missing) or 'no paths, and none in chapters/'}")
    how = {"check": options.check, "measure": options.measure, "keep": options.keep}
    return 1 if asyncio.run(run(paths, **how)) else 0


if __name__ == "__main__":
    sys.exit(main())
