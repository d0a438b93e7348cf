"""Rules that do not trust the model: which URLs may be opened, and what may leave the machine."""

import base64
import re
from urllib.parse import unquote, urldefrag

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.memory.evidence import Table

_URL = re.compile(r"https?://[^\s<>\"'`]+")
_PRIVATE_LENGTH = 12


class Rules:
    """The egress rules of one run.

    A URL may be opened only when the user wrote it, a search returned it or a fetched page links to it,
    unchanged. Once a database was read, nothing that stood in its cells may appear in a URL or a search.
    """

    def __init__(self, objective: str) -> None:
        self._offered = set(map(_key, urls_in(objective)))
        self._private: set[str] = set()

    def fork(self) -> "Rules":
        """Return a copy for a lane: what one reads changes another's rules only after both have ended."""
        copy = Rules("")
        copy.absorb(self)
        return copy

    def absorb(self, lane: "Rules") -> None:
        """Take over what a lane has learned."""
        self._offered |= lane._offered
        self._private |= lane._private

    def offer(self, urls: list[str]) -> None:
        """Make URLs openable."""
        self._offered.update(map(_key, urls))

    def protect(self, table: Table) -> None:
        """Remember the cells of a query result as private."""
        for row in table.rows:
            self._private.update(
                str(cell).casefold() for cell in row if cell is not None and len(str(cell)) >= _PRIVATE_LENGTH
            )

    def check_url(self, url: str) -> None:
        """Allow a URL. Raises ToolRetry for an invented one, ToolFailed if it carries private data."""
        if _key(url) not in self._offered:
            raise ToolRetry("that URL was not given by the user, a search result or a link on a page")
        self.check_outgoing(url)

    def check_outgoing(self, text: str) -> None:
        """Refuse text that carries private data out, plain, percent-encoded, in base64, hex or reversed."""
        lowered = unquote(text).casefold()
        for secret in self._private:
            if any(form in lowered for form in _disguises(secret)):
                raise ToolFailed("refused: this would send data from the database to the web")


def urls_in(text: str) -> list[str]:
    """Return the URLs that stand in a text, without the punctuation after them."""
    return [url.rstrip(".,;:!?)") for url in _URL.findall(text)]


def _key(url: str) -> str:
    return urldefrag(url).url


def _disguises(secret: str) -> tuple[str, ...]:
    data = secret.encode()
    return (
        secret,
        secret.replace(" ", "+"),
        secret[::-1],
        data.hex(),
        base64.b64encode(data).decode().rstrip("=").casefold(),
    )
