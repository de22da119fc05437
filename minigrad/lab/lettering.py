r"""The words of a figure: how wide they are, and how they are written as SVG.

A page draws a figure's text in its own font, so its width is not known when the figure is laid
out. It is taken to be that of DejaVu Sans, which is as wide as any font that a page may use. A
label in both languages, ``中文 · English``, takes the room of its wider half, so that one layout
serves both editions.

Formulas, ``$…$``, are small here: letters, signs, sub- and superscripts, roots and bars. TeX beyond
that is an error, as a glyph that a font lacks would be.

>>> plain(r"步长 $\bar\eta_{t+1}^2$ · step $\ln x$")
'步长 η_t+1^2 · step ln x'
>>> svg("$x_1$", 16)
'<tspan font-style="italic">x</tspan><tspan font-size="115" dy="29">1</tspan>'
"""

import html
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.text import Text

from .words import half

UNIT = 10  # a figure's coordinates are whole tenths of a CSS pixel

_GREEK = dict(zip(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi "
    "psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega".split(),
    "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΣΦΨΩ"))  # fmt: skip
_SIGNS = {
    "times": "×", "cdot": "·", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠",
    "approx": "≈", "propto": "∝", "in": "∈", "to": "→", "leftarrow": "←", "infty": "∞", "sum": "∑",
    "prod": "∏", "nabla": "∇", "partial": "∂", "ell": "ℓ", "varepsilon": "ε", "star": "⋆",
    "odot": "⊙", "|": "‖", "%": "%", "{": "{", "}": "}", ",": "\u2009", ";": "\u2005", " ": " ",
    "quad": "\u2003",
}  # fmt: skip
_UPRIGHT = {"mathrm", "mathdefault", "text", "operatorname", "mathbf"}
_NAMES = {"log", "ln", "exp", "max", "min", "sin", "cos", "tanh", "det"}
_OVER = {"bar", "overline"}
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303"}
_MACRON = "\u0304"
_MARKS = {*_ACCENTS.values(), _MACRON}
_SPACED = "=<>≤≥≈≠±×∈→←∝"
_TYPED = {"-": "−", "*": "∗", "'": "′"}


@dataclass(frozen=True)
class Run:
    """Text of one look: how far above the line (in em), how large, slanted or not, under a bar."""

    text: str
    up: float = 0.0
    scale: float = 1.0
    italic: bool = False
    bar: bool = False


@lru_cache(None)
def runs(text):
    """The runs of one language's text; ValueError for TeX that is not known."""
    found = []
    for i, part in enumerate(re.split(r"(?<!\\)\$", text)):
        if i % 2:
            found += _Formula(part).runs
        elif part:
            found.append(Run(part.replace(r"\$", "$")))
    return tuple(found)


class _Formula:
    """The runs of a formula, found by walking along its tokens."""

    def __init__(self, tex):
        self.tex, self.runs = tex, []
        self._walk(re.findall(r"\\[A-Za-z]+|\\.|.", tex), Run("", italic=True))

    def _walk(self, tokens, look):
        tokens = list(reversed(tokens))
        while tokens:
            token = tokens.pop()
            name = token[1:]
            if token in "^_":
                shift = 0.36 if token == "^" else -0.18
                up, scale = look.up + shift * look.scale, max(look.scale * 0.72, 0.6)
                self._walk(self._argument(tokens), replace(look, up=up, scale=scale))
            elif token[0] != "\\":
                self._put(token, look)
            elif name == "sqrt":
                inner = self._argument(tokens)
                self._put("√", look)
                self._walk(inner, replace(look, bar=not _is_symbol(inner)))
            elif name in _OVER:
                inner = self._argument(tokens)
                if _is_letter(inner):  # fonts place an accent well, and a bar too high
                    self._walk([*inner, _MACRON], look)
                else:
                    self._walk(inner, replace(look, bar=True))
            elif name in _ACCENTS:
                self._walk([*self._argument(tokens), _ACCENTS[name]], look)
            elif name in _UPRIGHT:
                self._walk(self._argument(tokens), replace(look, italic=False))
            elif name in _NAMES:
                self._add(name, replace(look, italic=False))
                if tokens and tokens[-1] not in "^_({":
                    self._add("\u2009", look)
            elif name in _GREEK:
                self._add(_GREEK[name], replace(look, italic=look.italic and name.islower()))
            elif name in _SIGNS:
                self._put(_SIGNS[name], look)
            else:
                known = sorted({*_GREEK, *_SIGNS, *_UPRIGHT, *_NAMES, *_OVER, *_ACCENTS, "sqrt"})
                raise ValueError(
                    f"figure: {token} in ${self.tex}$ is not among what labels can show: write it "
                    f"with {', '.join(known)}, or in words"
                )

    def _argument(self, tokens):
        """Take what a command applies to: a group in braces, or one token (with its own)."""
        token = tokens.pop()
        if token == " ":
            return self._argument(tokens)
        if token != "{":
            takes = {"sqrt", *_OVER, *_ACCENTS, *_UPRIGHT}
            return [token, *self._argument(tokens)] if token[1:] in takes else [token]
        depth, inner = 1, []
        while depth:
            if not tokens:
                raise ValueError(f"figure: a brace is not closed in ${self.tex}$")
            token = tokens.pop()
            depth += {"{": 1, "}": -1}.get(token, 0)
            inner.append(token)
        return inner[:-1]

    def _put(self, sign, look):
        if sign in " {}" and sign != "\u2009":
            return
        sign = _TYPED.get(sign, sign)
        letter = sign.isalpha() or sign in _MARKS
        self._add(f"\u2005{sign}\u2005" if sign in _SPACED else sign,
                  replace(look, italic=look.italic and letter))  # fmt: skip

    def _add(self, text, look):
        last = self.runs[-1] if self.runs else None
        if last and replace(last, text="") == replace(look, text=""):
            self.runs[-1] = replace(last, text=last.text + text)
        else:
            self.runs.append(replace(look, text=text))


def _is_letter(tokens):
    """Whether tokens are a single letter, Greek ones included."""
    return len(tokens) == 1 and (tokens[0].isalpha() or tokens[0][1:] in _GREEK)


def _is_symbol(tokens):
    """Whether they are one letter, be it with accents or a subscript: its root needs no bar."""
    bare = re.sub(r"[_^](\{.*?\}|\\?\w)|\\(hat|tilde)\b", "", "".join(tokens))
    return len(re.findall(r"\\\w+|\w", bare)) == 1 and not set(bare) & set("+-=<>*/,")


def plain(text):
    """A label as a line of text: formulas without their dollars, bars and accents."""
    return " · ".join(dict.fromkeys(_plain(half(text, language)) for language in ("zh", "en")))


def _plain(text):
    out, up = "", 0.0
    for run in runs(text):
        if run.up != up:
            out += "" if run.up == 0 else "^" if run.up > up else "_"
        out, up = out + run.text, run.up
    out = re.sub(r"[\u0302-\u0304]", "", out)
    return re.sub(r"[\u2005\u2003]", " ", out).replace("\u2009", " ")


# --- How much room it takes -----------------------------------------------------------------------

_font = get_font(findfont(FontProperties(family="DejaVu Sans")))
_font.set_size(100, 72)


@lru_cache(None)
def _advance(character):
    if "\u2e80" <= character <= "\ufffd" or character in "‖…—“”":  # as wide as 汉字 where those are
        return 1.0
    if character in _MARKS:
        return 0.0
    glyph = _font.load_char(ord(character), flags=LoadFlags.NO_HINTING)
    return glyph.linearHoriAdvance / 65536 / 100


def extent(text, size):
    """Width, height and depth below the line of a label, of its wider and taller half."""
    boxes = [_extent(half(text, language)) for language in ("zh", "en")]
    return tuple(max(values) * size for values in zip(*boxes))


@lru_cache(None)
def _extent(text):
    width = sum(run.scale * sum(map(_advance, run.text)) for run in runs(text))
    top = max((run.up + 0.74 * run.scale for run in runs(text)), default=0.74)
    depth = max((0.2 * run.scale - run.up for run in runs(text)), default=0.2)
    return width, max(top, 0.74) + max(depth, 0.2), max(depth, 0.2)


# --- How it is written ----------------------------------------------------------------------------


def svg(text, size):
    """What stands inside ``<text>`` for one language's text of a size in pixels."""
    out, back = "", 0
    for run in runs(text):
        shift = round(-run.up * size * UNIT)
        look = ' font-style="italic"' if run.italic else ""
        if run.scale != 1:
            look += f' font-size="{round(run.scale * size * UNIT)}"'
        if shift != back:
            look += f' dy="{shift - back}"'
        if run.bar:
            look += ' text-decoration="overline"'
        inner = html.escape(run.text, quote=False)
        out += f"<tspan{look}>{inner}</tspan>" if look else inner
        back = shift
    return out


def texts(artist):
    """The texts in it that are seen. A hidden axis is not asked: it would make all its ticks."""
    if artist.get_visible():
        if isinstance(artist, Text):
            yield artist
        for child in artist.get_children():
            yield from texts(child)
