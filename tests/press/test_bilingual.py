"""Words in both languages: the rule, code and outputs of one edition, tables (`press.bilingual`)."""

import ast
import io
import tokenize

import pytest
from nbformat.v4 import new_output

from minigrad.lab import language, problems, style, table
from minigrad.lab.tables import aligned
from minigrad.lab.words import half, own, width
from press.bilingual import in_language, output, source, texts
from press.notebook import CHAPTERS, ROOT, Notebook, notebooks

CHAPTER_FILES = notebooks(CHAPTERS)


def code_of(path):
    return [cell.source for _, cell in Notebook(path).code]


# --- Lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line, zh, en", [
    ("学习率 · learning rate", "学习率", "learning rate"),
    ("✓ 太长 · too long", "✓ 太长", "✓ too long"),
    ("✓ 偏差 · bias  |Δ| ≤ 1e-12", "✓ 偏差  |Δ| ≤ 1e-12", "✓ bias  |Δ| ≤ 1e-12"),
    ("  缩进 · indented", "  缩进", "  indented"),
    ("步数 · steps: 3", "步数：3", "steps: 3"),
    ("步数 · steps:", "步数：", "steps:"),
    ("前 3 步 · the first 3 steps: 1.0, 2.0", "前 3 步：1.0, 2.0", "the first 3 steps: 1.0, 2.0"),
    ("0.1：太大 · 0.1: too large", "0.1：太大", "0.1: too large"),
    ("0.1：太大 · 0.1: too large  3 η", "0.1：太大  3 η", "0.1: too large  3 η"),
    ("学习率 $η$ · rate $η$", "学习率 $η$", "rate $η$"),
    ("很长的一行 ·\n    a long line", "很长的一行", "a long line"),
    ("甲 · a\n乙 · b: 2\nno words", "甲\n乙：2\nno words", "a\nb: 2\nno words"),
    ("η·λ · 3", "η·λ · 3", "η·λ · 3"),  # no Chinese: a matter for lint
    ("", "", ""),
])  # fmt: skip
def test_a_line_has_two_halves(line, zh, en):
    assert (half(line, "zh"), half(line, "en")) == (zh, en)
    assert half(zh, "zh") == zh and half(en, "en") == en


def test_the_words_of_the_laboratory_are_in_the_language_of_the_chapter():
    try:
        for name, label in {"中文": "梯度下降", "English": "gradient descent",
                            "中文 · English": "梯度下降 · gradient descent"}.items():  # fmt: skip
            language(name)
            assert style.line("gradient-descent")["label"] == label
            assert problems.ravine().label == own("峡谷 · ravine")
        with pytest.raises(ValueError, match="got 'Deutsch'"):
            language("Deutsch")
    finally:
        language("中文 · English")


# --- Code ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code, zh, en", [
    ('x = "甲 · a"', 'x = "甲"', 'x = "a"'),
    ("x = '甲 · a'  # 乙 · b", "x = '甲'  # 乙", "x = 'a'  # b"),
    (r'label=r"甲 $\nu$ · a $\nu$"', r'label=r"甲 $\nu$"', r'label=r"a $\nu$"'),
    (r'"甲\n乙 · b"', r'"甲\n乙"', r'"甲\nb"'),  # a line each; lint finds the first one
    (r'"\u03b7 甲 · \u03b7 a"', r'"\u03b7 甲"', r'"\u03b7 a"'),
    (r"""'甲 · it\'s a'""", "'甲'", r"""'it\'s a'"""),
    ('f"步数 · steps: {n}"', 'f"步数：{n}"', 'f"steps: {n}"'),
    ('f"第 {n} 步 · step {n}: {x: .3f}"', 'f"第 {n} 步：{x: .3f}"', 'f"step {n}: {x: .3f}"'),
    ('f"{d[0]!r:>{w}} 甲 · {d[0]!r:>{w}} a"', 'f"{d[0]!r:>{w}} 甲"', 'f"{d[0]!r:>{w}} a"'),
    ('f"{{集}} 甲 · {{set}} a"', 'f"{{集}} 甲"', 'f"{{set}} a"'),
    ("f\"甲 · a: {' · '.join(x)}\"", "f\"甲：{' · '.join(x)}\"", "f\"a: {' · '.join(x)}\""),
    ('check(\n    "甲 · "\n    "a",\n)', 'check(\n    "甲",\n)', 'check(\n    "a",\n)'),
    ('(f"甲 {n}"\n "乙 · a"\n f" {n} b: {x}")', '(f"甲 {n}"\n "乙"\n f"：{x}")', '("a"\n f" {n} b: {x}")'),
    ('"""甲 · a\n\n乙 · b\n"""', '"""甲\n\n乙\n"""', '"""a\n\nb\n"""'),
    ('"""很长 ·\n    very long"""', '"""很长"""', '"""very long"""'),
    ("x = 1  # 甲 · a\ny = 2  # 乙 · b", "x = 1  # 甲\ny = 2  # 乙", "x = 1  # a\ny = 2  # b"),
    ("if x:\n    # 很长 ·\n    # very long\n    # β\n    y", "if x:\n    # 很长\n    # β\n    y",
     "if x:\n    # very long\n    # β\n    y"),
    ("x = 1  # 甲 ·\n# a", "x = 1  # 甲 ·\n# a", "x = 1  # 甲 ·\n# a"),  # not one comment
    ('x = "#"  # 甲 · a', 'x = "#"  # 甲', 'x = "#"  # a'),
    ("x = '' + \"甲 · a\"", "x = '' + \"甲\"", "x = '' + \"a\""),
    ("s = 'plain' ; t = a·b", "s = 'plain' ; t = a·b", "s = 'plain' ; t = a·b"),
])  # fmt: skip
def test_code_has_two_halves(code, zh, en):
    assert (source(code, "zh"), source(code, "en")) == (zh, en)


@pytest.mark.parametrize(
    "path",
    [*CHAPTER_FILES, *ROOT.glob("[mpt]*/**/*.py")],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_literals_and_comments_are_those_of_python(path):
    """`texts` finds what Python's own tokenizer finds."""
    for code in code_of(path) if path.suffix == ".ipynb" else [path.read_text(encoding="utf-8")]:
        mine = [code[token.start : token.end] for group in texts(code) for token in group]
        theirs, depth, start = [], 0, None
        lines = ["", *code.splitlines(keepends=True)]
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            kind = tokenize.tok_name[token.type]
            if kind in ("STRING", "COMMENT") and not depth:
                theirs.append(token.string)
            elif kind.endswith("STRING_START"):  # from Python 3.12 on an f-string is many tokens
                start = start if depth else token.start
                depth += 1
            elif kind.endswith("STRING_END"):
                depth -= 1
                if not depth:
                    (a, b), (c, d) = start, token.end
                    inside = [lines[a][b:], *lines[a + 1 : c], lines[c][:d]]
                    theirs.append("".join(inside) if a < c else lines[a][b:d])
        assert mine == theirs


def skeleton(code):
    """The syntax tree without words, and the values inside f-strings apart."""
    values = []

    class Blank(ast.NodeTransformer):
        def visit_JoinedStr(self, node):
            fields = [one for one in node.values if isinstance(one, ast.FormattedValue)]
            values.append({ast.dump(field) for field in fields})
            return ast.Constant("")

        def visit_Constant(self, node):
            return ast.Constant("") if isinstance(node.value, str) else node

    return ast.dump(Blank().visit(ast.parse(code))), values


@pytest.mark.parametrize("path", CHAPTER_FILES, ids=lambda path: path.stem)
def test_the_halves_of_a_chapter_are_its_code_but_for_words(path):
    for code in code_of(path):
        both = skeleton(code)
        for edition in ("zh", "en"):
            kept = source(code, edition)
            assert skeleton(kept) == both, kept
            assert source(kept, language) == kept, "a half has nothing left to take away"


# --- Outputs ---------------------------------------------------------------------------------------


def test_html_has_two_halves():
    text = '<p title="甲 · a">乙 · b: <b>3 &lt; 4</b></p><td>丙 ·\nc</td><img alt="no words">'
    assert in_language(text, "zh") == (
        '<p title="甲">乙：<b>3 &lt; 4</b></p><td>丙</td><img alt="no words">'
    )
    assert in_language(text, "en") == (
        '<p title="a">b: <b>3 &lt; 4</b></p><td>c</td><img alt="no words">'
    )


def test_an_output_keeps_one_half():
    stream = new_output("stream", text="甲 · a: 1\n✓ 乙 · b\n")
    assert output(stream, "zh").text == "甲：1\n✓ 乙\n"
    assert output(stream, "en").text == "a: 1\n✓ b\n"
    assert stream.text == "甲 · a: 1\n✓ 乙 · b\n", "the notebook is left as it was"
    shown = new_output("display_data", data={"text/plain": "甲 · a", "image/png": "x"})
    assert output(shown, "en").data == {"text/plain": "a", "image/png": "x"}


# --- Tables ----------------------------------------------------------------------------------------


@pytest.fixture
def displayed(monkeypatch):
    found = []
    monkeypatch.setattr("minigrad.lab.tables.display", found.append)
    return found


ROWS = [["动量 · momentum", 0.5, "3 [1, 5]"], ["Adam", 12.25, "—"]]
COLUMNS = {"方法 · method": "", "学习率 · rate": ".2f", "比值 · ratio": ">"}


def test_a_table_aligns_han():
    assert aligned([["方法", "率"], ["a", "0.5"], ["动量法", "12"]], [False, True]) == (
        "方法     率\na       0.5\n动量法   12"
    )
    assert [width(text) for text in ("", "ab", "汉字", "θ̂ x", "，")] == [0, 2, 4, 3, 2]


def test_the_halves_of_a_table_are_the_tables_of_the_halves(displayed):
    table(ROWS, COLUMNS)
    for edition in ("zh", "en"):
        table([[half(cell, edition) if isinstance(cell, str) else cell for cell in row] for row in ROWS],
              {half(name, edition): form for name, form in COLUMNS.items()})  # fmt: skip
    both, *alone = (
        new_output("display_data", {"text/html": made._repr_html_(), "text/plain": repr(made)})
        for made in displayed
    )
    for edition, expected in zip(("zh", "en"), alone):
        assert output(both, edition) == expected
    assert alone[1].data["text/plain"].splitlines() == [
        "method     rate     ratio", "momentum   0.50  3 [1, 5]", "Adam      12.25         —"
    ]  # fmt: skip
    assert '<th style="text-align: right">学习率</th>' in alone[0].data["text/html"]


def test_a_table_escapes_and_refuses(displayed):
    table([["a < b & c"]], {"条件 · condition": ""})
    assert "<td style=\"text-align: left\">a &lt; b &amp; c</td>" in displayed[0]._repr_html_()
    with pytest.raises(ValueError, match="2 columns, but the row .* has 1"):
        table([["a"]], {"甲 · a": "", "乙 · b": ""})
    table([], {"甲 · a": "d"})
    assert repr(displayed[-1]) == "甲 · a"
