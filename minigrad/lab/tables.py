"""``table``: rows and columns, aligned also where a column has 汉字 in it."""

import html
from numbers import Number

from IPython.display import display

from .words import typeset, width


def table(rows, columns):
    """Show a table.

    Args:
        rows: sequences of as many cells as there are columns: text, or numbers.
        columns: ``{heading: format}``, the format as in an f-string, ``""`` for none. Numbers
            stand at the right of their column, text at the left unless its format is ``">"``.
            They are set as in print, −0.70 and 10⁻⁹, also where they stand in a text.

    >>> table([["Adam", 0.061], ["SGD", 12.5]], {"方法 · method": "", "损失 · loss": ".2f"})
    方法 · method  损失 · loss
    Adam                  0.06
    SGD                  12.50
    >>> table([["a", -0.7, 1e-9]], {"": "", "Δ": ".2f", "ε": ".0e"})
           Δ     ε
    a  −0.70  10⁻⁹
    """
    rows = [list(row) for row in rows]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"table: {len(columns)} columns, but the row {row} has {len(row)}")
    right = [
        form == ">" or bool(rows) and all(isinstance(row[i], Number) for row in rows)
        for i, form in enumerate(columns.values())
    ]
    cells = [[format(cell, form) for cell, form in zip(row, columns.values())] for row in rows]
    display(_Table([[typeset(cell) for cell in row] for row in [list(columns), *cells]], right))


class _Table:
    def __init__(self, cells, right):
        self.cells, self.right = cells, right

    def __repr__(self):
        return aligned(self.cells, self.right)

    def _repr_html_(self):
        head, *rows = (
            "<tr>"
            + "".join(
                f'<{tag} style="text-align: {"right" if right else "left"}">'
                f"{html.escape(cell, quote=False)}</{tag}>"
                for cell, right in zip(row, self.right)
            )
            + "</tr>"
            for tag, row in zip(["th"] + ["td"] * len(self.cells), self.cells)
        )
        body = "\n".join(["<tbody>", *rows, "</tbody>"])
        return f'<table class="rows">\n<thead>\n{head}\n</thead>\n{body}\n</table>'


def aligned(cells, right):
    """Lines of text whose columns are aligned, two spaces between them.

    Args:
        cells: rows of text, the headings first.
        right: for each column, whether it is aligned at the right.
    """
    widths = [max(map(width, column)) for column in zip(*cells)]
    lines = []
    for row in cells:
        gaps = [" " * (wide - width(cell)) for cell, wide in zip(row, widths)]
        line = "  ".join(
            gap + cell if at_right else cell + gap for cell, gap, at_right in zip(row, gaps, right)
        )
        lines.append(line.rstrip())
    return "\n".join(lines)
