"""Chapters were run, what they print is the same everywhere, and files are small."""

import gzip
import re
from collections import Counter
from itertools import zip_longest

from minigrad.lab.words import width

from .. import bilingual
from ..execute import canonical, parse, source
from ..figures import inline, is_figure, is_slider
from ..notebook import tags
from .registry import rule

COLUMNS = 88  # a line of code that fits the page
BOTH = 120  # with its words in both languages
BYTES = 1_000_000
PICTURES = 220_000  # compressed; of the 400 kB that a page may weigh
SLIDER = 50_000  # likewise


@rule
def in_step(book):
    """The notebook has the cells of the text beside it."""
    text = book.path.with_suffix(".md")
    if not text.exists():
        yield None, f"no {text.name} beside it, which is the source"
        return
    about, wanted = source(parse(text.read_text(encoding="utf-8")))
    said, got = source(book.node)
    if about != said:
        yield None, f"{text.name} has other metadata `book`: run `make notebooks`"
    for i, (one, other) in enumerate(zip_longest(wanted, got)):
        if one != other:
            yield i, f"is not what {text.name} says: run `make notebooks`"
            break


@rule
def executed(book):
    """Every code cell was run (nbval passes a cell without a count, whatever it does)."""
    for i, cell in book.code:
        if not cell.source.strip():
            yield i, "empty code cell"
        elif cell.execution_count is None:
            yield i, "never executed: run `make notebooks`"
        elif "print(" in cell.source.split("def ")[0] and not cell.outputs:
            yield i, "prints but has no output: run `make notebooks`"


@rule
def canonical_form(book):
    """The file is what the executor writes."""
    if canonical(book.node) != book.text:
        yield None, "not in canonical form: run `make notebooks`"


@rule
def small(book):
    """The file is below 1 MB, and its figures leave room in a page of 400 kB."""
    size = len(book.text.encode())
    if size >= BYTES:
        yield None, f"{size / 1e6:.2f} MB, must be below {BYTES / 1e6} MB"
    weights = Counter({i: len(text) * 3 // 4 for i, text in book.outputs("image/png")})
    for i, text in book.outputs("text/html"):
        if is_figure(text):
            weights[i] += len(gzip.compress(inline(text).encode()))
            if is_slider(text) and weights[i] > SLIDER:
                size = f"{weights[i] // 1000} kB, at most {SLIDER // 1000}"
                yield i, f"the slider has {size}: fewer frames"
    if weights.total() > PICTURES:
        heavy = ", ".join(f"cell-{i} {n // 1000} kB" for i, n in weights.most_common(3))
        yield None, f"{weights.total() // 1000} kB of figures, at most {PICTURES // 1000}: {heavy}"


@rule
def reproducible(book):
    """Nothing that nbval cannot compare: live widgets, magics, global or unseeded randomness."""
    banned = {
        r"\binteract(ive)?\(|@interact": "use minigrad.lab.sliders",
        r"\bOutput\(|\bclear_output\b": "nbval sees a different output",
        r"^ *[%!]": "magics and shell commands depend on the machine",
        r"\bNBVAL_": "use tags",
        r"\bnp\.random\.(?!default_rng\b|Generator\b)": "global state; use default_rng(seed)",
        r"\bdefault_rng\(\)": "no seed",
        r"^ *(import random|from random import)\b": "use np.random.default_rng(seed)",
        r"\btqdm\b": "minigrad.lab.training.progress, which leaves no trace in the output",
    }
    for i, cell in book.code:
        for pattern, why in banned.items():
            if found := re.search(pattern, cell.source, re.M):
                yield i, f"`{found[0].strip()}` is banned: {why}"
        for tag in set(tags(cell)) & {"nbval-skip", "raises-exception", "skip-execution"}:
            yield i, f"tag {tag} is banned: every cell is run and compared"


@rule
def clean_output(book):
    """No errors, warnings, object addresses or paths in the outputs."""
    dirty = re.compile(
        r"\b0x[0-9a-f]{5,}|(?<![\w.])/(?:home|root|usr|tmp|work|Users)/|site-packages"
    )
    for i, cell in book.code:
        if any(output.output_type == "error" for output in cell.outputs):
            yield i, "an exception in the output: catch it and print what matters"
    for i, text in book.outputs("stderr"):
        yield i, f"text on stderr: {text.strip()[:60]!r}"
    for kind in ("stdout", "text/plain", "text/html"):
        for i, text in book.outputs(kind):
            text = re.sub(r'"data:image/[^"]*"', "", text)
            if found := dirty.search(text):
                yield i, f"an address or path in the output: …{text[found.start() :][:40]!r}"
            elif re.match(r"Text\(|\[?<matplotlib|<Axes|\(<Figure", text):
                yield i, f"the repr {text[:30]!r} is shown: end the cell with plt.show()"


@rule
def measured_times(book):
    """Times are shown in cells tagged ``nbval-ignore-output``, and in no others but of memory."""
    for i, cell in book.code:
        clock = re.search(r"\b(perf_counter|process_time|time\.time)(_ns)?\(|\btimeit", cell.source)
        ignored = "nbval-ignore-output" in tags(cell)
        if clock and cell.outputs and not ignored:
            yield i, f"`{clock[0]}…` in a cell with output needs the tag nbval-ignore-output"
        if ignored and not clock and not re.search(r"tracemalloc|\bmemory\b", cell.source):
            yield i, "nbval-ignore-output is for measured times and memory only"


@rule
def code_width(book):
    """Lines of code are at most 88 columns wide in an edition, 120 with both languages."""
    for i, cell in book.code:
        for language, most in (("zh", COLUMNS), ("en", COLUMNS), ("", BOTH)):
            code = bilingual.source(cell.source, language) if language else cell.source
            for line in code.splitlines():
                if width(line) > most:
                    yield i, f"{width(line)} columns, at most {most}: {line[:40]}…"


@rule
def solutions(book):
    """A folded cell (``hide-cell``) is a solution and is tagged so."""
    for i, cell in book.code:
        if ("solution" in tags(cell)) != ("hide-cell" in tags(cell)):
            yield i, "the tags solution and hide-cell go together"
