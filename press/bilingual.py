"""One half of the words in code and in what it shows; the rule is in `minigrad.lab.words`.

Code is taken apart by the grammar of strings and comments alone, which is the same in every Python
(`tokenize` sees an f-string as one token up to 3.11 and as many from 3.12 on). Literals that Python
joins are one text here too, and so are the lines of a comment; a value inside an f-string stands in
both halves.

>>> source('check("太长 · too long", x > 1)  # 一行 · a line', "en")
'check("too long", x > 1)  # a line'
>>> source('print(f"步数 · steps: {n: d}")', "zh")
'print(f"步数：{n: d}")'
>>> print(source("check(\\n    '第一步太长 · '\\n    'the first step is too long'\\n)", "en"))
check(
    'the first step is too long'
)
"""

import copy
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from minigrad.lab.tables import aligned
from minigrad.lab.words import cuts, half

TWIN = {"zh": "en", "en": "zh"}

# --- Code ----------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<open>\#+[ ]?)(?P<comment>[^\n]*)
    |   (?P<start>(?<!\w)(?P<prefix>[A-Za-z]{0,2})(?P<quote>\"\"\"|'''|"|'))
        (?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""",
    re.DOTALL | re.VERBOSE,
)
# What counts as one character of a literal: a brace or a value (whose format may have braces of
# its own) if it is an f-string, an escape sequence if it is not raw.
_FIELD = r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}"
_ESCAPE = r"\\N\{[^}]*\}|\\u\w{4}|\\x\w\w|\\."
_OPAQUE = "\ufffc"


@dataclass(frozen=True)
class Token:
    """A string literal or a comment: what opens it, its characters, what closes it."""

    start: int
    end: int
    opening: str
    pieces: list[str]
    closing: str

    @property
    def is_comment(self) -> bool:
        return self.opening.startswith("#")

    @property
    def fields(self) -> list[str]:
        """The values that an f-string has in it, as they are written."""
        return [piece for piece in self.pieces if len(piece) > 2 and piece[0] == "{"]

    @property
    def text(self) -> str:
        """A character for each piece."""
        return "".join(
            piece if len(piece) == 1 else "\n" if piece == "\\n" else _OPAQUE
            for piece in self.pieces
        )


def texts(code: str) -> Iterator[list[Token]]:
    """The texts of a piece of code, in order: literals that are joined, or lines of a comment."""
    group: list[Token] = []
    for found in _TOKEN.finditer(code):
        if found["open"]:
            token = Token(found.start(), found.end(), found["open"], list(found["comment"]), "")
        else:
            kind = {*found["prefix"].lower()}
            patterns = [_FIELD] * bool(kind & {"f", "t"}) + [_ESCAPE] * ("r" not in kind) + ["."]
            token = Token(
                found.start(), found.end(), found["start"],
                re.findall("|".join(patterns), found["body"], re.DOTALL), found["quote"],
            )  # fmt: skip
        if group and not _joined(code, group, token):
            yield group
            group = []
        group.append(token)
    if group:
        yield group


def _joined(code: str, group: list[Token], token: Token) -> bool:
    """Does a token continue the text of a group: a literal beside a literal, a line of comment
    below a line of comment?"""
    between = code[group[-1].end : token.start]
    if between.strip(" \t\n\\") or token.is_comment != group[-1].is_comment:
        return False
    begins_line = not code[: group[0].start].rpartition("\n")[2].strip()
    return not token.is_comment or between.count("\n") == 1 and begins_line


def shown(group: list[Token]) -> str:
    """A text with a character for each value and escape sequence."""
    return ("\n" if group[0].is_comment else "").join(token.text for token in group)


def source(code: str, language: str) -> str:
    """The half of ``language`` (``"zh"`` or ``"en"``) of the words in a piece of Python."""
    out, end = [], 0
    for group in texts(code):
        if changes := cuts(shown(group), language):
            out += [code[end : group[0].start], _rewritten(code, group, changes)]
            end = group[-1].end
    return "".join(out) + code[end:]


def _rewritten(code: str, group: list[Token], changes: list[tuple[int, int, str]]) -> str:
    """The group's code after the changes; a token of which nothing is left is left out."""
    kept = [[*token.pieces, ""] for token in group]  # the last one: a comment's end of line
    places = [
        (i, j)
        for i, token in enumerate(group)
        for j in range(len(token.pieces) + (token.is_comment and i < len(group) - 1))
    ]
    for start, end, new in changes:
        for i, j in places[start:end]:
            kept[i][j] = ""
        if new:
            i, j = places[end - 1]
            kept[i][j] = new
    out = ""
    for i, (token, pieces) in enumerate(zip(group, kept)):
        if any(pieces) or not token.pieces:
            gap = code[group[i - 1].end : token.start] if out else ""
            out += gap + token.opening + "".join(pieces) + token.closing
    return out or group[0].opening + group[0].closing


# --- What it shows -------------------------------------------------------------------------------


def in_language(html: str, language: str) -> str:
    """HTML without what is in the other language: elements marked ``data-lang``, and its half of
    every text and attribute.

    >>> in_language('<b data-lang="zh">成立</b><b data-lang="en">holds</b>', "en")
    '<b data-lang="en">holds</b>'
    >>> in_language('<td title="步长 · step">学习率 · rate</td>', "zh")
    '<td title="步长">学习率</td>'
    """
    if "data-lang" in html:
        soup = BeautifulSoup(html, "html.parser")
        for element in soup.select(f'[data-lang="{TWIN[language]}"]'):
            element.decompose()
        html = str(soup)
    return re.sub(
        r'(?<=>)[^<>]+(?=<)|(?<==")[^"<>]+(?=")',
        lambda words: half(words[0], language) if " ·" in words[0] else words[0],
        html,
    )


def output(shown: NotebookNode, language: str) -> NotebookNode:
    """A cell's output with one half of its words."""
    shown = copy.deepcopy(shown)
    if shown.output_type == "stream":
        shown.text = half(shown.text, language)
    data = shown.get("data", {})
    if "text/html" in data:
        data["text/html"] = in_language(data["text/html"], language)
    if '<table class="rows">' in data.get("text/html", ""):
        data["text/plain"] = _plain(data["text/html"])
    elif "text/plain" in data:
        data["text/plain"] = half(data["text/plain"], language)
    return shown


def _plain(table: str) -> str:
    """A table as text; its columns are as wide as the words of one language."""
    rows = [
        re.findall(r'<t[hd] style="text-align: (\w+)">(.*?)</t[hd]>', row)
        for row in re.findall("<tr>(.*?)</tr>", table)
    ]
    cells = [[html.unescape(cell) for _, cell in row] for row in rows]
    return aligned(cells, [side == "right" for side, _ in rows[0]])
