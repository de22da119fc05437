"""Notebooks, and whole books of two chapters, to try the press on."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from press.notebook import ROOT, Notebook


def markdown(language, source):
    return {"cell_type": "markdown", "metadata": {"tags": [f"lang-{language}"]}, "source": source}


def code(source="1 + 1", outputs=(), **metadata):
    return {
        "cell_type": "code", "metadata": metadata, "source": source, "outputs": list(outputs),
        "execution_count": 1,
    }


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def notebook(*cells):
    return {
        "cells": [{"id": f"cell-{i}", **cell} for i, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        },
        "nbformat": 4, "nbformat_minor": 5,
    }


def opened(content):
    """A notebook that is in no file."""
    return Notebook("specimen.ipynb", json.dumps(content))


# --- A whole book, small

NEWS = """
- {date: 2026-02-01, page: part/second, zh: 新的一章 <好>, en: A new chapter <good>}
- {date: 2026-01-01, zh: 开张, en: The book opens}
"""
BASE = "https://example.org/book"
PLAN = """\
meta:
  planned:
  - caption: 部分 · Part
    chapters:
    - chapters/part/later: "后来 · Later"
    - chapters/part/second
  - caption: 优化器 · Optimizers
    chapters: [{chapters/optimizers/adam: "亚当 · Adam"}]
"""


def write_book(folder: Path, chapter: dict, parts: str = "") -> Path:
    """A book of two chapters with this repository's settings, but its own slider and news."""
    (folder / "chapters" / "part").mkdir(parents=True)
    settings = (ROOT / "_config.yml").read_text(encoding="utf-8")
    shown = "part/second" if "figure class" in json.dumps(chapter) else '""'
    settings = re.sub("book_slider: [^ ]*", f"book_slider: {shown}", settings)
    settings = re.sub(r"book_claims:.*\n( +- .*\n)*", "book_claims: []\n", settings)
    (folder / "_config.yml").write_text(settings, encoding="utf-8")
    shutil.copy(ROOT / "CITATION.cff", folder)
    (folder / "chapters" / "news.yml").write_text(NEWS, encoding="utf-8")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/first\nparts:\n- caption: 部分 · Part\n  chapters:\n"
        f"  - file: chapters/part/second\n{parts}{PLAN}", encoding="utf-8",
    )
    (folder / "chapters" / "references.bib").write_text("", encoding="utf-8")
    first = notebook(markdown("zh", "# 开头\n\n[下一章](part/second.ipynb)\n\n```{parts}\n```"),
                     markdown("en", "# Beginning\n\n[Next](part/second.ipynb)\n\n```{parts}\n```"))  # fmt: skip
    for name, content in (("first", first), ("part/second", chapter)):
        path = folder / "chapters" / f"{name}.ipynb"
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder


def run_build(folder: Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "press.build", "--root", folder, *options],
        cwd=ROOT, capture_output=True, text=True, timeout=900,
    )


def killed(*arguments) -> None:
    """Build an edition (`press.build.build_edition`) in a process that is killed when all has been
    read and nothing is written."""
    from sphinx.builders.html import StandaloneHTMLBuilder

    from press.build import build_edition

    StandaloneHTMLBuilder.copy_assets = lambda self: os._exit(9)
    build_edition(*arguments)
