"""Make the fonts that pages bring along, and ``fonts.css``, which names them.

    pip install brotli && python -m press.fonts

fetches Adobe's Source Serif, Sans and Code (SIL Open Font License; Noto's Han fonts have the Latin
letters of the same family) with npm, keeps the characters in `CHARACTERS`, and writes
``theme/fonts``. The licence reserves the name "Source" for the whole fonts, so the parts are called
Book Serif, Sans and Mono. Han characters come from the reader's system.

While a font is on its way, or is refused, the text stands in one that the system has, of the same
weight and scaled to the same average width: next to nothing moves when the font arrives.
"""

import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.afmLib import AFM
from fontTools.ttLib import TTFont
from matplotlib import get_data_path

FOLDER = Path(__file__).parent / "theme" / "fonts"
PACKAGE = "@expo-google-fonts/source-{}@0.4.1"
FACES = {  # family: (package, weights)
    "Serif": ("serif-4", ("400Regular", "400Regular_Italic", "600SemiBold")),
    "Sans": ("sans-3", ("400Regular", "600SemiBold")),
    "Mono": ("code-pro", ("400Regular",)),
}
#: ASCII, Latin letters with accents, Greek, punctuation, raised and lowered signs, arrows, signs.
CHARACTERS = (
    "20-7E A0-FF 100-107 10C-113 118-11D 120-121 124-125 141-144 147-148 14C-14D 150-153 158-161 "
    "16A-16B 16E-171 179-17E 192 233 2C6 2DC 2E3 302 304 391-3A1 3A3-3A9 3B1-3C9 3D1 3D5 3F5 1E03 "
    "1E21 1E23 2010-2016 2018-201E 2020-2022 2026 2030 2032-2033 2039-203A 2070-208E 2090-209C "
    "2113 2122 2190-2194 21A6 21D2 2202-2265 2299 22A4 22C6 25A0-25A1 25CB 25CF 2605 "
    "2713 2717 27E8-27E9"
)
#: In Chinese text · — ‘ ’ “ ” … are as wide as a Han character, and come from its font.
NOT_HAN = "unicode-range: U+0-B6, U+B8-2013, U+2015-2017, U+201A-201B, U+201E-2025, U+2027-2BFF;"
#: Fonts of readers' systems, and whose widths they have: files of matplotlib's, for each weight.
FALLBACKS = {
    "Serif": [(["Times New Roman", "Liberation Serif", "Times"], "pdfcorefonts/Times-{}.afm"),
              (["DejaVu Serif"], "ttf/DejaVuSerif-{}.ttf")],
    "Sans": [(["Arial", "Liberation Sans", "Helvetica"], "pdfcorefonts/Helvetica-{}.afm"),
             (["DejaVu Sans"], "ttf/DejaVuSans-{}.ttf")],
    "Mono": [(["Courier New", "Liberation Mono"], "pdfcorefonts/Courier-{}.afm"),
             (["DejaVu Sans Mono", "Menlo"], "ttf/DejaVuSansMono-{}.ttf")],
}  # fmt: skip
STYLES = {"400Regular": "", "400Regular_Italic": "Italic", "600SemiBold": "Bold"}  # of the system's
SAMPLES = {  # what is set in each
    "Serif": "Every parameter has its own rate: the gradient, divided by the root of the average "
    "of its squares. What people say of it is measured, in 20 runs.",
    "Sans": "Residuals: where to put the norm. Comparing activations. Internal covariate shift, or "
    "a smoother landscape. Weight decay is not regularization. Momentum as a heavy ball. Exercises",
    "Mono": "for step in range(20):",
}


def ranges(text: str) -> set[int]:
    """The characters of ranges in hexadecimal: ``"41-43 61"`` is A, B, C and a."""
    ends = [[int(end, 16) for end in part.split("-")] for part in text.split()]
    return {one for end in ends for one in range(end[0], end[-1] + 1)}


def cut(source: Path, name: str) -> TTFont:
    """The part of a font that the book uses, under its own name."""
    options = subset.Options(layout_features=["kern", "liga", "ccmp", "mark", "tnum"])
    options.hinting, options.flavor = False, "woff2"
    font = subset.load_font(source, options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=ranges(CHARACTERS))
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16):
            record.string = name
    return font


def width(font: TTFont, text: str) -> float:
    """Of a text, in units of the size."""
    names, advances = font.getBestCmap(), font["hmtx"]
    return sum(advances[names[ord(sign)]][0] for sign in text) / font["head"].unitsPerEm


def width_of_system(file: str, style: str, text: str) -> float:
    """As `width`, of a font that matplotlib has or knows the widths of."""
    folder = Path(get_data_path(), "fonts")
    for name in (file.format(style), file.format("Roman"), file.replace("-{}", "")):
        if style in name and (path := folder / name).exists():
            break
    if path.suffix == ".ttf":
        return width(TTFont(path), text)
    advances = {code: advance for code, advance, _ in AFM(path)._chars.values()}
    return sum(advances[ord(sign)] for sign in text) / 1000


def face(family: str, source: str, *more: str) -> str:
    return f'@font-face {{ font-family: "{family}"; src: {source}; {" ".join(more)} }}'


def faces(family: str, source: str, *more: str) -> list[str]:
    """A font for English text, and the same for what in Chinese text is not Han."""
    both = [face(family, source, *more)]
    if "Serif" not in family:  # Chinese text is set in a sans
        both.append(face(f"{family} Han", source, *more, NOT_HAN))
    return both


def fallbacks(family: str, font: TTFont, style: str, said: str) -> list[str]:
    """The system's fonts of a style, scaled to the width of ours, with its height of a line."""
    lines, sample = [], SAMPLES[family]
    for names, file in FALLBACKS[family]:
        scale = width(font, sample) / width_of_system(file, style, sample)
        em = font["head"].unitsPerEm * scale
        local = ", ".join(f'local("{f"{name} {style}".rstrip()}")' for name in names)
        lines += faces(
            f"{names[0]} as Book {family}", local, said,
            f"size-adjust: {scale:.1%};", f"ascent-override: {font['hhea'].ascent / em:.1%};",
            f"descent-override: {-font['hhea'].descent / em:.1%}; line-gap-override: 0%;",
        )  # fmt: skip
    return lines


def write(packages: Path) -> None:
    """Write the fonts and the style sheet, from packages as npm gives them."""
    FOLDER.mkdir(exist_ok=True)
    lines = ["/* Made by press/fonts.py, from Source Serif, Sans and Code: see OFL.txt. */"]
    for family, (package, weights) in FACES.items():
        (archive,) = packages.glob(f"*-{package}-*.tgz")
        with tarfile.open(archive) as files:
            files.extractall(packages / family, filter="data")
        for weight in weights:
            (source,) = (packages / family / "package" / weight).glob("*.ttf")
            font = cut(source, f"Book {family}")
            file = f"{family.lower()}-{weight[:3]}{'-italic' * weight.endswith('Italic')}.woff2"
            subset.save_font(font, FOLDER / file, subset.Options(flavor="woff2"))
            style = "italic" if "italic" in file else "normal"
            said = f"font-weight: {weight[:3]}; font-style: {style};"
            ours = f'url("{file}") format("woff2")'
            lines += faces(f"Book {family}", ours, said, "font-display: swap;")
            lines += fallbacks(family, font, STYLES[weight], said)
        licence = packages / family / "package" / "LICENSE_FONT"
        (FOLDER / "OFL.txt").write_bytes(licence.read_bytes())
    (FOLDER / "fonts.css").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for package, _ in FACES.values():
            name = PACKAGE.format(package)
            subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True)
        write(Path(folder))


if __name__ == "__main__":
    main()
