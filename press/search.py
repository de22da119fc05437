"""Full-text search that understands Chinese.

Chinese is written without spaces, so a page is indexed under every Han character and every pair of
neighbouring ones, and a query is cut up in the same way: 优化器 becomes 优 化 器 优化 化器, and a
page that has all of them is a page about 优化器. No dictionary is needed, and none can be wrong.
"""

import re

from sphinx.search import SearchLanguage

from .markdown import HAN

TOKENS = re.compile(rf"({HAN}+)|((?:(?!{HAN})\w)+)")  # a run of Han characters, or another word


def split(text: str) -> list[str]:
    """Cut ``text`` into the words it is indexed under.

    >>> split("Adam优化器, lr=0.1")
    ['Adam', '优', '化', '器', '优化', '化器', 'lr', '0', '1']
    """
    words = []
    for han, other in TOKENS.findall(text):
        words += [*han, *map("".join, zip(han, han[1:]))] if han else [other]
    return words


class Chinese(SearchLanguage):
    """Sphinx's hook: `split` for the index, and the same in JavaScript for the query."""

    lang = "zh"
    language_name = "Chinese"
    js_stemmer_code = "function Stemmer() { this.stemWord = (word) => word; }"
    js_splitter_code = r"""
function splitQuery(query) {
  const tokens = /(HAN+)|((?:(?!HAN)[\p{L}\p{N}_])+)/gu;
  return [...query.matchAll(tokens)].flatMap(([, han, other]) =>
    han ? [...han, ...[...han].slice(1).map((next, i) => han[i] + next)] : [other]);
}
""".replace("HAN", HAN)

    def split(self, text: str) -> list[str]:
        return split(text)

    def stem(self, word: str) -> str:
        return word.lower()
