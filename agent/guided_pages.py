"""The pages of the guided recipe: where to look, which lines to quote, and when to look again.

A question is searched for, the best pages are opened and their closest lines quoted; the model reads once. When it
finds nothing, more of the pages whose subject it has brought up is read, and pages to which they lead; of a
question of two steps what is left is asked (`bridges`). An answer that may only be on the way is read on about.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

from crowquill.agent.annotate import asked_kind, may_be_stopover, needs_calculation
from crowquill.agent.bridges import brought_up, described, led_to, stopovers
from crowquill.agent.compare import Comparison, comparison
from crowquill.agent.critic.grounding import is_called
from crowquill.agent.guided_answers import NOT_FOUND, computed
from crowquill.agent.guided_reader import Reader
from crowquill.agent.lane import Lane
from crowquill.agent.measures import measure_words, measures
from crowquill.agent.rules import urls_in
from crowquill.agent.state import Action, State
from crowquill.agent.toolkit import Toolkit
from crowquill.memory.evidence import Computation, Quote
from crowquill.memory.textual import content_words, names
from crowquill.tools.browser.browser import Browser
from crowquill.tools.search.base import Passage

PAGES = 5
"""Pages that are opened."""
LINES = 3
"""Lines that are quoted from a page which comes without passages, and from one that is opened again."""
LOOKED_AT_AGAIN = 3
"""Pages of which more lines are read when the first reading has found nothing."""
LED_TO, NAMES = 2, 5
"""Pages that are opened because the first ones have led there, and names that are searched for them."""


class PageRecipe:
    """Looks for pages and reads them; `found` is an answer that holds if going on about it is cut short."""

    def __init__(
        self, lane: Lane, toolkit: Toolkit, reader: Reader, without: Collection[str], state: State
    ) -> None:
        assert toolkit.browser is not None
        self._lane = lane
        self._toolkit = toolkit
        self._browser: Browser = toolkit.browser
        self._reader = reader
        self._without = without
        self._state = state
        self._question = state.task.goal
        self._places: list[tuple[str, tuple[Passage, ...]]] = [(url, ()) for url in urls_in(self._question)]
        self._again: list[str] = []
        self.found: Action | None = None

    async def steps(self) -> AsyncGenerator[Action, State]:
        """Yield the actions up to the answer; each is answered with the state after it."""
        async for action in self._actions():
            self._state = yield action

    async def _actions(self) -> AsyncIterator[Action]:
        async for action in self._look():
            yield action
        compared = comparison(self._question, self._state.evidence)
        if compared is not None and "comparison" not in self._without:
            async for action in self._look_at_sides(compared):
                yield action
            compared = comparison(self._question, self._state.evidence)
            assert compared is not None  # quotes only came on top
            yield await self._reader.compare(compared, self._state)
        if needs_calculation(self._question) and self._state.evidence:
            calculation = await self._reader.calculate(self._state)
            if calculation is not None:
                cites, expression, sentence = calculation
                yield Action("math", {"expression": expression}, "with numbers from the quotes")
                if isinstance(self._state.evidence[-1], Computation):
                    yield computed(self._state, sentence, cites)
        answer = await self._reader.read(self._state)
        beyond = NOT_FOUND
        if answer is NOT_FOUND and not needs_calculation(self._question) and "second look" not in self._without:
            seen = len(self._state.evidence)
            async for action in self._look_again():
                yield action
            for title in stopovers(self._question, self._reader.said, self._state.evidence)[:LED_TO]:
                beyond = await self._reader.beyond(self._state, title) if beyond is NOT_FOUND else beyond
            answer = beyond
            if answer is NOT_FOUND and len(self._state.evidence) > seen:
                answer = await self._reader.read(self._state, again=True)
        if answer is not beyond and "bridge" not in self._without and self._may_lead_on(answer):
            self.found = answer
            async for action in self._read_on(str(answer.args["short"])):
                yield action
        yield answer if self.found is None else self.found

    async def _look(self) -> AsyncIterator[Action]:
        """Search, open the best pages, and quote the lines that are close to the question."""
        if not self._places and "search" in self._browser.legal():
            yield Action("search", {"query": self._question}, "look for pages")
            self._places = [(hit.url, hit.passages) for hit in self._browser.hits[:PAGES]]
        for url, passages in self._places:
            yield Action("open", {"target": url}, "named in the question, or among the best results")
            if not self._state.steps[-1].error:
                for lines in await self._lines(passages):
                    yield Action("quote", {"lines": lines}, "close to the question")

    async def _look_at_sides(self, compared: Comparison) -> AsyncIterator[Action]:
        """Quote what the page of each side says about what is compared."""
        for side in compared.sides:
            page = self._state.evidence[side.quotes[0] - 1]
            assert isinstance(page, Quote)
            yield Action("open", {"target": page.source.url}, f"what it says about {side.name}")
            words = measure_words(compared.asked)
            asked = f"{side.name} {words}" if words else compared.alone(side)
            for lines in await self._unread(asked, measured=compared.asked):
                yield Action("quote", {"lines": lines}, "close to what is asked about it")

    async def _look_again(self) -> AsyncIterator[Action]:
        """Quote more of the best pages, and open those to which the pages of the question's own subjects lead."""
        self._again = self._best_again([url for url, _ in self._places])
        for url in self._again:
            yield Action("open", {"target": url}, "not found at first: read on")
            for lines in await self._unread(_nameless(self._question)):
                yield Action("quote", {"lines": lines}, "close to what is asked, whoever it is about")
        query = self._led_to()
        if not query or "search" not in self._browser.legal():
            return
        yield Action("search", {"query": query}, "not found at first: what do its pages lead to?")
        read = {item.source.url for item in self._state.evidence if isinstance(item, Quote)}
        for hit in [hit for hit in self._browser.hits if hit.url not in read][:LED_TO]:
            yield Action("open", {"target": hit.url}, "the pages found first may lead here")
            if not self._state.steps[-1].error:
                for lines in await self._lines(hit.passages):
                    yield Action("quote", {"lines": lines}, "close to the question")

    async def _read_on(self, short: str) -> AsyncIterator[Action]:
        """Read on about what was answered, where it has a page that is not of the kind which is asked for."""
        yield Action("search", {"query": short}, "is there a page about what was answered?")
        about = next((hit for hit in self._browser.hits if is_called(hit.title, short)), None)
        if about is None:
            return
        if about.url not in self._again:
            yield Action("open", {"target": about.url}, "is it what is asked for, or on the way there?")
            if self._is_of_kind():
                return
            for lines in await self._unread(_nameless(self._question)):
                yield Action("quote", {"lines": lines}, "close to what is asked")
        beyond = await self._reader.beyond(self._state, about.title, short)
        self.found = self.found if beyond is NOT_FOUND else beyond

    def _best_again(self, urls: Sequence[str]) -> list[str]:
        """Return the pages to look at again: those first whose subject the first reading has brought up.

        It says what it knows, "Ada Fell played the captain", where it does not know which post she held.
        """
        titles = {item.source.url: item.source.title for item in self._state.evidence if isinstance(item, Quote)}
        is_brought_up = brought_up(self._question, self._reader.said)
        return sorted(urls, key=lambda url: not is_brought_up(titles.get(url, "")))[:LOOKED_AT_AGAIN]

    def _led_to(self) -> str:
        """Return a query for what a question describes: its other words, names on the pages of what it names."""
        found = led_to(self._question, self._state.evidence) if described(self._question) is not None else []
        return " ".join([_nameless(self._question), *found[:NAMES]]) if found else ""

    def _may_lead_on(self, answer: Action) -> bool:
        """Say whether an answer is a name that may only be on the way, and can be searched for."""
        named = bool(names(str(answer.args.get("short", "")), openings=True))
        return named and may_be_stopover(self._question) and "search" in self._browser.legal()

    def _is_of_kind(self) -> bool:
        """Say whether the open page says in its first lines that it is about what the question asks for."""
        page = self._browser.current
        lines = [] if page is None else [page.line_text(line) for line in range(1, min(3, len(page.lines)) + 1)]
        return bool(asked_kind(self._question) & content_words(" ".join(lines)))

    async def _unread(self, asked: str, *, measured: str = "") -> list[str]:
        """Return lines of the open page that are close to what is asked, and not quoted yet.

        Those come first that give a measure of the kind for which `measured` asks.
        """
        page = self._browser.current
        if self._state.steps[-1].error or page is None:
            return []
        quoted = {
            line
            for item in self._state.evidence
            if isinstance(item, Quote) and item.source.sha256 == page.sha256
            for line in range(item.lines[0], item.lines[1] + 1)
        }
        passages = await self._toolkit.rank(page, asked, self._lane)
        unread = [passage for passage in passages if passage.first not in quoted]
        return _line_ranges(sorted(unread, key=lambda passage: not measures(measured, [passage.text]))[:LINES])

    async def _lines(self, passages: Sequence[Passage]) -> list[str]:
        """Return the line ranges of the open page to quote, best first."""
        if not passages and self._browser.current is not None:
            ranked = await self._toolkit.rank(self._browser.current, self._question, self._lane)
            passages = ranked[:LINES]
        return _line_ranges(passages)


def _nameless(question: str) -> str:
    """Return a question without its names.

    In a question of two steps they belong to the first; the page of the second is about somebody else.
    """
    for name in reversed(names(question)):
        question = question[: name.start] + question[name.end :]
    return question


def _line_ranges(passages: Sequence[Passage]) -> list[str]:
    return [str(at.first) if at.first == at.last else f"{at.first}-{at.last}" for at in passages]
