"""A proxy that the user names: everything goes through it, and nothing of the environment does."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.context import FakeContext
from tests.support.site import Site

from crowquill.errors import FetchFailed, UserError
from crowquill.tools.exchange import Proxy
from crowquill.tools.fetch import Fetcher
from crowquill.tools.fetching import Fetching


@pytest.fixture
def proxy() -> Iterator[Site]:
    with Site() as running:  # what a proxy is asked for is a whole URL
        yield running


@pytest.fixture
def fetcher(proxy: Site) -> Iterator[Fetcher]:
    made = Fetcher(options=Fetching(proxy=f"http://crow@{proxy.host}"), proxy_password="quill-feather", seconds=3)
    yield made
    made.close()


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


async def test_pages_robots_and_redirects_come_by_the_proxy(
    proxy: Site, fetcher: Fetcher, context: FakeContext
) -> None:
    proxy.redirect("http://site.example/r", "http://other.example/a")
    proxy.page("http://other.example/a", "<p>by proxy</p>")
    assert (await fetcher.open("http://site.example/r", context)).text == "by proxy"
    assert [asked.path for asked in proxy.asked] == [
        "http://site.example/robots.txt",
        "http://site.example/r",
        "http://other.example/robots.txt",
        "http://other.example/a",
    ]
    signed = "basic " + b64encode(b"crow:quill-feather").decode().lower()
    assert {asked.headers["proxy-authorization"] for asked in proxy.asked} == {signed}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "x.localhost", "[::1]", "2130706433", "10.0.0.1", "0x7f.1"]
)
async def test_private_places_are_not_even_asked_for(
    host: str, proxy: Site, fetcher: Fetcher, context: FakeContext
) -> None:
    with pytest.raises(FetchFailed):
        await fetcher.open(f"http://{host}/", context)
    assert proxy.connections == 0


async def test_a_proxy_that_refuses_or_is_not_there_is_told(
    proxy: Site, fetcher: Fetcher, context: FakeContext
) -> None:
    bare = Fetcher(options=Fetching(proxy=f"http://crow@{proxy.host}"), robots=False, seconds=3)
    with pytest.raises(FetchFailed, match="the proxy refused: 404"):
        await bare.open("https://site.example/", context)
    gone = Fetcher(options=Fetching(proxy="http://127.0.0.1:9"), robots=False, seconds=3)
    with pytest.raises(FetchFailed, match=r"proxy http://127\.0\.0\.1:9 cannot be reached; check its address"):
        await gone.open("http://site.example/", context)


@pytest.mark.parametrize(
    "url",
    ["proxy:3128", "http://proxy", "socks5://proxy:1080", "http://:3128", "http://proxy:x", "http://p:1/path"],
)
def test_what_is_no_proxy_is_the_users_error(url: str) -> None:
    with pytest.raises(UserError, match="is no proxy; write it as"):
        Fetching(proxy=url)


def test_a_password_is_not_taken_from_the_url_and_not_shown() -> None:
    with pytest.raises(UserError, match="CROWQUILL_PROXY_PASSWORD") as caught:
        Fetching(proxy="http://crow:quill-feather@proxy:3128")
    assert "feather" not in str(caught.value)
    assert "feather" not in repr(Proxy.parse("http://crow@proxy:3128", "quill-feather"))


@pytest.mark.parametrize("contact", ["two words", "a\r\nX: y", "(x)", "é@x", "x" * 101])
def test_a_contact_is_an_address(contact: str) -> None:
    with pytest.raises(UserError, match="is no contact"):
        Fetching(contact=contact)


async def test_sites_see_the_contact(proxy: Site, context: FakeContext) -> None:
    fetcher = Fetcher(allow_hosts=[proxy.host], options=Fetching(contact="owner@lab.example"))
    await fetcher.open(proxy.page("/a", "<p>a</p>"), context)
    assert {asked.headers["user-agent"] for asked in proxy.asked} == {
        "crowquill/0.1.0 (+https://pypi.org/project/crowquill/; owner@lab.example)"
    }
    fetcher.close()
