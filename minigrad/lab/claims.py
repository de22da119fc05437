"""Claims with their measured verdicts."""

import html
import re

import numpy as np
from IPython.display import HTML, display

#: What each verdict is called on the page.
VERDICTS = {
    "holds": {"zh": "成立", "en": "Holds"},
    "partly": {"zh": "有条件成立", "en": "Holds when…"},
    "fails": {"zh": "不成立", "en": "Does not hold"},
}


def claim(name, verdict, *, zh, en):
    """Show one line of the chapter's claims with its measured verdict, in both languages.

    The line carries the permanent anchor ``claim-<name>``, to which the ledger links. ``verdict``
    should be computed by the cell, not typed.

    Args:
        name: lower-case words and hyphens, unique in the book, never changed once published.
        verdict: ``True`` (成立, holds), ``False`` (不成立, does not hold) or ``"partly"``
            (有条件成立, holds when…; the text says when).
        zh, en: the claim and what was measured, a sentence or two each. ``$…$`` is typeset;
            other text is shown as it is.

    >>> claim("first-step", True, zh="首步长为 $η$。", en="The first step has length $η$.")
    <IPython.core.display.HTML object>
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"claim: the name must be words joined by hyphens, got {name!r}")
    if not isinstance(verdict, (bool, np.bool_)) and verdict != "partly":
        raise ValueError(f'claim({name!r}): verdict: True, False or "partly", got {verdict!r}')
    if not (zh.strip() and en.strip()):
        raise ValueError(f"claim({name!r}): both zh and en must say something")
    key = "partly" if isinstance(verdict, str) else "holds" if verdict else "fails"
    lines = "".join(
        f'<p data-lang="{lang}" lang="{lang}"><strong>{VERDICTS[key][lang]}</strong> '
        f"<span>{_typeset(text)}</span></p>"
        for lang, text in (("zh", zh), ("en", en))
    )
    display(HTML(f'<div class="claim" id="claim-{name}" data-verdict="{key}">{lines}</div>'))


def _typeset(text):
    """Escaped text whose ``$…$`` became what Sphinx makes of inline math (Jupyter reads it too)."""
    return re.sub(
        r"\$([^$]+)\$",
        r'<span class="math notranslate nohighlight">\\(\1\\)</span>',
        html.escape(" ".join(text.split()), quote=False),
    )
