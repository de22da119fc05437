"""To build again gives byte for byte what to build anew gives, whatever has changed."""

import json
import os
import shutil
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from minigrad.lab import figures
from minigrad.lab.claims import CLAIM
from press import build
from press.bilingual import TWIN
from press.notebook import ROOT
from small_book import code, killed, markdown, notebook, shown, write_book

BACK = ("claims", "glossary", "bibliography")
WORKS = """\
@book{gauss1801, author = {Gauss, Carl}, title = {Disquisitiones}, publisher = {F}, year = 1801}
@book{euler1748, author = {Euler, Leonhard}, title = {Introductio}, publisher = {B}, year = 1748}
"""
MARK = "<!-- not written again -->"
SCRIPT = """\
from minigrad.lab import data

def train(lr, seed):
    return data.digits()
"""


def drawn(height):
    figure, axes = plt.subplots(figsize=(3.2, 2))
    axes.plot([0, 1], [0, height], label="线 · line")
    axes.set(xlim=(0, 1), ylim=(0, 2), xlabel="步 · step")
    bundle = figures.bundle(figure)
    plt.close()
    return shown(**bundle)


def figure(height):
    return code(
        "plot()", [drawn(height)], alt={"zh": "一条线", "en": "A line"},
        caption={"zh": "图注", "en": "Caption"},
    )  # fmt: skip


def said(name, verdict="holds", ratio=3.162):
    return shown(**{CLAIM: {"name": name, "verdict": verdict, "numbers": {"ratio": ratio}}})


def second():
    return notebook(
        markdown("zh", "# 第二章\n\n第一段，说的是学习率 {footcite:p}`gauss1801`。\n\n$$a=b$$ (eq:first)\n\n## 术语\n\n偏差修正。"),
        markdown("en", "# The second chapter\n\nThe first paragraph, on learning rates {footcite:p}`gauss1801`.\n\n$$a=b$$ (eq:first)\n\n## Terms\n\nThe bias correction."),
        figure(1),
        code('stored = load("second.json")\nratio = stored["tuned"].best("lr")\nprint("✓ eq:first")',
             [{"output_type": "stream", "name": "stdout", "text": "✓ eq:first\n"}]),
        code('claim("first", ratio > 3)', [said("first")]),
        figure(2),
        markdown("zh", "## 实测\n\n{claim}`first` 步长是 {num}`.ratio:.2f` 倍。\n\n由 {eq}`eq:first` 与 {see}`figure-terms`。\n\n```{footbibliography}\n```"),
        markdown("en", "## Measured\n\n{claim}`first` Steps are {num}`.ratio:.2f` times too long.\n\nBy {eq}`eq:first` and {see}`figure-terms`.\n\n```{footbibliography}\n```"),
    )  # fmt: skip


def adam():
    links = "{eq}`eq:first` {see}`claim-first` {see}`part/second#figure-terms-2` [.](../part/second.ipynb)"
    return notebook(
        markdown("zh", f"# 亚当\n\n鞍点与偏差修正，见 {links}。\n\n## 一\n\n$$c=d$$ (eq:adam)\n\n{{footcite:t}}`euler1748`\n\n```{{footbibliography}}\n```"),
        markdown("en", f"# Adam\n\nA saddle point and the bias correction, see {links}.\n\n## One\n\n$$c=d$$ (eq:adam)\n\n{{footcite:t}}`euler1748`\n\n```{{footbibliography}}\n```"),
        code('rng = default_rng(0)\nclaim("adam", rng.random() > 2)', [said("adam", "fails", 1.5)]),
        markdown("zh", "{claim}`adam` 快 {num}`.ratio:.2f` 倍，见 [前一章](../part/second.ipynb)。"),
        markdown("en", "{claim}`adam` It is {num}`.ratio:.2f` times faster, see [before](../part/second.ipynb)."),
    )  # fmt: skip


def results(seeds):
    axes = {"lr": [0.1, 1.0], "epochs": [5, 60], "seed": [*range(seeds)]}
    return json.dumps({"results": {"tuned": {"run": "train", "axes": axes}}})


class Book:
    """A book that is changed step by step."""

    def __init__(self, folder: Path) -> None:
        back = "".join(f"  - file: chapters/back/{name}\n" for name in BACK)
        write_book(folder, second(), (
            "- caption: 优化器 · Optimizers\n  chapters:\n  - file: chapters/optimizers/adam\n"
            f"- caption: 附录 · Back matter\n  chapters:\n  - file: chapters/notation\n{back}"
        ))  # fmt: skip
        self.folder, self.chapters = folder, folder / "chapters"
        self.replace("../_config.yml", ("book_slider: part/second", 'book_slider: ""'))
        for part in ("back", "optimizers"):
            (self.chapters / part).mkdir()
        for name in BACK:
            shutil.copy(ROOT / "chapters" / "back" / f"{name}.ipynb", self.chapters / "back")
        self.write("optimizers/adam.ipynb", json.dumps(adam(), ensure_ascii=False))
        page = notebook(markdown("zh", "# 记号\n\n动量。"), markdown("en", "# Notation\n\nAnd x."))
        self.write("notation.ipynb", json.dumps(page, ensure_ascii=False))
        self.write("part/second.py", SCRIPT)
        self.write("part/second.json", results(20))
        self.write("references.bib", WORKS)

    def write(self, name: str, text: str) -> None:
        (self.chapters / name).write_text(text, encoding="utf-8")

    def replace(self, name: str, *pairs: tuple[str, str]) -> None:
        text = (self.chapters / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new)
        self.write(name, text)

    def cells(self, name: str) -> tuple[dict, list[dict]]:
        content = json.loads((self.chapters / name).read_text(encoding="utf-8"))
        return content, content["cells"]

    # -- What can change

    def text(self) -> None:
        self.replace("part/second.ipynb", ("第一段", "开头一段"), ("The first par", "The opening par"))

    def claim(self) -> None:
        self.replace("part/second.ipynb", ('"holds"', '"when"'), ("3.162", "2.718"), ("too long", "too short"))

    def scale_of_a_claim(self) -> None:
        self.write("part/second.json", results(30))

    def equation(self) -> None:
        self.replace("part/second.ipynb", ("$$a=b$$", "$$a=c$$"))

    def label_of_an_equation(self) -> None:
        for name in ("part/second.ipynb", "optimizers/adam.ipynb"):
            self.replace(name, ("eq:first", "eq:renamed"))

    def equation_before_another(self) -> None:
        self.replace("optimizers/adam.ipynb", ("$$c=d$$", "$$e=f$$ (eq:new)\\n\\n$$c=d$$"))

    def picture(self) -> None:
        content, cells = self.cells("part/second.ipynb")
        cells[2]["outputs"] = [drawn(1.5)]
        self.write("part/second.ipynb", json.dumps(content, ensure_ascii=False))

    def figure_before_another_removed(self) -> None:
        content, cells = self.cells("part/second.ipynb")
        del cells[2]
        self.write("part/second.ipynb", json.dumps(content, ensure_ascii=False))
        self.replace("optimizers/adam.ipynb", ("figure-terms-2", "figure-terms"))

    def term_used_earlier(self) -> None:
        self.replace("part/second.ipynb", ("偏差修正", "偏差修正与鞍点"), ("correction.", "correction, a saddle point."))

    def term_no_longer_used(self) -> None:
        self.replace("part/second.ipynb", ("偏差修正", "修正"), ("The bias correction", "It"))

    def term_on_a_page_without_number(self) -> None:
        self.replace("notation.ipynb", ("动量。", "动量、权重。"), ("And x.", "And x, of momentum."))

    def cited_work(self) -> None:
        self.replace("part/second.ipynb", ("gauss1801", "euler1748"))

    def bibliography(self) -> None:
        self.replace("references.bib", ("1748", "1749"), ("{euler1749", "{euler1748"))

    def heading(self) -> None:
        self.replace("part/second.ipynb", ("## 实测", "## 量得"), ("## Measured", "## As measured"))

    def title(self) -> None:
        self.replace("part/second.ipynb", ("第二章", "第三章"), ("The second", "The third"))

    def name_of_a_chapter(self) -> None:
        for suffix in ("ipynb", "py", "json"):
            (self.chapters / f"part/second.{suffix}").rename(self.chapters / f"part/third.{suffix}")
        self.replace("optimizers/adam.ipynb", ("part/second", "part/third"))
        self.replace("first.ipynb", ("part/second", "part/third"))
        self.replace("../_toc.yml", ("part/second", "part/third"))
        self.replace("news.yml", ("part/second", "part/third"))

    def citation(self) -> None:
        self.replace("../CITATION.cff", ("version: ", "version: 9."))

    def chapter_removed(self) -> None:
        (self.chapters / "optimizers" / "adam.ipynb").unlink()
        lines = "- caption: 优化器 · Optimizers\n  chapters:\n  - file: chapters/optimizers/adam\n"
        self.replace("../_toc.yml", (lines, ""))


STEPS = [
    Book.text, Book.claim, Book.scale_of_a_claim, Book.equation, Book.label_of_an_equation,
    Book.equation_before_another, Book.picture, Book.figure_before_another_removed,
    Book.term_used_earlier, Book.term_no_longer_used, Book.term_on_a_page_without_number,
    Book.cited_work, Book.bibliography, Book.heading, Book.title, Book.name_of_a_chapter,
    Book.citation, Book.chapter_removed,
]  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def difference(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


@pytest.fixture
def quick(monkeypatch):
    """Editions are built in processes that begin with everything imported."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["press.build", "press.editions", "jupyter_book.config"])
    monkeypatch.setattr(build, "get_context", lambda _: context)
    return context


def faults(book: Book, folder: Path) -> list[str]:
    """What is not as it is when the book is built anew, in another folder."""
    again = files(book.folder / "_build" / "html")
    shutil.copytree(book.folder, folder, ignore=shutil.ignore_patterns("_build"))
    anew = files(build.build(folder))
    shutil.rmtree(folder)
    return difference(again, anew)


def test_building_again_gives_what_building_anew_gives(tmp_path, quick):
    book = Book(tmp_path / "book")
    before, found = files(build.build(book.folder)), {}
    left = book.folder / "_build" / ".cache" / "en" / "html" / "py-modindex.html"
    left.write_text("of a build with other settings", encoding="utf-8")
    for step in STEPS:
        step(book)
        again = files(build.build(book.folder))
        assert difference(before, again), f"{step.__name__} has changed nothing"
        found[step.__name__] = faults(book, tmp_path / "anew")
        before = again
    assert not any(found.values()), found


def test_what_was_read_before_a_build_was_killed_is_written_after_it(tmp_path, quick):
    book = Book(tmp_path / "book")
    build.build(book.folder)
    book.claim()
    cache = book.folder / "_build" / ".cache"
    for language in TWIN:
        out = book.folder / "_build" / "html" / language
        arguments = book.folder, build.settings(book.folder), language, out, cache / language, False
        process = quick.Process(target=killed, args=arguments)
        process.start()
        process.join()
        assert process.exitcode == 9
    build.build(book.folder)
    assert faults(book, tmp_path / "anew") == []


def test_a_style_sheet_is_renewed_without_writing_pages_and_a_new_press_makes_all_anew(tmp_path):
    book = Book(tmp_path / "book")
    for name in ("press", "chapters/glossary.csv"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, book.folder / name)

    def built() -> dict[str, bytes]:
        run = subprocess.run(
            [sys.executable, "-m", "press.build"], cwd=book.folder, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": f"{book.folder}{os.pathsep}{ROOT}"}, timeout=900,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        return files(book.folder / "_build" / "html")

    before = built()
    page = book.folder / "_build" / ".cache" / "en" / "html" / "part" / "second.html"
    page.write_text(page.read_text(encoding="utf-8") + MARK, encoding="utf-8")
    book.replace("../press/theme/book.css", ("body {", "body { orphans: 3;"))
    again = built()
    name = "en/part/second.html"
    assert again[name].endswith(MARK.encode()) and before[name] != again[name].removesuffix(MARK.encode())
    again[name] = again[name].removesuffix(MARK.encode())
    shutil.rmtree(book.folder / "_build")
    assert difference(again, built()) == []

    book.replace("../press/scale.py", ('"digits", ', ""))
    again = built()
    assert b"digits" in before["en/back/claims.html"] and b"digits" not in again["en/back/claims.html"]
    shutil.rmtree(book.folder / "_build")
    assert difference(again, built()) == []
