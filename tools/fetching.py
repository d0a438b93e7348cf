"""How pages are fetched, as the user wants it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crowquill import __version__
from crowquill.errors import UserError
from crowquill.tools.exchange import Proxy

AGENT = "Crowquill"
"""The name by which a robots.txt can address us."""
HOME = "https://pypi.org/project/crowquill/"
_CONTACT = re.compile(r"[\x21-\x27\x2a-\x7e]{1,100}")


@dataclass(frozen=True, slots=True)
class Fetching:
    """How pages are fetched, as the user wants it. `contact` is an address for the owners of sites.

    `proxy` is `http://[user@]host:port`, its password stands in CROWQUILL_PROXY_PASSWORD. `refresh` asks the sites
    again instead of using kept pages. `js` runs the scripts of pages (see `script_fetch`).
    """

    refresh: bool = False
    proxy: str = ""
    contact: str = ""
    js: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be used. Raises UserError."""
        if self.contact and not _CONTACT.fullmatch(self.contact):
            raise UserError(f"{self.contact!r} is no contact; give an e-mail or web address, without spaces")
        if self.proxy:
            Proxy.parse(self.proxy)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "Fetching":
        """Return what the user's environment says, in CROWQUILL_PROXY and CROWQUILL_CONTACT. Raises UserError."""
        return cls(proxy=environment.get("CROWQUILL_PROXY", ""), contact=environment.get("CROWQUILL_CONTACT", ""))

    @property
    def user_agent(self) -> str:
        """What sites see of us."""
        return f"{AGENT}/{__version__} (+{HOME}{'; ' if self.contact else ''}{self.contact})"

    def proxied(self, password: str) -> Proxy | None:
        """Return the proxy with its password, None when there is none."""
        return Proxy.parse(self.proxy, password) if self.proxy else None
