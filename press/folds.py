"""What of a chapter's code is seen at once: the idea, and not how it was checked, drawn or set up.

Nobody tags anything for it. A cell is folded that draws a picture, that prints nothing but ``✓``
lines, or nothing at all, or that is longer than a screen; the part *From scratch* shows its code
(and lint wants it to fit). The tags ``hide-input`` and ``show-input`` say otherwise for one cell. A
folded check is a line, ``✓ (3)``, which leads to the
equation, and a small ✓ beside the equation leads back. The code of a solution stands in the fold
of its exercise, and what claims are measured by in a fold below their sentences.
"""

import json
import re

import nbformat
from docutils import nodes
from nbformat import NotebookNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from . import records
from .markdown import headings
from .notebook import Notebook, languages, tags

FROM_SCRATCH = "从零实现"
SCREEN = 30  # lines
_PICTURE = re.compile(r"<(figure|img)\b")

# -- Which cells


def draws(output: NotebookNode) -> bool:
    """Does an output show a figure or a slider?"""
    data = output.get("data", {})
    drawn = any(kind.startswith("image/") for kind in data)
    return drawn or _PICTURE.search(data.get("text/html", "")) is not None


def is_record(output: NotebookNode) -> bool:
    """Does an output hand something over to the prose?"""
    return any(kind in output.get("data", {}) for kind in records.KINDS)


def tells(output: NotebookNode) -> bool:
    """Does an output say more than that checks have passed?"""
    if output.output_type == "stream":
        return not all(line.startswith("✓ ") for line in output.text.splitlines())
    return not is_record(output)


def folded(book: Notebook) -> set[int]:
    """The numbers of the code cells whose code is folded."""
    found, part = set(), ""
    for i, cell in book.cells:
        if languages(cell) == ["zh"]:
            part = next((w for level, w in headings(cell.source)[::-1] if level == 2), part)
        if cell.cell_type != "code" or "show-input" in tags(cell):
            continue
        drawn = any(map(draws, cell.outputs))
        quiet = not any(map(tells, cell.outputs)) or cell.source.count("\n") >= SCREEN
        quiet = quiet and not part.startswith(FROM_SCRATCH)
        if drawn or quiet or {"hide-input", "hide-cell", "solution"} & {*tags(cell)}:
            found.add(i)
    return found


def page(book: Notebook, language: str) -> str:
    """The notebook of one edition as its page shows it: folds are tagged for MyST-NB, and what was
    handed over to the prose is left out, except where a cell does nothing else."""
    hidden = folded(book)
    node = nbformat.from_dict(json.loads(book.edition(language)))
    cells = [cell for cell in node.cells if cell.cell_type == "code"]
    for (i, _), cell in zip(book.code, cells):
        rest = [output for output in cell.outputs if not is_record(output)]
        whole = i in hidden and bool(cell.outputs) and not rest
        tags = [tag for tag in cell.metadata.get("tags", []) if not tag.startswith("hide-")]
        if "solution" not in tags:
            tags += ["hide-cell"] * whole + ["hide-input"] * (i in hidden and not whole)
        cell.metadata.tags = tags
        cell.outputs = cell.outputs if whole else rest
        for output in cell.outputs:
            for kind in records.KINDS:  # MyST-NB does not know them
                output.get("data", {}).pop(kind, None)
    return json.dumps(node, ensure_ascii=False)


# -- On the page


class check_line(nodes.General, nodes.FixedTextElement):
    """``✓ (3)  |difference| ≤ 1e-12``; the first of an equation has an address."""


class CheckLines(SphinxTransform):
    """Turn the lines that checks print into lines that lead to their equations."""

    default_priority = 820

    def apply(self) -> None:
        self.known = self.env.get_domain("math").equations
        for output in list(self.document.findall(nodes.container)):
            if "cell_output" not in output["classes"]:
                continue
            for printed in [n for n in output.children if isinstance(n, nodes.literal_block)]:
                if re.search(r"^✓ ", printed.astext(), re.M):
                    output.replace(printed, self.lines(printed))
            if all(isinstance(child, check_line) for child in output.children):
                output.parent["classes"].append("checks")

    def lines(self, printed: nodes.literal_block) -> list[nodes.Element]:
        """A block of printed text, with the lines of checks taken out of it.

        A check in a loop prints one line many times, which is shown once.
        """
        found: list[nodes.Element] = []
        said = set()
        for text in re.split(r"(?m)^(✓ .*\n?)", printed.astext()):
            if text.startswith("✓ "):
                if text.strip() not in said:
                    found.append(self.line(text.rstrip("\n")))
                said.add(text.strip())
            elif text.strip("\n"):
                rest = printed.deepcopy()
                rest.rawsource = text.rstrip("\n")
                rest.children = [nodes.Text(rest.rawsource)]
                found.append(rest)
        return found

    def line(self, text: str) -> check_line:
        line = check_line()
        for n, piece in enumerate(re.split(r"\b(eq:[\w:.-]*\w)", text)):
            if not (n % 2 and piece in self.known):
                line += nodes.Text(piece)
                continue
            line += addnodes.pending_xref(
                "", nodes.inline("", piece), refdomain="math", reftype="eq", reftarget=piece,
                refdoc=self.env.docname, refwarn=False, refexplicit=False,
            )  # fmt: skip
            anchor = f"check-{nodes.make_id(piece)}"
            if anchor not in self.document.ids:
                line["ids"].append(anchor)
                self.document.ids[anchor] = line
        return line


class SolutionCode(SphinxTransform):
    """Put the code of a solution into the fold of the words before it."""

    default_priority = 821

    def apply(self) -> None:
        cells = [cell for cell in self.document.findall(nodes.container)
                 if "tag_solution" in cell["classes"]]  # fmt: skip
        for cell in cells:
            section = cell.parent
            before = section.children[: section.index(cell)]
            if before and isinstance(before[-1], nodes.raw) and "</details>" in before[-1].astext():
                section.remove(cell)
                section.insert(section.index(before[-1]), cell)
            else:
                cell["hide_mode"] = "all"


def mark_equations(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Beside an equation that a cell checks, a small ✓ that leads to the cell."""
    if doctree is None:
        return
    words = context["words"]["checked"]
    checked = set(re.findall(r'id="check-([^"]+)"', context["body"]))

    def mark(match: re.Match) -> str:
        if match[2] not in checked:
            return match[0]
        link = f'<a class="checked" href="#check-{match[2]}" aria-label="{words}">✓</a>'
        return match[1] + link

    context["body"] = re.sub(
        r'(id="equation-([^"]+)"[^>]*>\s*<span class="eqno">\([^<]*)', mark, context["body"]
    )


def _open(translator, node: check_line) -> None:
    translator.body.append(translator.starttag(node, "p", "", CLASS="check"))


def _close(translator, node: check_line) -> None:
    translator.body.append("</p>\n")


def setup(app: Sphinx) -> dict:
    app.add_node(check_line, html=(_open, _close))
    app.add_transform(CheckLines)
    app.add_transform(SolutionCode)
    app.connect("html-page-context", mark_equations, priority=901)  # after the frame's words
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
