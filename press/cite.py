"""Whose the book is, and how to cite it: what CITATION.cff says of authors, version and date."""

from functools import cache
from pathlib import Path

import yaml
from sphinx.application import Sphinx

from .numbers import chapter_number
from .plain import readable


@cache
def citation(root: Path) -> dict:
    """``CITATION.cff``; nothing if there is none."""
    file = root / "CITATION.cff"
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}


def released(root: Path) -> dict | None:
    """``version`` and ``date`` of the book, if CITATION.cff says them."""
    said = citation(root)
    return {"version": said["version"], "date": str(said["date-released"])} if said else None


def bibtex(citation: dict, name: str, **fields: str) -> str:
    """A chapter as an entry for BibTeX; without a name, the whole book.

    >>> book = {"authors": [{"family-names": "Li", "given-names": "Wei"}, {"name": "The others"}],
    ...         "version": "0.1.0", "date-released": "2026-11-30"}
    >>> print(bibtex(book, "optimizers/adam", title="Adam", chapter="8.7", url=""))
    @incollection{minigrad-optimizers-adam,
      author = {Li, Wei and {The others}},
      title = {Adam},
      chapter = {8.7},
      year = {2026},
      note = {Version 0.1.0}
    }
    """
    people = [
        f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}"
        for one in citation["authors"]
    ]
    fields = {"author": " and ".join(people)} | fields
    fields["year"] = str(citation.get("date-released", ""))[:4]
    fields["note"] = f"Version {citation['version']}"
    lines = [f"  {key} = {{{value}}}" for key, value in fields.items() if value]
    entry = f"@incollection{{minigrad-{name.replace('/', '-')}" if name else "@book{minigrad"
    return f"{entry},\n" + ",\n".join(lines) + "\n}"


def cite(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Hand the frame of a page whose it is, and that of a chapter its entry."""
    root, number = Path(app.config.book_root), chapter_number(app, pagename)
    context |= {"author": app.config.author, "released": released(root), "cite": None}
    if not (doctree and citation(root) and number):
        return
    page = f"{app.config.book_edition}/{pagename}.html"
    context["cite"] = bibtex(
        citation(root), pagename, title=readable(app.env.titles[pagename]),
        booktitle=app.config.html_title, chapter=number,
        url=f"{context['base']}/{page}" if context["base"] else "",
    )  # fmt: skip


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", cite, priority=901)  # after the frame's words
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
