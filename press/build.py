"""Build the whole site: both editions and the page that offers them.

    python -m press.build              # _build/html/zh, _build/html/en, _build/html/index.html
    python -m press.build --strict     # the same; any warning is an error
    python -m press.build notebooks en _build/notebooks    # the notebooks of one edition
    python -m press.build branch _build/branch    # those of both, for Colab and Binder

Every setting comes from ``_config.yml`` and ``_toc.yml``; only what differs between the editions
is decided here. Whoever publishes may give ``--baseurl`` and ``--repository`` instead of writing
them there. Each edition is built in its own process and keeps its own cache, so building again
after a change reads only the chapters that changed, and the gathered pages that take of them what
has (`press.backmatter.gathering`).
"""

import argparse
import contextlib
import hashlib
import json
import shutil
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import yaml
from pybtex.database import parse_file
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from .bilingual import TWIN
from .contents import PREFIX, contents, plan
from .landing import publish
from .notebook import CHAPTERS, ROOT, Notebook, notebooks
from .shelf import Shelf
from .sidebar import list_parts
from .words import LOCALE

RECORD = ".written.json"  # what was written into a folder of notebooks, so that changes are seen


def settings(root: Path, baseurl: str = "", repository: str = "") -> dict:
    """``_config.yml``, with the addresses given on the command line, if any."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["html"]["baseurl"] = baseurl or config["html"].get("baseurl") or ""
    config["repository"]["url"] = repository or config["repository"].get("url") or ""
    return config


def build_edition(
    root: Path, config: dict, language: str, out: Path, cache: Path, strict: bool
) -> int:
    """Build one edition and, if all went well, put it in ``out``; returns Sphinx's exit status."""
    from jupyter_book.config import get_final_config  # imports for a second; only editions need it

    cache.mkdir(parents=True, exist_ok=True)
    toc = cache / "_toc.yml"
    text = yaml.safe_dump(contents(root), allow_unicode=True, sort_keys=False)
    if not toc.exists() or toc.read_text(encoding="utf-8") != text:
        toc.write_text(text, encoding="utf-8")
    final, _ = get_final_config(
        user_yaml=config, cli_config={"latex_individualpages": False}, raise_on_invalid=True
    )
    final |= {
        "language": LOCALE[language], "external_toc_path": str(toc),
        "book_root": str(root), "book_twin": True,
    }
    # Nothing is left of what is no longer made.
    shutil.rmtree(cache / "html" if strict else cache / "html" / "_static", ignore_errors=True)
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            srcdir=root / PREFIX, confdir=None, outdir=cache / "html",
            doctreedir=cache / "doctrees", buildername="html", confoverrides=final,
            status=None, warning=sys.stderr,
            # A chapter read before does not warn again: to see every warning, read everything.
            freshenv=strict, warningiserror=strict, keep_going=True,
        )
        app.build()
    if not app.statuscode:
        (cache / "outline.json").write_text(json.dumps(outline(app)), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(
            cache / "html", out, ignore=shutil.ignore_patterns(".buildinfo*", "objects.inv")
        )
    return app.statuscode


def outline(app: Sphinx) -> dict:
    """An edition for the landing page and the sitemap: its parts with their pages, all pages."""

    minutes = {page: known.get("minutes") for page, known in app.env.metadata.items()}
    parts = list_parts(app, "index")
    for line in (line for part in parts for line in part["lines"]):
        line["minutes"] = minutes.get(line["page"])
    return {"title": app.config.html_title, "parts": parts, "pages": sorted(app.env.found_docs)}


def build(
    root: Path = ROOT, strict: bool = False, baseurl: str = "", repository: str = ""
) -> Path:
    """Build both editions side by side, then what stands beside them; returns their folder.

    Args:
        root: the folder of ``_config.yml``, ``_toc.yml`` and ``chapters/``.
        strict: read every chapter anew and treat warnings as errors.
        baseurl, repository: where the book is published and where its source is, if
            ``_config.yml`` does not say so.

    Raises:
        SystemExit: an edition failed (or, when ``strict``, warned); Sphinx has said why.
    """
    started = time.monotonic()
    out, cache = root / "_build" / "html", root / "_build" / ".cache"
    config = settings(root, baseurl, repository)
    print("Building the Chinese and the English edition …", flush=True)
    context = get_context("spawn")  # Sphinx keeps global state
    processes = {
        language: context.Process(
            target=_run, args=(root, config, language, out / language, cache / language, strict)
        )
        for language in ("zh", "en")
    }
    for process in processes.values():
        process.start()
    failed = []
    for language, process in processes.items():
        process.join()
        verdict = "failed" if process.exitcode else "done"
        print(f"  {language}: {verdict} after {time.monotonic() - started:.0f} s", flush=True)
        if process.exitcode:
            failed.append(language)
    if failed:
        raise SystemExit(f"Building the book failed ({', '.join(failed)}): see the messages above.")
    outlines = {
        language: json.loads((cache / language / "outline.json").read_text(encoding="utf-8"))
        for language in processes
    }
    publish(root, out, config, outlines)
    return out


def _run(*arguments) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        sys.exit(build_edition(*arguments))


def write_notebooks(shelf: Shelf, folder: Path, solutions: bool = True) -> None:
    """Write the notebooks of one edition, ready to be run: with the results of experiments.

    A file that was changed since it was written belongs to the reader, and stays as it is.
    """
    books = {book.relative_to(CHAPTERS).with_suffix("").as_posix(): Notebook(book)
             for book in notebooks(CHAPTERS)}  # fmt: skip
    for page, book in books.items():
        shelf.add(page, book)
    record = folder / RECORD
    written = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    for page in sorted(shelf.runnable):
        book = books[page]
        files = {f"{page}.ipynb": shelf.notebook(page, book, solutions).encode()}
        files |= {f"{page}{file.suffix}": file.read_bytes() for file in book.experiments}
        for name, content in files.items():
            target = folder / name
            if target.exists() and _digest(target.read_bytes()) != written.get(name):
                print(f"{target}: changed, so it stays (delete it to have it anew)")
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            written[name] = _digest(content)
    record.write_text(json.dumps(written, indent=0), encoding="utf-8")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def shelf(language: str, config: dict, alone: bool = False) -> Shelf:
    """What the notebooks of one edition refer to; those that stand alone bring what they need."""
    (works,) = config["bibtex_bibfiles"]
    base, repository = config["html"]["baseurl"].rstrip("/"), config["repository"]["url"]
    return Shelf(
        language, plan(contents(ROOT)["meta"]), parse_file(ROOT / works).entries,
        base and f"{base}/{language}", repository.rstrip("/") if alone else "", alone,
    )  # fmt: skip


def write_branch(folder: Path, config: dict) -> None:
    """Write what the branch has that Colab and Binder open."""
    for language in TWIN:
        write_notebooks(shelf(language, config, alone=True), folder / language)
        (folder / language / RECORD).unlink()
    needs = folder / ".binder" / "requirements.txt"
    needs.parent.mkdir(exist_ok=True)
    repository = config["repository"]["url"].rstrip("/")
    needs.write_text(
        f"-c constraints.txt\nminigrad-book[notebooks] @ git+{repository}\n", encoding="utf-8"
    )
    shutil.copy(ROOT / "requirements.txt", needs.with_name("constraints.txt"))
    shutil.copy(ROOT / ".binder" / "runtime.txt", needs.parent)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")
    parser.add_argument("--baseurl", default="", help="address at which the book is published")
    parser.add_argument("--repository", default="", help="address of its source")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of _config.yml")
    parser.add_argument("--page", default="", help="a chapter whose pages' addresses to print")
    commands = parser.add_subparsers(dest="command")
    notebooks = commands.add_parser("notebooks", help="write the notebooks of one edition")
    notebooks.add_argument("language", choices=["zh", "en"])
    notebooks.add_argument("folder", type=Path)
    notebooks.add_argument("--without-solutions", action="store_true", help="as for a class")
    branch = commands.add_parser("branch", help="write the branch that Colab and Binder open")
    branch.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command:
        config = settings(arguments.root, arguments.baseurl, arguments.repository)
        if arguments.command == "branch":
            write_branch(arguments.folder, config)
        else:
            books = shelf(arguments.language, config)
            write_notebooks(books, arguments.folder, not arguments.without_solutions)
        return
    out = build(
        arguments.root.resolve(), arguments.strict, arguments.baseurl, arguments.repository
    )
    if arguments.page:
        for edition in TWIN:
            print((out / edition / f"{arguments.page}.html").as_uri())
    else:
        page = (out / "index.html").as_uri()
        print(f"\nThe book is built. Open it: {page}\nor run `make serve`.")


if __name__ == "__main__":
    main()
