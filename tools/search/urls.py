"""When two addresses are of one page, and to which site an address belongs."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urldefrag, urlencode, urlsplit

# What tells a site who sent a visitor, not which page is meant.
_TRACKING = re.compile(
    r"utm_\w+|gclid|dclid|fbclid|msclkid|yclid|igshid|mc_[ce]id|_hs(?:enc|mi)|ref_src|ref_url|spm|wt\.mc_id|srsltid",
    re.IGNORECASE,
)
_MOBILE = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)|(?<=\.)m\.(?=wikipedia\.org$)")


def canonical_url(url: str) -> str:
    """Return what is the same for two spellings of one address, empty for what is no web page.

    It is a key and not an address: scheme, `www.` and `m.`, default port, fragment, a last slash, the order of
    parameters and those that track visitors do not count.
    """
    try:
        parts = urlsplit(urldefrag(url.strip()).url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host:
        return ""
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])]
    shown = "" if port in (None, 80, 443) else f":{port}"
    return f"{_MOBILE.sub('', host.rstrip('.'))}{shown}{parts.path.rstrip('/')}?{urlencode(sorted(pairs))}"


def is_of(url: str, sites: Iterable[str]) -> bool:
    """Say whether a page is of one of these sites: `a.org` has its subdomains, `a.org/docs` what begins so."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    for site in sites:
        name, slash, path = site.partition("/")
        if (host == name or host.endswith(f".{name}")) and parts.path.startswith(slash + path):
            return True
    return False
