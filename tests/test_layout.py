"""The house in order: files of a readable size, imports that go one way, chapters that exist."""

import ast
import inspect
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
import yaml

from minigrad import lab
from minigrad.autograd import tensor

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "minigrad").rglob("*.py"))


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in FILES}


def imported(name, path, modules):
    """The modules that loading `name` loads: its imports outside functions, and their packages.

    Its own packages are not among them: they are being loaded already.
    """
    found = set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    parents = {m.rsplit(".", i)[0] for m in found for i in range(1, m.count(".") + 1)}
    own = {name.rsplit(".", i)[0] for i in range(name.count(".") + 1)}
    return ((found | parents) & modules.keys()) - own


def statements(tree):
    """All statements that run when a module is loaded; not those for the type checker only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from statements(node)


def circle(modules):
    """Modules that import each other in a circle, or None."""
    try:
        TopologicalSorter({n: imported(n, p, modules) for n, p in modules.items()}).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_import_goes_in_a_circle():
    assert circle(MODULES) is None


@pytest.mark.parametrize(
    "a,b",
    [
        ("from .b import x", "from ..a import y"),
        ("from . import b", "import m.a"),
        ("from .b import x", "class B:\n    from m import a"),
        ("if True:\n    from .b.c import x", "from ..a import y"),
    ],
)
def test_a_circle_is_found(tmp_path, monkeypatch, a, b):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    for file, text in {
        "m/__init__.py": "",
        "m/a.py": a,
        "m/b/__init__.py": b,
        "m/b/c.py": "",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    modules = {dotted(p): p for p in sorted(tmp_path.rglob("*.py"))}
    assert set(circle(modules)) >= {"m.a", "m.b"}
    (tmp_path / "m/a.py").write_text(f"def f():\n    {a.splitlines()[-1].strip()}")
    assert circle(modules) is None


EACH_FIRST = """
import sys
for name in sys.argv[1:]:
    for loaded in [m for m in sys.modules if m.split(".")[0] == "minigrad"]:
        del sys.modules[loaded]
    try:
        __import__(name)
    except Exception as error:
        print(name, repr(error))
"""


def test_any_module_can_be_the_first_that_is_imported():
    run = [sys.executable, "-c", EACH_FIRST, *MODULES]
    assert subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT).stdout == ""


@pytest.mark.parametrize("name", MODULES)
def test_no_file_is_longer_than_600_lines(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= 600


# --- one topic, one name: chapters/losses/ranking, minigrad/losses/ranking.py

PARTS = {"activations": "activations", "losses": "losses", "norms": "normalization",
         "minimizers": "optimization"}  # fmt: skip


def listed(toc):
    """The chapters of the table of contents, finished or planned: "losses/ranking"."""
    if isinstance(toc, dict):
        toc = [*toc, *toc.values()]
    if isinstance(toc, list):
        return {c for part in toc for c in listed(part)}
    return {toc.removeprefix("chapters/")} if str(toc).startswith("chapters/") else set()


TOC = listed(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))


def chapters(text):
    """The chapters that a text names, in the one form in which this is done."""
    return re.findall(r"chapters/([\w/-]+?)\.ipynb", text)


@pytest.mark.parametrize("name", MODULES)
def test_chapters_that_are_named_exist(name):
    text = MODULES[name].read_text(encoding="utf-8")
    named, whole = chapters(text), re.findall(r"chapters/([\w-]+)/`", text)
    assert text.count("chapters/") == len(named) + len(whole), "write `chapters/part/name.ipynb`"
    assert set(named) <= TOC
    assert set(whole) <= {c.partition("/")[0] for c in TOC}


@pytest.mark.parametrize(
    "name", [n for n in MODULES if n.split(".")[1:2] and n.split(".")[1] in PARTS]
)
def test_a_topic_has_its_chapters_name(name):
    text = MODULES[name].read_text(encoding="utf-8")
    head = chapters(ast.get_docstring(ast.parse(text)))
    _, folder, *file = name.split(".")
    topic = f"{PARTS[folder]}/{file[0].replace('_', '-')}" if file else None
    assert set(chapters(text)) <= set(head) or topic is None, "its docstring names its chapters"
    if topic in TOC:
        assert topic in head


# --- the evening


@pytest.mark.parametrize("f", [tensor.walk, tensor.pull_back, tensor.apply], ids=lambda f: f.__name__)
def test_what_a_chapter_prints_is_one_screen(f):
    assert len(inspect.getsource(f).splitlines()) <= 40


def test_the_engine_imports_neither_lab_nor_press():
    wrong = re.compile(r"^\s*(from|import) (press|minigrad\.lab|\.+lab)\b", re.M)
    for source in Path(ROOT, "minigrad").rglob("*.py"):
        if "lab" not in source.parts:
            assert not wrong.search(source.read_text("utf-8")), source
        assert not re.search(r"^\s*(from|import) press\b", source.read_text("utf-8"), re.M), source
    assert set(lab.__all__) == {
        "check", "check_close", "claim", "language", "record", "slider", "table"
    }  # fmt: skip
