"""How long a reader on a slow line waits: ``python tests/support/paint.py [pages…]``, after ``make book``.

Prints, for each page, the median of several visits with an empty cache over "slow 4G" (1.6 Mbit/s,
150 ms) to a server that compresses: until something is on screen (first contentful paint), until
the largest thing is, and until the fonts of the formulas are there; by how much things moved
meanwhile (cumulative layout shift); and the bytes that came until then. Not a test: times depend on
the machine.
"""

import gzip
import http.server
import statistics
import sys
import threading
from functools import partial

from playwright.sync_api import Browser, sync_playwright

from press.handouts.chromium import chromium
from press.notebook import ROOT

VISITS = 5
SLOW_4G = {
    "offline": False, "latency": 150,
    "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8,
}
TIMES = """() => new Promise((resolve) => new PerformanceObserver((list) => resolve([
  performance.getEntriesByName("first-contentful-paint")[0].startTime,
  list.getEntries().at(-1).startTime,
])).observe({ type: "largest-contentful-paint", buffered: true }))"""
SHIFT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, e) => sum + e.value, 0)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 500);
})"""


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves text as Pages does, compressed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.translate_path(self.path)
        kind = self.guess_type(path)
        with open(path, "rb") as file:
            body = file.read()
        self.send_response(200)
        if kind.startswith(("text/", "application/j", "image/svg")):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def visit(browser: Browser, url: str, slowdown: int) -> list[float]:
    """First paint, largest paint, fonts (ms), shift, bytes: of one visit, with an empty cache."""
    context = browser.new_context(viewport={"width": 412, "height": 823})
    tab = context.new_page()
    client, received = context.new_cdp_session(tab), []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", SLOW_4G)
    client.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    tab.goto(url)
    fonts = tab.evaluate("document.fonts.ready.then(() => performance.now())")
    times = [*tab.evaluate(TIMES), fonts, tab.evaluate(SHIFT), sum(received)]
    context.close()
    return times


def main(pages: list[str]) -> None:
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Compressing, directory=str(ROOT / "_build" / "html"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("page, processor: first paint, largest paint, fonts; layout shift; bytes received")
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for page in pages:
            for slowdown in (1, 4):  # this machine, and one four times slower: a phone
                url = f"http://127.0.0.1:{server.server_port}/{page}"
                visits = [visit(browser, url, slowdown) for _ in range(VISITS)]
                *times, shift, size = (statistics.median(column) for column in zip(*visits))
                seconds = ", ".join(f"{time / 1000:.2f} s" for time in times)
                print(f"{page}, 1/{slowdown}: {seconds}; {shift:.3f}; {size / 1000:.0f} kB")
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:] or ["index.html", "zh/optimizers/adam.html", "en/optimizers/adam.html"])
