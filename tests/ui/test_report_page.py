"""The report in a real browser: no console message, no request, every image drawn."""

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tasks.reporting import render

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=8000", "--window-size=1400,2400",
)  # fmt: skip
# Writes into the title how many of the pictures of class "probe" failed, once all have loaded or failed.
COUNT_PROBES = """<script>addEventListener('load', () => {
  const all = [...document.querySelectorAll('img.probe')];
  document.title = `images ${all.length} broken ${all.filter(one => !one.naturalWidth).length}`;
});</script>"""


def probed(html: str) -> str:
    """The page with each of its pictures a second time as an <img>, which tells whether it could be decoded."""
    addresses = re.findall(r'<(?:image|img)\b[^>]*?(?:href|src)="([^"]*)"', html)
    unlocked = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)  # lets our own script run
    probes = "".join(f'<img class="probe" src="{address}">' for address in addresses)
    return unlocked.replace("</body>", f"{probes}{COUNT_PROBES}</body>")


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium or Chrome is installed (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def page() -> str:
    sample = runpy.run_path(str(Path(__file__).parents[1] / "unit" / "reporting" / "report_sample.py"))
    return render(sample["make_report"](n=400))


def visit(browser: str, html: str, folder: Path, *options: str) -> tuple[str, list[str], set[str]]:
    """Open `html` from a file; returns the DOM, the console messages, and the addresses that the page asked for."""
    file, log = folder / "page.html", folder / "net.json"
    file.write_text(html, encoding="utf-8")
    command = [browser, *QUIET, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", *options, "--dump-dom",
               file.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    messages = re.findall(r"CONSOLE.*", done.stderr)
    events = [event.get("params") or {} for event in json.loads(log.read_text())["events"]]
    # The browser's own calls home have no page as their initiator; a page opened from a file has the origin "null".
    asked = {e["url"] for e in events if e.get("initiator") == "null" and not e["url"].startswith(("data:", "file:"))}
    return done.stdout, messages, asked


def test_the_checks_can_fail(browser, tmp_path):
    html = '<body><img src="http://example.org/a.png"><img src="data:,"><script>nowhere()</script></body>'
    dom, messages, asked = visit(browser, probed(html), tmp_path)
    assert asked == {"http://example.org/a.png"}
    assert any("nowhere is not defined" in message for message in messages)
    assert "images 2 broken 2" in dom


def test_report_is_silent_and_asks_for_nothing(browser, page, tmp_path):
    picture = tmp_path / "page.png"
    dom, messages, asked = visit(browser, page, tmp_path, f"--screenshot={picture}")
    assert messages == []
    assert asked == set()
    assert dom.count("<figure") == page.count("<figure")
    pixels = imread(picture)[..., :3]
    assert pixels.shape[:2] == (2400, 1400)
    assert len(np.unique((255 * pixels).astype(np.uint8).reshape(-1, 3), axis=0)) > 200  # not a blank sheet


def test_every_image_decodes(browser, page, tmp_path):
    dom, messages, _ = visit(browser, probed(page), tmp_path)
    total = page.count("<image")
    assert total > 20
    assert re.search(r"images \d+ broken \d+", dom)[0] == f"images {total} broken 0"
    assert messages == []


def test_page_does_not_scroll_sideways(browser, page, tmp_path):
    measure = "<script>document.title = `wide ${document.documentElement.scrollWidth - innerWidth}`</script>"
    unlocked = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    for width in (1400, 820, 520):
        dom, _, _ = visit(browser, unlocked.replace("</body>", measure + "</body>"), tmp_path,
                          f"--window-size={width},1200")  # fmt: skip
        assert int(re.search(r"<title>wide (-?\d+)", dom)[1]) <= 0, f"at {width} px"
