"""What `pip install` brings: minigrad and nothing of the press, and what it needs."""

import ast
import datetime
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

import minigrad

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = SETTINGS["project"], SETTINGS["dependency-groups"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
EXTRAS = PROJECT["optional-dependencies"]


def names(*requirements):
    """The names of packages without versions, in one spelling."""
    return {re.split(r"[<>=\[;]", one)[0].strip().lower().replace("_", "-") for one in requirements}


def imported(*folders):
    """``{module: packages that have it}`` for what the code in folders imports from others."""
    modules = set()
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    modules.add(node.module.split(".")[0])
    ours = {path.stem for folder in ("", *folders) for path in (ROOT / folder).glob("*")}
    ours |= {path.stem for path in (ROOT / "tests").rglob("*.py")}
    installed = packages_distributions()
    others = modules - set(sys.stdlib_module_names) - ours
    return {one: names(*installed.get(one, [one])) for one in others}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """A wheel built from the files that git knows, as whoever installs from the source gets them."""
    folder = tmp_path_factory.mktemp("clean")
    files = subprocess.run(
        ["git", "ls-files", "-z", "minigrad", "press", "pyproject.toml", "README.md", "LICENSE*"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    for file in filter(None, files):
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = subprocess.run(
        [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "dist", "."],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = (folder / "dist").iterdir()
    return path


def test_the_wheel_holds_minigrad_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
    top = {file.split("/")[0] for file in files}
    assert top == {"minigrad", f"minigrad_book-{minigrad.__version__}.dist-info"}
    assert "minigrad/lab/claims.py" in files and "minigrad/py.typed" in files
    listed = subprocess.run(
        ["git", "ls-files", "minigrad"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert {file for file in files if file.startswith("minigrad/")} == {
        file for file in listed.stdout.split() if (ROOT / file).is_file()
    }


def test_installed_elsewhere_it_runs_alone(wheel, tmp_path):
    """With NumPy and SciPy only: whatever else is imported, or where the source is, does not help."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
sys.path[:] = [one for one in sys.path if one != {str(ROOT)!r}]
allowed = {{"numpy", "scipy", "minigrad", *sys.stdlib_module_names, *sys.builtin_module_names}}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in allowed:
            raise ImportError(f"{{name}} was not installed")
sys.meta_path.insert(0, Refuse())
import minigrad
assert minigrad.__file__.startswith({str(tmp_path)!r}), minigrad.__file__
assert minigrad.__version__ == {minigrad.__version__!r}
x = minigrad.Tensor([1.0, 2.0], requires_grad=True)
(x * x).sum().backward()
assert x.grad.tolist() == [2.0, 4.0]
for name in ("press", "book", "minigrad.lab"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise AssertionError(name)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_pip_installs_numpy_and_scipy_only():
    assert names(*PROJECT["dependencies"]) == {"numpy", "scipy"}


@pytest.mark.parametrize("folder, listed", [
    ("minigrad/lab", [*PROJECT["dependencies"], *EXTRAS["lab"]]),
    ("press", [*PROJECT["dependencies"], *EXTRAS["lab"], *GROUPS["press"]]),
    ("tests", [*PROJECT["dependencies"], *EXTRAS["lab"], *GROUPS["press"], *GROUPS["test"]]),
])  # fmt: skip
def test_what_is_imported_is_listed(folder, listed):
    listed = names(*listed)
    listed |= {"matplotlib-inline"}  # comes with IPython
    listed |= {"torch"}  # of tests/support/torch_reference.py, which makes what the tests compare with
    missing = {module for module, packages in imported(folder).items() if not packages & listed}
    assert not missing


def test_the_lock_has_every_direct_dependency():
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = names(*(line for line in lock if not line.startswith("#")))
    extras = [one for extra in EXTRAS.values() for one in extra if "minigrad-book" not in one]
    direct = [*PROJECT["dependencies"], *extras, *(one for group in GROUPS.values() for one in group)]
    assert names(*direct) <= pinned
    assert all(re.fullmatch(r"(#.*|[\w.-]+==\S+)", line) for line in lock), "pins and comments only"


def test_the_project_and_the_book_name_the_same_address():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    urls = PROJECT.get("urls", {})
    assert urls.get("Source", "") == CITATION.get("repository-code", "") == settings["repository"]["url"]
    assert urls.get("Book", "") == CITATION.get("url", "") == settings["html"]["baseurl"]


def test_all_say_whose_the_book_is_and_under_which_licence():
    read = lambda name: (ROOT / name).read_text(encoding="utf-8")  # noqa: E731
    settings = yaml.safe_load(read("_config.yml"))
    title, author = (settings[key].split(" · ") for key in ("title", "author"))
    names = [one["name"] for one in CITATION["authors"]]
    assert [one["name"] for one in PROJECT["authors"]] == names == author[1:]
    assert CITATION["title"].startswith(title[1]) and CITATION["title"].lower() == PROJECT["description"].lower()
    assert CITATION["version"] == minigrad.__version__ and "version" in PROJECT["dynamic"]
    released = CITATION["date-released"]
    news = yaml.safe_load(read("chapters/news.yml"))
    assert isinstance(released, datetime.date) and news[-1]["date"] <= released, "the book had opened"
    assert CITATION["license"] == PROJECT["license"].split(" AND ") == ["BSD-3-Clause", "CC-BY-4.0"]
    assert PROJECT["license-files"] == ["LICENSE", "LICENSE-text"]
    assert read("LICENSE").startswith("BSD 3-Clause License") and "CC BY 4.0" in read("LICENSE-text")
    assert f"Copyright (c) {released.year}, {names[0][0].lower()}{names[0][1:]}" in read("LICENSE")
    for name, heading, who in (("README.md", title[1], names[0][1:]), ("README.zh.md", title[0], author[0])):
        assert read(name).startswith(f"# {heading}\n")
        licence = read(name).rpartition("\n## ")[2]
        assert who in licence and "[BSD 3-Clause](LICENSE)" in licence and "[CC BY 4.0](LICENSE-text)" in licence
        assert "[CITATION.cff](CITATION.cff)" in licence
    for link in ("[BSD-3-Clause](LICENSE)", "[CC BY 4.0](LICENSE-text)"):
        assert link in read("CONTRIBUTING.md").replace("\n", " ")
    footer = yaml.safe_load(read("press/words.yml"))["page"]["licence"]
    for words in footer.values():
        assert all(f">{name}</a>" in words for name in ("CC BY 4.0", "BSD-3-Clause"))
