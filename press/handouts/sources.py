"""A built edition, as what is handed out is made from it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..build import settings
from ..cite import released
from ..notebook import ROOT
from ..words import one_language, words


@dataclass(frozen=True)
class Edition:
    """The pages of one language below ``_build/html``."""

    language: str
    root: Path = ROOT
    baseurl: str = ""  # where the book is published, if ``_config.yml`` does not say so

    @cached_property
    def config(self) -> dict:
        """``_config.yml``."""
        return settings(self.root, self.baseurl)

    @cached_property
    def base(self) -> str:
        """Where the edition is published, if that is known."""
        base = self.config["html"]["baseurl"].rstrip("/")
        return base and f"{base}/{self.language}"

    @cached_property
    def author(self) -> str:
        return one_language(self.config["author"], self.language)

    @cached_property
    def version(self) -> str:
        """``Version 0.1.0, 2026-11-30``, if CITATION.cff says it."""
        said = released(self.root)
        return words("page", self.language)["version"].format(**said) if said else ""

    @property
    def credit(self) -> str:
        """Author and version in a line."""
        return " · ".join(filter(None, [self.author, self.version]))

    @cached_property
    def _outline(self) -> dict:
        file = self.root / "_build" / ".cache" / self.language / "outline.json"
        if not file.exists():
            raise FileNotFoundError("The book is not built: run `make book` first.")
        return json.loads(file.read_text(encoding="utf-8"))

    @property
    def title(self) -> str:
        return self._outline["title"]

    @property
    def parts(self) -> list[dict]:
        """``caption`` (None: no part of its own) and ``pages``: ``page``, ``number``, ``title``."""
        return [
            {"caption": part["caption"] or None,
             "pages": [line for line in part["lines"] if not line["planned"]]}
            for part in self._outline["parts"]
        ]  # fmt: skip

    @cached_property
    def pages(self) -> dict[str, dict]:
        """Every page, by its name, in order."""
        return {page["page"]: page for part in self.parts for page in part["pages"]}

    def label(self, name: str) -> str:
        """The title of a page, with the number of its chapter if it has one."""
        return "{number} {title}".format(**self.pages[name]).strip()

    def file(self, name: str) -> Path:
        """The page of that name."""
        return self.root / "_build" / "html" / self.language / f"{name}.html"

    def target(self, kind: str, name: str) -> Path:
        """Where something made of a page is written; its folder is there."""
        target = self.root / "_build" / kind / self.language / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
