"""Notebooks of one edition have nothing that only the site understands (press/shelf.py)."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from pybtex.database import parse_string

from press import build
from press.contents import plan
from press.notebook import ROOT, Notebook
from press.shelf import Shelf
from small_book import PLAN, code, markdown, notebook, shown

WORKS = parse_string(r"""
@misc{b, author = {Ba, J. and Li, W.}, title = {On {$x_1$} and [y]. Part 1}, year = 2015, eprint = {1412.6980}, archiveprefix = {arXiv}}
@misc{a, author = {Qu, A. and Li, W. and Wu, S.}, title = {First}, year = 2016, doi = {10.1000/x_y}}
@misc{c, title = {Without an Author}, year = 2017, url = {https://example.org/c}}
""", "bibtex").entries  # fmt: skip
PARTS = plan(yaml.safe_load(PLAN)["meta"])
PLOT = '<figure class="plot"><img src="x" alt="Two"><figcaption>Paths</figcaption></figure>'
CLAIM = {"name": "it-holds", "verdict": "holds", "numbers": {"ratio": 2.5}}
ZH = """# 第二章

$$ a = b . $$

$$ (c_1) = d $$

$$
e = f .
$$ (eq:e)

正文 {footcite:p}`b` {footcite:p}`a, b`，{footcite:t}`b`、{footcite:t}`a`。{eq}`eq:e`、{eq}`eq:g`、{see}`claim-it-holds`、[前](../first.ipynb#beginning)、[台账](../back.ipynb#claim-it-holds)。

$$ h $$ (eq:h)

{claim}`it-holds` 比值是 {num}`.ratio:.1f`。

<details><summary>解答</summary>

由 {eq}`eq:h` 与 {see}`figure-second`。

</details>

```{footbibliography}
```"""
EN = ZH.replace("、{footcite:t}`a`", ", {footcite:t}`c`").replace("# 第二章", "# Second")


@pytest.fixture
def books(tmp_path):
    """Two chapters, and a page that has no notebook of its own."""
    second = notebook(
        markdown("zh", ZH), markdown("en", EN),
        code('check("eq:e", True)\ncheck(f"eq:{x}", True)  # eq:g, eq:unknown',
             [{"output_type": "stream", "name": "stdout", "text": "✓ eq:e\n✓ eq:h\n"}]),
        code("draw()", [shown(**{"text/html": PLOT})]),
        code("claim()", [shown(**{"application/vnd.book.claim+json": CLAIM, "text/plain": "ratio = 2.5"})]),
    )  # fmt: skip
    first = notebook(
        markdown("zh", "# 开头\n\n$$ g $$ (eq:g)\n\n见 {eq}`eq:h`、{see}`claim-it-holds`。\n\n```{parts}\n```"),
        markdown("en", "# Beginning\n\n$$ g $$ (eq:g)\n\nBy {eq}`eq:h`, {see}`claim-it-holds`.\n\n```{parts}\n```"),
        code(),
    )  # fmt: skip
    back = notebook(markdown("zh", "# 台账"), markdown("en", "# Ledger"))
    found = {}
    for page, content in (("first", first), ("part/second", second), ("back", back)):
        path = tmp_path / "chapters" / f"{page}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        found[page] = Notebook(path)
    (tmp_path / "chapters" / "part" / "second.json").write_text("{}")
    return found


def shelf(books, language, **options):
    made = Shelf(language, PARTS[:1], WORKS, **options)
    for page, book in books.items():
        made.add(page, book)
    return made


def text(made):
    return "\n".join(c["source"] for c in json.loads(made)["cells"] if c["cell_type"] == "markdown")


def test_a_notebook_says_what_its_page_says(books):
    zh, en = (text(shelf(books, one).notebook("part/second", books["part/second"]))
              for one in ("zh", "en"))  # fmt: skip
    for one in (zh, en):
        assert "$$ a = b . $$\n\n$$ (c_1) = d $$\n\n$$\ne = f . \\tag{1}\n$$\n" in one
        assert "$$ h \\tag{2} $$" in one
        assert "(1)、[(.1)](../first.ipynb)、" in one, "of a page without a number"
    assert "正文 [1] [2, 1]，Ba 与 Li [1]、Qu 等 [2]。" in zh and "Ba and Li [1], " in en
    assert "Without an Author" in en.partition("[1], ")[2].partition("[3]")[0], "it goes by its title"
    assert '<a id="claim-it-holds"></a>结论 1.2.1 · **成立** · 比值是 2.5。' in zh
    assert '<a id="claim-it-holds"></a>Claim 1.2.1 · **Holds** · ' in en
    assert "结论 1.2.1、[前](../first.ipynb)、台账。" in zh, "what has no notebook is not linked"
    assert "由 (2) 与 图 1.2.1。" in zh
    works = en.partition("</details>")[2].strip().split("\n\n")
    assert works[0] == ("[1] J. Ba and W. Li. On \\$x_1\\$ and \\[y\\]. part 1. 2015. "
                        "[arXiv:1412.6980](https://arxiv.org/abs/1412.6980).")  # fmt: skip
    assert "(https://doi.org/10.1000/x_y)" in works[1] and "(https://example.org/c)" in works[2]
    assert len(works) == 3 and len(zh.partition("</details>")[2].strip().split("\n\n")) == 2


def test_other_chapters_call_things_by_their_whole_numbers(books):
    made = text(shelf(books, "en").notebook("first", books["first"]))
    assert "By [(1.2.2)](part/second.ipynb), [Claim 1.2.1](part/second.ipynb)." in made
    assert made.endswith("- 1 Part\n  - 1.1 Later\n  - 1.2 [Second](part/second.ipynb)")


def test_code_and_outputs_name_equations_alike(books):
    made = json.loads(shelf(books, "en").notebook("part/second", books["part/second"]))
    checks, figure = [cell for cell in made["cells"] if cell["cell_type"] == "code"][:2]
    assert checks["source"] == 'check("(1)", True)\ncheck(f"eq:{x}", True)  # (.1), eq:unknown'
    # What code puts together prints its label, so that running it again shows the same.
    assert checks["outputs"][0]["text"] == "✓ (1)\n✓ eq:h\n"
    assert "<figcaption><b>Figure 1.2.1</b> Paths<" in figure["outputs"][0]["data"]["text/html"]


def test_a_notebook_alone_leads_to_the_published_pages_and_brings_what_it_needs(books):
    github = "https://github.com/someone/book"
    options = {"base": "https://a.org/en", "alone": True, "repository": github}
    made = shelf(books, "en", **options).notebook("part/second", books["part/second"])
    assert "[前](https://a.org/en/first.html#beginning)" in text(made)
    assert "[(.1)](https://a.org/en/first.html#equation-eq-g)" in text(made)
    assert "[台账](https://a.org/en/back.html#claim-it-holds)" in text(made)
    install = next(c for c in json.loads(made)["cells"] if c["cell_type"] == "code")["source"]
    assert f'%pip install --quiet "minigrad-book[lab] @ git+{github}"' in install
    raw = "https://raw.githubusercontent.com/someone/book/notebooks/en/part/"
    assert "['second.json']" in install and f'urlretrieve("{raw}" + name, name)' in install
    # Where all is there it does nothing.
    plain = install.replace("%pip", "raise SystemExit  # ")
    place = books["part/second"].path.parent
    assert subprocess.run([sys.executable, "-c", plain], cwd=place, env={"PYTHONPATH": str(ROOT)}).returncode == 0
    first = shelf(books, "en", **options).notebook("first", books["first"])
    assert "%pip" in first and "urlretrieve" not in first
    elsewhere = shelf(books, "en", alone=True, repository="https://example.org/x")
    assert "urlretrieve" not in elsewhere.notebook("part/second", books["part/second"])


def test_what_a_reader_changed_is_never_overwritten(books, tmp_path, monkeypatch, capsys):
    chapters, out = tmp_path / "chapters", tmp_path / "out"
    monkeypatch.setattr(build, "CHAPTERS", chapters)
    write = lambda: build.write_notebooks(shelf({}, "en"), out)  # noqa: E731
    write()
    assert {file.relative_to(out).as_posix() for file in out.rglob("*.*")} == {
        ".written.json", "first.ipynb", "part/second.ipynb", "part/second.json"
    }  # fmt: skip
    mine, other = out / "first.ipynb", out / "part" / "second.ipynb"
    mine.write_text("mine")
    for name in ("first", "part/second"):
        path = chapters / f"{name}.ipynb"
        path.write_text(path.read_text().replace("# Second", "# Anew"), encoding="utf-8")
    for _ in range(2):
        write()
        assert mine.read_text() == "mine" and "# Anew" in other.read_text(encoding="utf-8")
        assert "first.ipynb: changed, so it stays" in capsys.readouterr().out
    (out / ".written.json").unlink()  # from before there was one
    other.write_text("also mine")
    write()
    assert mine.read_text() == "mine" and other.read_text() == "also mine"
    mine.unlink()
    write()
    assert "Beginning" in mine.read_text(encoding="utf-8")


def test_the_branch_has_both_editions_and_what_binder_needs(books, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "CHAPTERS", tmp_path / "chapters")
    toc = PLAN.partition("  - caption: 优化器")[0]
    monkeypatch.setattr(build, "contents", lambda root: yaml.safe_load(toc))
    monkeypatch.setattr(build, "parse_file", lambda file: type("", (), {"entries": WORKS}))
    config = build.settings(ROOT, "https://a.org/", "https://github.com/someone/book/")
    build.write_branch(tmp_path / "out", config)
    needs = (tmp_path / "out" / ".binder" / "requirements.txt").read_text()
    assert needs == "-c constraints.txt\nminigrad-book[notebooks] @ git+https://github.com/someone/book\n"
    assert not [*(tmp_path / "out").rglob(".written.json")]
    # What the workflow does with it; twice, as after every push.
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8"))
    (push,) = [step["run"] for step in workflow["jobs"]["notebooks"]["steps"] if "run" in step]
    git = lambda *words: subprocess.run(["git", "-C", tmp_path / "bare.git", *words], check=True, capture_output=True, text=True).stdout  # noqa: E731
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "bare.git"], check=True)
    runner = os.environ | {"GITHUB_SERVER_URL": f"file://{tmp_path}", "GITHUB_REPOSITORY": "bare.git", "TOKEN": "x"}
    for commit in ("first", "second"):
        folder = shutil.copytree(tmp_path / "out", tmp_path / commit)
        (folder / "en" / "new.txt").write_text(commit)
        subprocess.run(["bash", "-ec", push], cwd=folder, check=True, env=runner | {"GITHUB_SHA": commit})
        assert git("log", "--format=%s", "notebooks") == f"The notebooks of {commit}\n"
    assert {".binder/constraints.txt", ".binder/runtime.txt", "en/part/second.json", "zh/first.ipynb"} <= {
        *git("ls-tree", "-r", "--name-only", "notebooks").split()
    }  # fmt: skip
    for language, own in (("zh", "第二章"), ("en", "Second")):
        made = (tmp_path / "out" / language / "part" / "second.ipynb").read_text(encoding="utf-8")
        assert own in made and f"https://a.org/{language}/first.html" in made and "%pip" in made


def test_nbconvert_has_nothing_to_complain_of(books, tmp_path):
    made = shelf(books, "en").notebook("part/second", books["part/second"])
    (tmp_path / "second.ipynb").write_text(made, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level", "WARN", "second.ipynb"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0 and run.stderr == ""
