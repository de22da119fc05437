"""The chapters keep the rules of press/lint.py, and the rules notice what they are meant to notice.

What the cells compute is compared by nbval (`make validate`); here is what nbval does not see.
"""

import base64
import copy
import json
import re

import nbformat
import numpy as np
import pytest

from minigrad.lab.claims import CLAIM, NUMBERS
from press.execute import as_text, canonical
from press.glossary import glossary
from press.lint import RULES, SECTIONS, lint
from press.markdown import numbers, prose, typed_decimals
from press.notebook import CHAPTERS, claims, notebooks

CHAPTER_FILES = notebooks(CHAPTERS)


def test_there_are_chapters():
    assert {"preface", "computational-graph", "adam"} <= {path.stem for path in CHAPTER_FILES}


@pytest.mark.parametrize("path", CHAPTER_FILES, ids=lambda path: path.stem)
def test_chapter(path):
    faults = lint(path)
    assert not faults, "\n" + "\n".join(map(str, faults))


def test_claims_have_unique_names():
    claims(CHAPTERS)  # raises, naming both places, if two share one


# -- A notebook without a fault


def markdown(language, source):
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": [f"lang-{language}"]})


def code(source, *outputs, **metadata):
    return nbformat.v4.new_code_cell(
        source, outputs=list(outputs), execution_count=1, metadata=metadata
    )


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def shown(**data):
    return nbformat.v4.new_output(
        "display_data", data={kind.replace("_", "/"): text for kind, text in data.items()}
    )


PICTURE = '<figure class="plot"><picture><img alt="" src="data:image/svg+xml;base64,"></picture></figure>'
ALT = {"zh": "一条曲线", "en": "A curve"}
BOTH = '<p data-lang="zh">文</p><p data-lang="en">text</p>'
CLAIMED = {"name": "one", "verdict": "holds", "numbers": {"ratio": 3.162, "steps": 12}}

ZH = {
    "derivation": """\
一阶矩（first moment）见 {footcite:p}`kingma2015adam`，取 $β_1 = 0.9$，共 10 步，参见 [动量](momentum.ipynb)：

$$ m_t = β_1 m_{t-1} + (1 - β_1) g_t \\text{（更新）} $$ (eq:m)

由 {eq}`eq:m` 可得结论。

```python
m = 0
```""",
    "claims": "{claim}`one` 第一步长 {num}`.ratio:.2f` 倍。\n\n共 {num}`one.steps` 步。",
    "predict": "<details><summary>答案</summary>\n\n先想再看。\n\n</details>",
    "exercises": "\n\n".join(
        f"### 第 {n} 题\n\n<details><summary>解答</summary>\n\n略。\n\n</details>"
        for n in range(1, 4)
    ),
    "references": "```{footbibliography}\n```",
}
EN = {
    "derivation": """\
The first moment (一阶矩), see {footcite:p}`kingma2015adam`, with $β_1 = 0.9$ for 10 steps, as in
[momentum](momentum.ipynb):

$$ m_t = β_1 m_{t-1} + (1 - β_1) \\, g_t \\text{ (update)}. $$ (eq:m)

From {eq}`eq:m` all follows.

```python
m = 0
```""",
    "claims": "{claim}`one` The first step is {num}`.ratio:.2f` times too long.\n\n"
    "It took {num}`one.steps` steps.",
    "predict": "<details><summary>Answer</summary>\n\nThink first.\n\n</details>",
    "exercises": "\n\n".join(
        f"### Number {n}\n\n<details><summary>Solution</summary>\n\nLeft out.\n\n</details>"
        for n in range(1, 4)
    ),
    "references": "```{footbibliography}\n```",
}
CODE = {
    "derivation": code('check("eq:m", True)', stream("✓ eq:m\n")),
    "experiment": code("plt.show()", shown(text_html=PICTURE, text_plain="figure\n步 · step"), alt=ALT, caption=ALT),
    "slider": code("slider(draw)", shown(text_html=f'<figure class="slider">{BOTH}<figcaption></figcaption></figure>')),
    "claims": code('claim("one")', shown(**{CLAIM: CLAIMED})),
    "exercises": code("x = 1", tags=["hide-cell", "solution"]),
}


def specimen():
    """The smallest chapter that keeps all rules."""
    cells = [markdown("zh", "# 标题"), markdown("en", "# Title")]
    for name, zh, en in SECTIONS:
        cells.append(markdown("zh", f"## {zh}\n\n{ZH.get(name, '正文。')}"))
        cells.append(markdown("en", f"## {en}\n\n{EN.get(name, 'Text.')}"))
        if name in CODE:
            cells.append(copy.deepcopy(CODE[name]))
    return nbformat.v4.new_notebook(cells=cells)


def write(tmp_path, notebook, form=canonical):
    path = tmp_path / "specimen.ipynb"
    path.write_text(form(notebook), encoding="utf-8")
    path.with_suffix(".md").write_text(as_text(notebook), encoding="utf-8")
    return path


def test_the_specimen_has_no_fault(tmp_path):
    assert [str(fault) for fault in lint(write(tmp_path, specimen()))] == []


# -- Faults, each planted into the specimen


def find(notebook, words):
    """The one cell whose source contains ``words``."""
    (cell,) = [cell for cell in notebook.cells if words in cell.source]
    return cell


def replace(old, new):
    """Plant a fault by changing the text of the one cell that contains ``old``."""

    def plant(notebook):
        cell = find(notebook, old)
        cell.source = cell.source.replace(old, new, 1)

    return plant


def output_of(section, *outputs):
    def plant(notebook):
        find(notebook, CODE[section].source).outputs = list(outputs)

    return plant


def tagged(section, *tags):
    def plant(notebook):
        find(notebook, CODE[section].source).metadata["tags"] = list(tags)

    return plant


def extra_code(source, *outputs, **metadata):
    return lambda notebook: notebook.cells.append(code(source, *outputs, **metadata))


def never_executed(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []


def drop_twin(notebook):
    notebook.cells.remove(find(notebook, "# Title"))


def drop_last_twin(notebook):
    del notebook.cells[-1]


def swap_twins(notebook):
    notebook.cells[0], notebook.cells[1] = notebook.cells[1], notebook.cells[0]


def code_between_twins(notebook):
    notebook.cells.insert(1, code("x = 1"))


def untag(notebook):
    del notebook.cells[0].metadata["tags"]


def both_languages(notebook):
    notebook.cells[0].metadata["tags"] = ["lang-zh", "lang-en"]


def language_of_code(notebook):
    find(notebook, "slider(draw)").metadata["tags"] = ["lang-zh"]


def alt_in_one_language(notebook):
    find(notebook, "plt.show()").metadata["alt"] = {"zh": "一条曲线", "en": " "}


def no_alt(notebook):
    del find(notebook, "plt.show()").metadata["alt"]


def stale_alt(notebook):
    find(notebook, "slider(draw)").metadata["alt"] = ALT


def described(**words):
    return lambda notebook: find(notebook, "plt.show()").metadata.update(words)


def moving(alt, caption):
    """A slider that is described with these words, in the one language or the other."""
    said = f'<span data-lang="zh">看。</span> <span data-lang="en">{caption}</span>'
    return (
        f'<figure class="slider" data-zh="{alt}" data-en="A curve">{BOTH}'
        f"<figcaption>{said}</figcaption></figure>"
    )


def swap_sections(notebook):
    a, b = (find(notebook, f"## {name}") for name in ("小结", "何时失灵"))
    a.source, b.source = b.source, a.source


def both_twins(zh, en):
    """Plant the same thing in both twins of the derivation, so that only one rule can object."""

    def plant(notebook):
        find(notebook, "由 {eq}").source += "\n\n" + zh
        find(notebook, "From {eq}").source += "\n\n" + en

    return plant


def drop_sentence(*dropped):
    def plant(notebook):
        for language, words in (("zh", "{claim}`one` 第一"), ("en", "{claim}`one` The")):
            if language in dropped:
                cell = find(notebook, words)
                cell.source = cell.source.replace("{claim}`one` ", "")

    return plant


def both_titles(notebook):
    for cell in notebook.cells[:2]:
        cell.source = cell.source.replace("# ", "## ")


def reason_missing(notebook):
    notebook.metadata["book"] = {"omits": {"slider": " "}}


def unknown_part(notebook):
    notebook.metadata["book"] = {"omits": {"slidr": "nothing moves"}}


def huge(notebook):
    find(notebook, "x = 1").outputs = [stream("x" * 79 + "\n") if n else stream("") for n in (0, 1)]
    find(notebook, "x = 1").outputs[1].text *= 19_000


def noise(size):
    return base64.b64encode(np.random.default_rng(0).bytes(size)).decode()


def heavy_figures(notebook):
    figure = f'<figure class="plot"><!-- {noise(230_000)} --></figure>'
    find(notebook, "plt.show()").outputs = [shown(text_html=figure)]


def heavy_slider(notebook):
    figure = f'<figure class="slider"><!-- {noise(60_000)} -->{BOTH}<figcaption></figcaption></figure>'
    find(notebook, "slider(draw)").outputs = [shown(text_html=figure)]


def no_slider_caption(notebook):
    figure = f'<figure class="slider">{BOTH}</figure>'
    find(notebook, "slider(draw)").outputs = [shown(text_html=figure)]


def no_caption(notebook):
    del find(notebook, "plt.show()").metadata["caption"]


def caption_in_one_language(notebook):
    find(notebook, "plt.show()").metadata["caption"] = {"zh": "图", "en": " "}


def stale_caption(notebook):
    find(notebook, "x = 1").metadata["caption"] = ALT


def english_figure(notebook):
    find(notebook, "plt.show()").outputs = [
        shown(text_html=PICTURE, text_plain="figure\nlearning rate")]  # fmt: skip


PLANTED = [
    ("executed", never_executed),
    ("executed", extra_code("  ")),
    ("executed", extra_code("print(1)")),
    ("small", huge),
    ("small", heavy_figures),
    ("small", heavy_slider),
    ("caption", no_slider_caption),
    ("caption", no_caption),
    ("caption", caption_in_one_language),
    ("caption", stale_caption),
    *[
        ("reproducible", extra_code(source))
        for source in (
            "interact(draw, x=3)", "out = Output()", "clear_output()", "%matplotlib inline", "!ls",
            "# NBVAL_SKIP", "np.random.seed(0)", "x = np.random.rand()",
            "rng = np.random.default_rng()", "import random", "from tqdm import trange",
        )
    ],
    ("reproducible", tagged("slider", "nbval-skip")),
    ("reproducible", tagged("slider", "raises-exception")),
    ("clean-output", output_of("exercises", nbformat.v4.new_output("error", ename="E", evalue=""))),
    ("clean-output", output_of("exercises", stream("RuntimeWarning: overflow\n", "stderr"))),
    ("clean-output", output_of("exercises", stream("<object at 0x7f3a5c0d>\n"))),
    ("clean-output", output_of("exercises", stream("/home/me/minigrad/lab/data.py\n"))),
    ("clean-output", output_of("exercises", shown(text_plain="[<matplotlib.lines.Line2D>]"))),
    ("clean-output", output_of("exercises", shown(text_plain="Text(0.5, 1.0, 'Adam')"))),
    ("measured-times", extra_code("t = perf_counter()", stream("3.1 ms\n"))),
    ("measured-times", extra_code("t = process_time()", stream("3.1 ms\n"))),
    ("measured-times", tagged("slider", "nbval-ignore-output")),
    ("long-cells", extra_code("\n".join(["x = 1"] * 31), tags=["show-input"])),
    ("code-width", extra_code("x = " + "1 + " * 21 + "12345")),
    ("code-width", extra_code("x = f('甲 · " + "a" * 81 + "')")),
    ("code-width", extra_code("x = f('" + "甲" * 30 + " · " + "a" * 60 + "')")),
    ("solutions", tagged("exercises", "hide-cell")),
    ("solutions", tagged("exercises", "solution")),
    ("alt-text", no_alt),
    ("alt-text", alt_in_one_language),
    ("alt-text", stale_alt),
    ("alt-text", both_twins("![](a.png)", "![](a.png)")),
    ("html-languages", output_of("exercises", shown(text_html='<p data-lang="zh">文</p>'))),
    ("sides", both_twins("左图是损失。", "The loss comes first.")),
    ("sides", both_twins("损失（右）下降。", "The loss falls.")),
    ("sides", both_twins("损失在前。", "On the left is the loss.")),
    ("sides", both_twins("损失在前。", "The loss comes first (left).")),
    ("sides", both_twins("损失在前。", "The loss, and the steps. Left, the loss.")),
    ("sides", both_twins("两幅图。左：损失；右：步数。", "The loss and the steps.")),
    ("sides", described(alt={"zh": "左边是损失，右边是步数。", "en": "The loss, and steps"})),
    ("sides", described(alt={"zh": "损失与步数", "en": "Left, the loss. Right, steps."})),
    ("sides", described(caption={"zh": "损失与步数", "en": "Loss; right: steps."})),
    ("sides", output_of("slider", shown(text_html=moving("左：损失；右：步数", "Look.")))),
    ("sides", output_of("slider", shown(text_html=moving("损失", "Watch the left panel.")))),
    ("paired", drop_twin),
    ("paired", drop_last_twin),
    ("paired", swap_twins),
    ("paired", code_between_twins),
    ("paired", untag),
    ("paired", both_languages),
    ("paired", language_of_code),
    ("title", both_titles),
    ("title", both_twins("#### 太深", "#### Too deep")),
    ("title", both_twins("# 又一个", "# Another")),
    ("sections", replace("## 从零实现", "## 实现")),
    ("sections", replace("## From scratch", "## Code")),
    ("sections", swap_sections),
    ("sections", reason_missing),
    ("sections", unknown_part),
    ("contents", output_of("slider")),
    ("contents", output_of("claims")),
    ("contents", replace("<details><summary>答案</summary>", "答案")),
    ("contents", replace("<details><summary>解答</summary>", "解答")),
    ("contents", replace("## 参考文献\n\n```{footbibliography}\n```", "## 参考文献")),
    ("checked", output_of("derivation", stream("✓ eq:n\n"))),
    ("checked", both_twins("$$ x $$ (eq:m)", "$$ x $$ (eq:m)")),
    ("twin-headings", replace("### Number 2", "Number 2")),
    ("twin-headings", replace("### Number 2", "#### Number 2")),
    ("twin-labels", replace("$$ (eq:m)\n\nFrom", "$$ (eq:v)\n\nFrom")),
    ("twin-labels", replace("From {eq}`eq:m`", "From {eq}`eq:v`")),
    ("twin-equations", replace("m_{t-1} + (1 - β_1) \\,", "m_{t-1} - (1 - β_1) \\,")),
    ("twin-numbers", replace("for 10 steps", "for 100 steps")),
    ("twin-numbers", replace("共 10 步", "共十步")),
    ("twin-numbers", replace("with $β_1 = 0.9$", "with $β_1 = 0.99$")),
    ("twin-citations", replace("see {footcite:p}`kingma2015adam`", "see {footcite:p}`x2015`")),
    ("twin-links", replace("[momentum](momentum.ipynb)", "[momentum](sgd.ipynb)")),
    ("twin-blocks", replace("From {eq}`eq:m` all follows.\n\n```python\nm = 0",
                            "From {eq}`eq:m` all follows.\n\n```python\nm = 1")),
    ("twin-blocks", replace("From {eq}`eq:m` all", "- From {eq}`eq:m` all")),
    ("claimed", output_of("claims")),
    ("claimed", drop_sentence("zh", "en")),
    ("claimed", drop_sentence("en")),
    ("claimed", replace("{claim}`one` The first", "{claim}`two` The first")),
    ("claimed", replace("{claim}`one` The first", "As said, {claim}`one` the first")),
    ("claimed", replace("{claim}`one` The first", "{claim}`one`\n\nThe first")),
    ("claimed", both_twins("{claim}`two` 又一条。", "{claim}`two` One more.")),
    ("claimed", both_twins("- {claim}`one` 又说一遍。", "- {claim}`one` Said twice.")),
    ("run-numbers", both_twins("共 {num}`gone` 步", "{num}`gone` steps")),
    ("run-numbers", both_twins("共 {num}`one.gone` 步", "{num}`one.gone` steps")),
    ("run-numbers", both_twins("共 {num}`.ratio` 步", "{num}`.ratio` steps")),
    ("run-numbers", both_twins("共 {num}`one.ratio:.4f` 步", "{num}`one.ratio:.4f` steps")),
    ("run-numbers", both_twins("共 {num}`one.ratio:.2q` 步", "{num}`one.ratio:.2q` steps")),
    ("run-numbers", both_twins("共 $x = {num}`one.steps`$ 步", "$x = {num}`one.steps`$ steps")),
    ("run-numbers", both_twins("$$x = {num}`one.steps`$$", "$$x = {num}`one.steps`$$")),
    ("run-numbers", both_twins("### {num}`one.steps` 步", "### {num}`one.steps` steps")),
    ("run-numbers", both_twins('<i title="{num}`one.steps`">步</i>', '<i title="{num}`one.steps`">a</i>')),
    ("run-numbers", replace("{num}`one.steps` steps", "{num}`one.ratio:.0f` steps")),
    ("run-numbers", replace("too long", "too long, not {num}`one.ratio:.2f`")),
    ("run-numbers", extra_code("record(a=1)", *[shown(**{NUMBERS: {"a": 1}})] * 2)),
    ("run-numbers", extra_code("claim(…)", shown(**{CLAIM: CLAIMED}))),
    ("typed-numbers", both_twins("误差 3.1%", "an error of 3.1%")),
    ("typed-numbers", both_twins("| 3.1 | 4 |", "| 3.1 | 4 |")),
    ("chinese-punctuation", replace("可得结论。", "可得结论.")),
    ("chinese-punctuation", replace("步，参见", "步,参见")),
    ("chinese-punctuation", replace("一阶矩（first moment）见", "一阶矩(first moment)见")),
    ("chinese-punctuation", replace("all follows.", "all follows。")),
    ("chinese-spacing", replace("共 10 步", "共10步")),
    ("chinese-spacing", replace("由 {eq}`eq:m` 可得", "由{eq}`eq:m`可得")),
    ("chinese-spacing", replace("取 $β_1", "取$β_1")),
    ("chinese-spacing", replace("步，参见", "步， 参见")),
    ("chinese-spacing", replace("可得结论", "可得\n结论")),
    ("terms", replace("可得结论", "可得偏见校正")),
    ("halves", extra_code("print('x · y')", stream("甲 · a\n"))),
    ("halves", extra_code("# a · 甲")),
    ("halves", extra_code("# 甲 · a 乙")),
    ("halves", extra_code("# 甲 · a · b")),
    ("halves", extra_code("x = 'η · λ'")),
    ("halves", extra_code('f"{\'甲 · a\'} 乙"')),
    ("halves", extra_code('f"第 {n} 步 · step {m}"')),
    ("halves", extra_code('x = {"误差 · error": 1, "误差 · the error": 2}')),
    ("halves", extra_code("x = 1", stream("甲 · a   乙 · b\n"))),
    ("halves", output_of("exercises", shown(text_html="<td>甲 · 乙</td>"))),
    ("untranslated", english_figure),
    ("untranslated", extra_code("# the mean")),
    ("untranslated", extra_code("# 均值")),
    ("untranslated", extra_code("# 均值 mean · the mean")),
    ("untranslated", extra_code('def f():\n    """The mean."""')),
    ("untranslated", extra_code('x = {"均值": 1}')),
    ("untranslated", output_of("exercises", stream("3 steps\n"))),
    ("untranslated", output_of("exercises", stream("3 步\n"))),
    ("untranslated", output_of("exercises", stream("正常 · η = 0.1: fine with it\n"))),
    ("untranslated", output_of("exercises", shown(text_html="<td>step</td>"))),
    ("untranslated", output_of("exercises", shown(text_html="<td>步</td>"))),
    ("untranslated", output_of("exercises", shown(text_html=BOTH.replace("文", "text")))),
    ("untranslated", output_of("exercises", shown(text_html=BOTH.replace("text", "文")))),
    ("language-said", extra_code("from minigrad.lab import check")),
    ("printed-whole", extra_code('print("步数 · steps:", n)', stream("步数 · steps: 3\n"))),
]  # fmt: skip


@pytest.mark.parametrize(
    "rule, plant", PLANTED, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(PLANTED)]
)
def test_planted_fault(rule, plant, tmp_path):
    notebook = specimen()
    plant(notebook)
    faults = lint(write(tmp_path, notebook))
    assert rule in {fault.rule for fault in faults}, [str(fault) for fault in faults]
    assert all("specimen.md" in str(fault) for fault in faults)


def test_canonical_form(tmp_path):
    def pretty(notebook):
        return json.dumps(json.loads(canonical(notebook)), indent=2)

    def windows(notebook):
        return canonical(notebook).replace("\n", "\r\n")

    for form in (pretty, windows, lambda notebook: canonical(notebook).rstrip()):
        path = write(tmp_path, specimen())
        path.write_bytes(form(specimen()).encode())
        assert {fault.rule for fault in lint(path)} == {"canonical-form"}


def test_every_rule_has_a_planted_fault():
    assert set(RULES) == {rule for rule, _ in PLANTED} | {"canonical-form", "in-step"}


@pytest.mark.parametrize(
    "zh, en",
    [
        ("左边是损失。上图左右对称。", "On the right, the sum is the loss."),
        ("右式不为负，左端最低。", "The left side is the loss; its left end is lowest."),
        ("曲线的左侧比右侧陡。", "Nothing is left of it, and the right one is steeper on the left."),
    ],
)
def test_sides_of_equations_and_curves(zh, en, tmp_path):
    notebook = specimen()
    both_twins(zh, en)(notebook)
    assert not [fault for fault in lint(write(tmp_path, notebook)) if fault.rule == "sides"]


def test_a_fault_says_where(tmp_path):
    notebook = specimen()
    replace("可得结论", "可得偏见校正")(notebook)
    (fault,) = lint(write(tmp_path, notebook))
    assert str(fault) == (
        f"{fault.path}:{fault.line}: [terms] 偏见校正 should be 偏差修正 (bias correction)"
    )
    cell = fault.path.read_text(encoding="utf-8").split("\n")[fault.line - 1 :]
    assert cell[0] == "## 推导" and "偏见校正" in "".join(cell[:10])


def test_a_part_may_be_left_out_with_a_reason(tmp_path):
    notebook = specimen()
    for words in ("## 动手", "## Slider", "slider(draw)"):
        notebook.cells.remove(find(notebook, words))
    assert lint(write(tmp_path, notebook))
    notebook.metadata["book"] = {"omits": {"slider": "the whole chapter is one table"}}
    assert lint(write(tmp_path, notebook)) == []


def test_an_older_chapter_may_have_typed_numbers(tmp_path):
    notebook = specimen()
    both_twins("误差 3.1%", "an error of 3.1%")(notebook)
    assert {fault.rule for fault in lint(write(tmp_path, notebook))} == {"typed-numbers"}
    notebook.metadata["book"] = {"omits": {"typed-numbers": "older than the rule"}}
    assert lint(write(tmp_path, notebook)) == []


@pytest.mark.parametrize("text, found", [
    ("它用 3.1 秒。", ["3.1"]), ("about 3.1% more, or 4.5", ["3.1", "4.5"]), ("−0.06 ± 0.01", ["0.06", "0.01"]),
    ("$x = 0.1$ and `0.1`", []), ("见 2.1 节与图 3.2", []), ("Section 2.1, NumPy 2.4, Figure 3.2", []),
    ("It is 0.9 {footcite:p}`k`. Here 0.8.", ["0.8"]), ("1.2.3 and 192.168.0.1", []),
    ("{num}`a.b:.2f`", []), ("12 步，1,000 次", []), ("```python\nx = 0.1\n```\n", []),
])  # fmt: skip
def test_typed_decimals(text, found):
    assert typed_decimals(text) == found


@pytest.mark.parametrize("zh, en", [
    ("共 1000 步", "1,000 steps"),
    ("步长 10⁻³", "a step of 10⁻³"),
    ("β₁ 与 L2、float32、Conv2d", "L1 and β₂"),
    ("**2** 倍于 `x[3]`", "2 times [that](a-7.html)"),
    ("1. 甲\n2. 乙", "1. a\n2. b"),
    ("快 ２ 倍", "2 times"),
    ("不是 1，100 步", "not 1, 100 steps"),
])  # fmt: skip
def test_numbers_that_are_the_same(zh, en):
    assert numbers(zh) == numbers(en)


@pytest.mark.parametrize("source, output", [
    ("# 第一步 · the first step", "η = 0.1, β₂: 3.16\n[31.62  nan]\n"),
    ("# m_t = β1 m_{t-1} + (1 - β1) g_t,  max(a, b), exp, np.sqrt(x)", "Adam  SGD  float32\n"),
    ("# 一行放不下 ·\n# it does not fit a line", "Adam 的步长：3 · Adam's step: 3\n"),
    ('ax.plot(x, color="red", label="$\\\\eta$")', "✓ 第 1 题 · exercise 1  |Δ| ≤ 1e-12\n"),
    ('print(f"第 {n} 步 · step {n}: {x: .3f}")', "第 3 步 · step 3:  0.100\n"),
    ('check("η = 0.1：正常 · η = 0.1: fine with it", True)', "✓ η = 0.1：正常 · η = 0.1: fine\n"),
])  # fmt: skip
def test_words_in_both_languages(source, output, tmp_path):
    notebook = specimen()
    extra_code(source, stream(output))(notebook)
    assert [str(fault) for fault in lint(write(tmp_path, notebook))] == []


def test_prose_leaves_what_is_read():
    text = "**看。** 又 `code` 与 $x^2$ 和 [Adam](a.ipynb)<br>\n\n```python\nx = 1\n```\n$$ y $$ (eq:y)\n"
    assert re.sub(r"\s+", " ", prose(text)).strip() == "看。又 X 与 X 和 Adam"


def test_approved_terms_that_contain_a_banned_one(tmp_path):
    notebook = specimen()
    replace("可得结论", "可得动力等距与动力学")(notebook)
    assert lint(write(tmp_path, notebook)) == []
    assert ("momentum", "动量", ["动力"]) in [(r["en"], r["zh"], r["avoid"]) for r in glossary()]


def test_every_work_can_be_found():
    """A doi, an address or an arXiv number; of these, books and theses of 1939 to 1980, none is known."""
    entries = re.split(r"\n(?=@)", (CHAPTERS / "references.bib").read_text(encoding="utf-8"))
    missing = [
        re.search(r"\{([^,]+),", entry)[1]
        for entry in entries
        if not re.search(r"\n\s*(doi|url|eprint)\s*=", entry)
    ]
    assert missing == [
        "speelpenning1980compiling", "karush1939minima", "powell1969method",
        "luce1959individual", "sterbenz1974floating",
    ]  # fmt: skip
