"""The command line of `press.lint`."""

import argparse
import re
import sys
from pathlib import Path

from ..markdown import HAN, prose
from ..notebook import CHAPTERS, Notebook, notebooks
from . import lint


def main(arguments=None):
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m press.lint", description="Check chapters.")
    parser.add_argument("paths", nargs="*", type=Path, help="chapters or folders (chapters/)")
    given = parser.parse_args(arguments).paths or [CHAPTERS]
    paths = notebooks(*(path if path.is_dir() else path.with_suffix(".ipynb") for path in given))
    faults = 0
    for path in paths:
        found = lint(path)
        faults += len(found)
        book = Notebook(path)
        facts = {
            "faults": len(found),
            "汉字": sum(len(re.findall(HAN, prose(text))) for _, text in book.source("zh")),
            "code cells": len(book.code),
            "figures": len(book.figures),
            "claims": len(book.claims),
            "sliders": len(book.sliders),
            "kB": len(book.text.encode()) // 1000,
        }
        summary = ", ".join(f"{n} {what}" for what, n in facts.items())
        print(*found, f"{path.with_suffix('.md')}: {summary}", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
