"""The words in which the book speaks of itself, in both languages: ``words.yml``."""

from functools import cache
from pathlib import Path

import yaml

LOCALE = {"zh": "zh_CN", "en": "en"}  # Sphinx's names of the languages
TAGS = {"zh": "zh-CN", "en": "en"}  # those of HTML


@cache
def _table() -> dict:
    return yaml.safe_load(Path(__file__).with_name("words.yml").read_text(encoding="utf-8"))


def words(section: str, language: str) -> dict:
    """What a section of ``words.yml`` says in a language, by key.

    >>> words("page", "en")["contents"]
    'Contents'
    """
    return {key: both[language] for key, both in _table()[section].items()}


def one_language(text: str, language: str) -> str:
    """Take one half of a title ``"中文 · English"``; one not in that form stays as it is.

    >>> one_language("优化器 · Optimizers", "en")
    'Optimizers'
    """
    chinese, dot, english = text.partition(" · ")
    return text if not dot else chinese if language == "zh" else english
