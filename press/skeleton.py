"""Begin a chapter of the plan: ``python -m press.skeleton losses/focal``.

Lays ``chapters/losses/focal.md``, a text with all parts of a chapter, in order and in both
languages, and gives it its line in ``_toc.yml``. What is to be written stands in comments;
`press.lint` says what is missing still.
"""

import argparse
import re
from pathlib import Path

from .contents import PREFIX, Part, contents, plan
from .notebook import ROOT
from .words import one_language

#: The parts of a chapter, in order: (name, 中文, English, 该写什么, what to write).
PARTS = [
    ("card", "卡片", "Card", None, None),
    ("problem", "问题", "The problem",
     "前一个方法在共用的测试问题上失败：设置已调好，失败有检验。",
     "the predecessor fails on a shared test problem, its settings tuned, the failure checked"),
    ("idea", "想法", "The idea",
     "公式之前：用文字和一幅图说明它为什么会有用。",
     "before any formula: in words and one picture, why the thing should work"),
    ("predict", "先猜", "Predict", "运行之前的一个问题。", "a question before the run"),
    ("derivation", "推导", "Derivation",
     "完整的推导；符号在首次出现处定义；每个带编号的公式之后是检验它的程序。",
     "complete; symbols defined where they first appear; after each numbered equation its check"),
    ("from-scratch", "从零实现", "From scratch",
     "至多 25 行，公式写在算它的那一行之上；与 minigrad 的结果相同。",
     "at most 25 lines, the formula above the line that computes it; equal to minigrad's"),
    ("conventions", "约定之争", "Conventions",
     "论文、教科书与程序库的分歧，逐一运行。",
     "where papers, textbooks and libraries differ, each difference run"),
    ("experiment", "实验", "Experiment",
     "论文里的一张图或表，缩小规模：论文说，我们看到，为什么。",
     "a figure or table of the paper at our scale: the paper says, we see, why"),
    ("slider", "动手", "Slider",
     "一张可以拖动的图，旋钮就是本章的想法；说明该试什么。",
     "one figure whose knob is the chapter's idea, with what to try"),
    ("claims", "传言与实测", "Claims",
     "人们怎么说，出处，实测的结论。", "what people say, where, and the measured verdict"),
    ("breaks", "何时失灵", "When it breaks",
     "构造一个调参也救不了的失败。", "a constructed failure that survives tuning"),
    ("practice", "怎样用", "In practice",
     "设什么，看什么，时间与内存的代价，还可以用什么。半页。",
     "what to set, what to watch, cost in time and memory, what to use instead: half a page"),
    ("summary", "小结", "Summary", "五条，条条属实。", "five bullets, each true word for word"),
    ("exercises", "练习", "Exercises", None, None),
    ("references", "参考文献", "References", None, None),
]  # fmt: skip

CARD = {
    "zh": ["论文", "更新", "额外内存", "默认值", "预备知识", "阅读时间", "对应的类", "谁在用"],
    "en": ["Paper", "Update", "Extra memory", "Defaults", "You need", "Reading time", "Class",
           "Used by"],
}  # fmt: skip
EXERCISES = {
    "zh": ("练习", "解答", ["证明", "编程", "找错", "思考"]),
    "en": ("Exercise", "Solution", ["proof", "code", "find the bug", "think"]),
}
IMPORTS = """\
import matplotlib.pyplot as plt
import numpy as np

from minigrad.lab import check, check_close, claim, language, record, slider, table

language("中文 · English")
"""


def skeleton(title: str) -> str:
    """The text of a chapter with the title ``"中文 · English"``, as MyST Markdown."""
    cells = []
    for number, (name, zh, en, *hints) in enumerate(PARTS):
        for language, heading, hint in zip(("zh", "en"), (zh, en), hints):
            text = f"## {heading}\n\n{body(name, language, hint)}"
            if number == 0:
                text = f"# {one_language(title, language)}\n\n{text}"
            cells.append(f'+++ {{"tags": ["lang-{language}"]}}\n\n{text}')
        if name == "card":
            cells.append(f"```{{code-cell}} ipython3\n{IMPORTS}```")
    return "\n\n".join(cells) + "\n"


def body(name: str, language: str, hint: str | None) -> str:
    """What a part contains before anybody has written it."""
    if name == "card":
        rows = "\n".join(f"| {row} | … |" for row in CARD[language])
        return f"| | |\n|---|---|\n{rows}"
    if name == "exercises":
        exercise, solution, kinds = EXERCISES[language]
        kind_of = "（{}）。" if language == "zh" else " ({}). "
        return "\n\n".join(
            f"**{exercise} {n}**{kind_of.format(kind)}…\n\n"
            f"<details><summary>{solution}</summary>\n\n…\n\n</details>"
            for n, kind in enumerate(kinds, 1)
        )
    if name == "references":
        return "```{footbibliography}\n```"
    if name == "predict":
        answer = "答案" if language == "zh" else "Answer"
        return f"<!-- {hint} -->\n\n<details><summary>{answer}</summary>\n\n…\n\n</details>"
    return f"<!-- {hint} -->"


def listed(toc: str, name: str, parts: list[Part]) -> str:
    """The text of ``_toc.yml`` with a planned chapter among those that are written."""
    toc, changed = re.subn(rf"(?m)^( *- {PREFIX}{name}):.*$", r"\1", toc)
    assert changed == 1, name
    line = f"      - file: {PREFIX}{name}\n"
    before: list[str] = []
    for part in parts:
        names = [entry.name for entry in part.entries]
        written = [entry.name for entry in part.entries if entry.title is None]
        if name in names:
            here = [one for one in written if names.index(one) < names.index(name)]
            if here:  # after the last one written before it in its part
                after = f"      - file: {PREFIX}{here[-1]}\n"
                return toc.replace(after, after + line, 1)
            head = f"  - caption: {part.caption}\n    chapters:\n"
            if written:  # before all of its part
                return toc.replace(head, head + line, 1)
            after = f"      - file: {PREFIX}{before[-1]}\n"  # a new part
            return toc.replace(after, after + head + line, 1)
        before += written
    raise ValueError(f"{name} is not in the plan")


def begin(name: str, root: Path = ROOT) -> Path:
    """Write the text of a chapter and its line of ``_toc.yml``; returns the text's path.

    Raises:
        ValueError: the chapter is not in the plan, or is written already.
    """
    parts = plan(contents(root)["meta"])
    titles = {entry.name: entry.title for part in parts for entry in part.entries}
    if not titles.get(name):
        missing = ", ".join(one for one, title in titles.items() if title)
        why = "is written already" if name in titles else "is not in the plan (_toc.yml)"
        rest = f"to be written are: {missing}" if missing else "nothing is left to be written"
        raise ValueError(f"{name} {why}; {rest}")
    path, toc = root / PREFIX / f"{name}.md", root / "_toc.yml"
    path.parent.mkdir(exist_ok=True)
    with open(path, "x", encoding="utf-8") as file:
        file.write(skeleton(titles[name]))
    toc.write_text(listed(toc.read_text(encoding="utf-8"), name, parts), encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Begin a chapter of the plan.")
    parser.add_argument("chapter", help="part/name, as in the plan of _toc.yml")
    name = parser.parse_args().chapter
    try:
        path = begin(name)
    except (ValueError, FileExistsError) as error:
        parser.error(str(error))
    print(f"{path.relative_to(ROOT)} is laid. When it can be run: make chapter C={name}")


if __name__ == "__main__":
    main()
