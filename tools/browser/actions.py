"""The browser's actions as tools that a model can call."""

from typing import Literal

from crowquill.tools.browser.browser import Browser
from crowquill.tools.context import ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool, tool


def browser_tools(browser: Browser) -> list[Tool]:
    """Return the browser's actions as tools, in a fixed order."""

    @tool
    async def search(query: str, context: ToolContext) -> Observation:
        """Search for pages and show numbered results."""
        return await browser.search(query, context)

    @tool(name="open")
    async def open_page(target: str, context: ToolContext) -> Observation:
        """Open a result or link by its number, or a URL that was shown."""
        return await browser.open(target, context)

    @tool
    async def find(text: str, ignore_accents: bool = False) -> Observation:
        """Go to a text on the open page."""
        return browser.find(text, ignore_accents=ignore_accents)

    @tool(name="next")
    async def next_match() -> Observation:
        """Go to the next match of the last find."""
        return browser.next()

    @tool
    async def scroll(direction: Literal["down", "up"] = "down") -> Observation:
        """Show the next or the previous lines of the open page."""
        return browser.scroll(direction)

    @tool
    async def top() -> Observation:
        """Go to the top of the open page."""
        return browser.goto(1)

    @tool
    async def outline() -> Observation:
        """Show the headings of the open page with their lines."""
        return browser.outline()

    @tool
    async def goto(line: int = 1, page: int = 0) -> Observation:
        """Go to a line of the open page, or to a page of a PDF."""
        return browser.goto(line, page=page)

    @tool(name="all")
    async def show_all() -> Observation:
        """Show also what stands around the main part of the page: navigation, header, footer."""
        return browser.show_all()

    @tool
    async def submit(text: str, context: ToolContext, form: int = 0) -> Observation:
        """Send a text by a form of the open page, such as its own search."""
        return await browser.submit(text, context, form=form)

    @tool
    async def back() -> Observation:
        """Return to the page before."""
        return browser.back()

    @tool
    async def quote(context: ToolContext, lines: str = "", text: str = "") -> Observation:
        """Take lines of the open page as evidence, as in lines="3-4"; or text="…", word for word."""
        return await browser.quote(context, lines=lines, text=text)

    return [search, open_page, find, next_match, scroll, top, outline, goto, show_all, submit, back, quote]
