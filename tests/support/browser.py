"""The book in a real browser: serving it, opening pages, and saying what is wrong with them."""

import gzip
import http.server
import re
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

WIDTHS = (320, 360, 768, 1440)
LIGHT_ENOUGH = 400_000  # bytes of a page and all it loads, compressed, without fonts

# The strictest policy the book works under: everything from the site itself, no inline script.
# (The parts of a formula have styles of their own.)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'"
)

# Widest elements first: what sticks out of a page that scrolls sideways.
STICKING_OUT = """() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  const scrolls = e => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX)
    || scrolls(e.parentElement));
  const out = [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > limit + 1 && !scrolls(e.parentElement));
  return out.filter(e => ![...e.children].some(c => out.includes(c))).slice(0, 5)
    .map(e => e.outerHTML.slice(0, 120));
}"""

EQUATIONS = """() => ({
  raw: [...document.querySelectorAll(".math")].filter(e => !e.querySelector("mjx-container"))
    .map(e => e.textContent.slice(0, 80)),
  bad: [...document.querySelectorAll("mjx-merror, [data-mjx-error], mjx-mtext[style*='red']")]
    .map(e => e.getAttribute("data-mjx-error") ?? e.textContent),
})"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        with suppress(ConnectionError):  # the browser has gone on to another page
            super().copyfile(source, outputfile)


def serve(folder: Path):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def settle(tab: Page) -> None:
    """Wait until every image is loaded."""
    tab.evaluate("""async () => {
      for (const image of document.images) {
        image.loading = "eager";
        await image.decode().catch(() => {});
      }
    }""")


def visit(tab: Page, url: str, origin: str, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """Open a page; return everything that is wrong with it, in words."""
    wrong: list[str] = []
    responses: list = []
    listeners = {
        "console": lambda m: wrong.append(f"console {m.type}: {m.text}")
        if m.type in ("error", "warning") else None,
        "pageerror": lambda error: wrong.append(f"script error: {error}"),
        "request": lambda r: wrong.append(f"outside request: {r.url}")
        if not r.url.startswith((origin, "data:", "blob:")) else None,
        "response": lambda response: responses.append(response),
        "requestfailed": lambda r: wrong.append(f"request failed: {r.url}"),
    }  # fmt: skip
    for event, listener in listeners.items():
        tab.on(event, listener)
    tab.goto(url)
    settle(tab)
    wrong += [f"status {r.status}: {r.url}" for r in responses if r.status >= 400]
    bytes = weight(responses)
    if bytes > LIGHT_ENOUGH and not tab.locator("#results").count():
        wrong.append(f"too heavy: {bytes} bytes compressed")
    wrong += unused_scripts(tab)
    equations = tab.evaluate(EQUATIONS)
    wrong += [f"equation not typeset: {tex}" for tex in equations["raw"]]
    wrong += [f"equation with an error: {message}" for message in equations["bad"]]
    wrong += tab.evaluate("""() => [...document.images].filter(i => !i.naturalWidth)
      .map(i => "broken image: " + i.src.slice(0, 100))""")
    wrong += tab.evaluate("""() => [...document.querySelectorAll("article img")]
      .filter(i => !i.alt.trim()).map(i => "image without description: " + i.src.slice(0, 100))""")
    wrong += tab.evaluate("""() => [...document.querySelectorAll("article img")]
      .filter(i => !(i.getAttribute("width") && i.getAttribute("height")))
      .map(i => "image without its size: " + i.src.slice(0, 100))""")
    wrong += tab.evaluate("""() => [...document.querySelectorAll("article svg[role=img]")]
      .filter(e => !e.ariaLabel?.trim()).map(e => "picture without description: " + e.outerHTML.slice(0, 100))""")
    for width in widths:
        tab.set_viewport_size({"width": width, "height": 900})
        wrong += [f"wider than {width} px: {html}" for html in tab.evaluate(STICKING_OUT)]
    tab.set_viewport_size({"width": 1440, "height": 900})
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    return wrong


def crowded(tab: Page) -> list[str]:
    """What is wrong with the lettering of a page's figures on a phone and on a desk."""
    script = Path(__file__).with_name("lettering.js").read_text(encoding="utf-8")
    wrong = []
    for width in (360, 1440):
        tab.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{width} px wide, {fault}" for fault in tab.evaluate(script)]
    return wrong


def weight(responses) -> int:
    """Bytes that came over the network, text compressed as servers do it."""
    total = 0
    for response in responses:
        font = re.search(r"\.woff2?(\?|$)", response.url)
        if response.url.startswith("http") and not font and response.ok:
            if response.url not in _weights:
                body = response.body()
                kind = response.headers.get("content-type", "")
                pictures = kind.startswith(("image/png", "image/webp"))
                _weights[response.url] = len(body if pictures else gzip.compress(body))
            total += _weights[response.url]
    return total


_weights: dict[str, int] = {}  # of what was weighed before: many pages load the same files


def unused_scripts(tab: Page) -> list[str]:
    """Scripts that a page loads without having anything for them to do."""
    return tab.evaluate("""() => Object.entries({
      "slider.js": "figure.slider", "previews.js": "template[data-for], .footnote-reference, .internal:is([href^='#equation-'], [href^='#claim-'])",
      "mathematics.js": "mjx-container", "search": "#results",
      "landing.js": "[data-lang]", "filter.js": "[data-filter]",
    }).filter(([script, use]) => document.querySelector(`script[src*="${script}"]`)
      && !document.querySelector(use)).map(([script]) => "script without use: " + script)""")


# Words and links, one of each look: those that agree in their colours and on the same ground.
# Contrast takes axe 5 ms for each, and a page has thousands.
LOOKS = """() => {
  const looks = new Map();
  const clear = /^(rgba\\(0, 0, 0, 0\\),none,1,none,normal;)$/;
  for (const e of document.querySelectorAll("body *")) {
    const said = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!(said || e.matches("a[href]")) || e.closest("svg") || !e.checkVisibility()) continue;
    const { color, fontSize, fontWeight, textDecorationLine, textShadow } = getComputedStyle(e);
    const large = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);  // to the rule
    const around = [...e.parentElement.childNodes].some((n) => n !== e && n.textContent.trim());
    const link = e.matches("a") && [around, getComputedStyle(e.parentElement).color, textDecorationLine,
      fontSize, fontWeight];
    let ground = "";
    for (let up = e; up; up = up.parentElement) {
      const s = getComputedStyle(up);
      const own = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.mixBlendMode] + ";";
      if (!clear.test(own)) ground += own;
    }
    const look = [link, color, large, textShadow, ground].join("|");
    if (!looks.has(look)) looks.set(look, e);
  }
  return [...looks];
}"""
BY_LOOK = ["color-contrast", "link-in-text-block"]
_good_looks: set[str] = set()  # in either theme: pages have most of theirs in common


def inaccessible(tab: Page, colours_only: bool = False) -> list[str]:
    """What axe-core finds on a page: contrast, names, roles, order of headings, alternatives …"""
    # The thousands of elements inside equations and code would take minutes; the colours of code
    # have a test of their own.
    tab.evaluate("""() => {
      for (const math of document.querySelectorAll("mjx-container")) math.replaceChildren("x");
      for (const code of document.querySelectorAll(".highlight pre")) code.textContent += "";
      // Of a link whose words stand in an element of their own axe does not know on what ground.
      for (const words of document.querySelectorAll("a[href] > span:only-child")) {
        const color = (element) => getComputedStyle(element).color;
        if (!words.children.length && color(words) === color(words.parentElement)) {
          words.replaceWith(words.textContent);
        }
      }
    }""")
    looks = {*tab.evaluate(f"() => ({LOOKS})().map(([look]) => look)")}
    new = sorted(looks - _good_looks)
    if colours_only and not new:
        return []
    if not tab.evaluate("() => 'axe' in window"):
        script = Path(axe_playwright_python.__file__).with_name("axe.min.js")
        tab.evaluate(script.read_text(encoding="utf-8"))
    colours, others = tab.evaluate(f"""async ([rules, looks, all]) => {{
      const resultTypes = ["violations"], rest = rules.map((rule) => [rule, {{ enabled: false }}]);
      const places = ({LOOKS})().filter(([look]) => looks.includes(look)).map(([, place]) => place);
      const run = async (...what) => (await axe.run(...what)).violations;
      return [places.length ? await run(places, {{ resultTypes, runOnly: rules }}) : [],
        all ? await run({{ resultTypes, rules: Object.fromEntries(rest) }}) : []];
    }}""", [BY_LOOK, new, not colours_only])
    if not colours:
        _good_looks.update(new)
    return [
        f"{v['id']}: {v['help']}: {node['html'][:150]} {node['failureSummary'][:200]}"
        for v in [*colours, *others] for node in v["nodes"][:3]
    ]  # fmt: skip
