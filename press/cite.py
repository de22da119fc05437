"""How to cite a chapter: an entry for BibTeX, with the authors and the version of CITATION.cff."""

from functools import cache
from pathlib import Path

import yaml
from sphinx.application import Sphinx

from .numbers import chapter_number
from .plain import readable


@cache
def _citation(root: Path) -> dict:
    file = root / "CITATION.cff"
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}


def bibtex(citation: dict, name: str, **fields: str) -> str:
    """A chapter as an entry for BibTeX.

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
    return f"@incollection{{minigrad-{name.replace('/', '-')},\n" + ",\n".join(lines) + "\n}"


def cite(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Hand the frame of a chapter its entry."""
    citation, number = _citation(Path(app.config.book_root)), chapter_number(app, pagename)
    if not (doctree and citation and number):
        context["cite"] = None
        return
    page = f"{app.config.book_edition}/{pagename}.html"
    context["cite"] = bibtex(
        citation, pagename, title=readable(app.env.titles[pagename]),
        booktitle=app.config.html_title, chapter=number,
        url=f"{context['base']}/{page}" if context["base"] else "",
    )  # fmt: skip


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", cite, priority=901)  # after the frame's words
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
