"""The report of a run, opened in Chromium: nothing runs in it, nothing is fetched, everything can be reached."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from tests.support.hostile_run import HOSTILE, Run

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="the report is looked at in Chromium: apt install chromium"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, run: Run, tmp_path: Path) -> Iterator[Page]:
    """The report in a browser; it fails when anything is said on the console, or fetched."""
    (tmp_path / "report.html").write_text(run.html, encoding="utf-8")
    page = browser.new_page(color_scheme=getattr(request, "param", "light"))
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", lambda dialog: noise.append(dialog.message))
    address = (tmp_path / "report.html").as_uri()
    page.on("request", lambda sent: noise.append(sent.url) if sent.url != address else None)
    page.goto(address)
    yield page
    page.close()
    assert noise == []


def test_hostile_text_is_shown_and_does_nothing(page: Page, run: Run) -> None:
    assert page.locator("script, img, iframe, object, embed, form, link[href]").count() == 0
    attributes = page.evaluate("[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())")
    assert not [name for name in attributes if name.startswith("on")]
    hrefs = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert hrefs
    assert all(href.startswith(("#", "http://", "https://")) for href in hrefs)
    assert page.title().startswith("How far apart? <script>")
    assert HOSTILE.split("</pre>")[0].strip() in page.locator("h1").inner_text()
    assert "\u202e" not in run.html


def test_receipts_can_be_checked_on_the_page(page: Page) -> None:
    marked = page.locator("#receipt-1 mark").inner_text()
    assert "opened in 1874 <script>" in marked
    assert "last line" not in marked or "last line" in page.locator("#receipt-1").inner_text()
    assert page.locator("#receipt-2 td.cited").all_inner_texts() == ["1901"]
    assert "1901 - 1874 = 27" in page.locator("#receipt-3").inner_text()
    assert page.locator("#statement-5 .badge").inner_text() == "unsupported"
    assert page.locator("#statement-5 .problem").count() == 1
    tip = page.locator("#tip-1-1")
    assert not tip.is_visible()
    page.locator("#statement-1 .cite a").first.focus()
    assert tip.is_visible()
    page.locator("#pages summary").first.click()
    assert page.locator("#page-1 mark").is_visible()


def test_steps_stand_beside_what_the_model_saw(page: Page) -> None:
    steps = page.locator("ol.steps > li")
    assert steps.count() == 7
    third = steps.nth(2)
    assert "quote(lines=2-3)" in third.inner_text()
    assert "Past actions" in third.locator(".seen").inner_text()
    left, right = third.locator("> div").first.bounding_box(), third.locator(".seen").bounding_box()
    assert left is not None
    assert right is not None
    assert right["x"] > left["x"] + left["width"] - 1
    for cell in page.locator("#score td, #sources td").all():
        box = cell.bounding_box()
        assert box is not None
        assert box["width"] > 30, cell.inner_text()
    page.set_viewport_size({"width": 420, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_nothing_stands_in_the_way_of_anybody(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_it_prints_without_what_paper_cannot_do(page: Page) -> None:
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    mark = page.locator("#receipt-1 mark")
    assert mark.is_visible()
    assert mark.evaluate("e => getComputedStyle(e).printColorAdjust") == "exact"  # else paper shows no quote
    assert "underline" in mark.evaluate("e => getComputedStyle(e).textDecoration")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
