"""Each engine against a server on loopback that answers in the provider's shape, right and wrong."""

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.clock import FakeClock
from tests.support.site import Asked, Site

from crowquill.tools.search.engine import Engine, EngineFault, Entry
from crowquill.tools.search.engines.ddg import Ddgs, DuckDuckGo
from crowquill.tools.search.query import Query
from crowquill.tools.search.registry import Setup, make_engine

KEY = "tvly-0123456789abcdef"
ALL = Query(
    "crows bring gifts",
    time="week",
    lang="de",
    region="at",
    site=("a.example",),
    exclude=("b.example",),
)

TAVILY = {
    "query": "crows bring gifts",
    "follow_up_questions": None,
    "answer": None,
    "images": [],
    "results": [
        {
            "title": "Crows",
            "url": "https://a.example/crows",
            "content": "They bring gifts.",
            "score": 0.98,
            "raw_content": None,
            "published_date": "Tue, 05 Nov 2024 12:00:00 GMT",
        }
    ],
    "response_time": 1.2,
    "request_id": "123e4567-e89b-12d3-a456-426614174111",
}
BRAVE = {
    "type": "search",
    "query": {"original": "crows bring gifts", "more_results_available": True},
    "mixed": {"type": "mixed", "main": [{"type": "web", "index": 0, "all": False}]},
    "web": {
        "type": "search",
        "results": [
            {
                "title": "Crows",
                "url": "https://a.example/crows",
                "is_source_local": False,
                "description": "They <strong>bring</strong> gifts.",
                "page_age": "2024-11-05T12:00:00",
                "age": "November 5, 2024",
                "language": "en",
                "type": "search_result",
                "meta_url": {"scheme": "https", "netloc": "a.example"},
            }
        ],
        "family_friendly": True,
    },
}
SEARXNG = {
    "query": "crows bring gifts",
    "number_of_results": 0,
    "results": [
        {
            "url": "https://a.example/crows",
            "title": "Crows",
            "content": "They bring gifts.",
            "publishedDate": "2024-11-05T12:00:00",
            "engine": "brave",
            "engines": ["brave", "mojeek"],
            "positions": [1, 2],
            "score": 3.0,
            "category": "general",
        }
    ],
    "answers": [],
    "corrections": [],
    "infoboxes": [],
    "suggestions": [],
    "unresponsive_engines": [["google", "timeout"]],
}
WIKIPEDIA = {
    "batchcomplete": True,
    "continue": {"sroffset": 10, "continue": "-||"},
    "query": {
        "searchinfo": {"totalhits": 2112},
        "search": [
            {
                "ns": 0,
                "title": "New Caledonian crow",
                "pageid": 1,
                "snippet": 'They <span class="searchmatch">bring</span> gifts &amp; more.',
            }
        ],
    },
}


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def engine(name: str, site: Site) -> Engine:
    paths = {"tavily": "/search", "brave": "/res/v1/web/search", "searxng": "", "wikipedia": "/w/api.php"}
    environment = {"TAVILY_API_KEY": KEY, "BRAVE_API_KEY": KEY}
    return make_engine(f"{name}:{site.url(paths[name])}", Setup(environment))


class Answers:
    """Makes a site answer every request alike, whatever its path."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def json(self, data: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.bytes(json.dumps(data).encode(), "application/json", status, headers)

    def bytes(
        self, body: bytes, media_type: str = "text/html", status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.site.page("*", body, media_type, status=status, headers=headers)


@pytest.fixture
def answers(site: Site) -> Answers:
    return Answers(site)


def sent(site: Site) -> tuple[Asked, dict[str, str]]:
    asked = site.asked[-1]
    return asked, {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


async def ask(made: Engine, query: Query = ALL) -> list[Entry]:
    return await made.ask(query, 8, FakeClock())


CROWS = Entry("https://a.example/crows", "Crows", "They bring gifts.", "2024-11-05")


async def test_tavily(site: Site, answers: Answers) -> None:
    answers.json(TAVILY)
    assert await ask(engine("tavily", site)) == [CROWS]
    asked, _ = sent(site)
    assert asked.path == "/search"
    assert asked.headers["authorization"] == f"bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {
        "query": "crows bring gifts",
        "max_results": 8,
        "search_depth": "basic",
        "time_range": "week",
        "country": "austria",
        "include_domains": ["a.example"],
        "exclude_domains": ["b.example"],
    }
    await ask(engine("tavily", site), Query("crows", after="2024-01-01", before="2024-02-29"))
    assert json.loads(sent(site)[0].body)["start_date"] == "2024-01-01"
    assert json.loads(sent(site)[0].body)["end_date"] == "2024-02-29"


async def test_brave(site: Site, answers: Answers) -> None:
    answers.json(BRAVE)
    assert await ask(engine("brave", site)) == [CROWS]
    asked, parameters = sent(site)
    assert asked.headers["x-subscription-token"] == KEY
    assert asked.headers["accept"] == "application/json"
    assert KEY not in asked.path
    assert parameters == {
        "q": "crows bring gifts site:a.example -site:b.example",
        "count": "8",
        "text_decorations": "false",
        "freshness": "pw",
        "search_lang": "de",
        "country": "AT",
    }
    await ask(engine("brave", site), Query("crows", after="2024-01-01"))
    assert sent(site)[1]["freshness"] == "2024-01-01to2026-03-01"
    answers.json({"type": "search", "query": {"original": "x"}})  # nothing was found
    assert await ask(engine("brave", site)) == []


async def test_searxng(site: Site, answers: Answers) -> None:
    answers.json(SEARXNG)
    assert await ask(engine("searxng", site)) == [CROWS]
    asked, parameters = sent(site)
    assert asked.path.startswith("/search?")
    assert parameters == {
        "q": "crows bring gifts site:a.example -site:b.example",
        "format": "json",
        "categories": "general",
        "time_range": "week",
        "language": "de-AT",
    }
    answers.json(SEARXNG | {"results": []})
    with pytest.raises(EngineFault, match="1 of the engines behind it did not answer"):
        await ask(engine("searxng", site))
    answers.bytes(b"<h1>Forbidden</h1>", status=403)
    with pytest.raises(EngineFault, match=r"add json to search\.formats"):
        await ask(engine("searxng", site))


async def test_wikipedia(site: Site, answers: Answers) -> None:
    answers.json(WIKIPEDIA)
    found = await ask(engine("wikipedia", site), Query("crows"))
    assert found == [
        Entry(site.url("/wiki/New_Caledonian_crow"), "New Caledonian crow", "They bring gifts & more.")
    ]
    asked, parameters = sent(site)
    assert asked.headers["user-agent"].startswith("crowquill/")
    assert (parameters["srsearch"], parameters["list"], parameters["formatversion"]) == ("crows", "search", "2")
    before = len(site.asked)
    assert await ask(engine("wikipedia", site), Query("crows", site=("a.example",))) == []
    assert len(site.asked) == before  # it has no pages but its own
    answers.json({"error": {"code": "maxlag", "info": "Waiting for db1: 6 seconds lagged", "lag": 6}})
    with pytest.raises(EngineFault, match="busy") as caught:
        await ask(engine("wikipedia", site), Query("crows"))
    assert caught.value.kind == "rate"
    answers.json({"error": {"code": "missingparam", "info": "<script>"}})
    with pytest.raises(EngineFault, match="does not understand"):
        await ask(engine("wikipedia", site), Query("crows"))


TAVILY_ERROR = {"detail": {"error": "Unauthorized: missing or invalid API key."}}
BRAVE_ERROR = {"type": "ErrorResponse", "error": {"id": "x", "status": 422, "code": "SUBSCRIPTION_TOKEN_INVALID"}}
BRAVE_RATE = {"type": "ErrorResponse", "error": {"id": "x", "status": 429, "code": "RATE_LIMITED"}}
JSON = "application/json"


@pytest.mark.parametrize("name", ["tavily", "brave", "searxng", "wikipedia"])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, TAVILY_ERROR, "key"),
        (422, BRAVE_ERROR, "key"),
        (429, BRAVE_RATE, "rate"),
        (432, {"detail": {"error": "This request exceeds your plan's set usage limit."}}, "quota"),
        (402, {}, "quota"),
        (400, {"detail": {"error": "Query is too long."}}, "request"),
        (404, {}, "request"),
        (302, {}, "request"),
        (500, {"detail": {"error": "Internal Server Error"}}, "down"),
        (503, "<html>sorry", "down"),
        (200, "<html>sorry", "malformed"),
        (200, "", "malformed"),
        (200, '{"results": [', "malformed"),
        (200, "[" * 100_000, "malformed"),
        (200, [], "malformed"),
        (200, {"results": "none", "web": "none", "query": {"search": "none"}}, "malformed"),
        (200, {"results": [1], "web": {"results": [None]}, "query": {"search": ["x"]}}, "malformed"),
        (200, {"results": [{"url": 1}], "web": {"results": [{}]}, "query": {"search": [{}]}}, "malformed"),
    ],
)
async def test_failures_are_told_apart(
    name: str, status: int, body: Any, kind: str, site: Site, answers: Answers
) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answers.bytes(data, JSON, status, {"Retry-After": "7"})
    with pytest.raises(EngineFault) as caught:
        await ask(engine(name, site), Query("crows"))
    assert caught.value.kind == kind
    assert caught.value.wait == (7.0 if status in (429, 500, 503) else None)
    assert not any(word in str(caught.value) for word in ("Unauthorized", "sorry", KEY))


@pytest.mark.parametrize("name", ["tavily", "brave", "searxng", "wikipedia"])
async def test_nothing_found_is_no_failure(name: str, site: Site, answers: Answers) -> None:
    answers.json({"results": [], "web": {"results": []}, "query": {"search": []}})
    assert await ask(engine(name, site), Query("crows")) == []


async def test_a_server_that_is_not_there(site: Site) -> None:
    made = make_engine("searxng:http://127.0.0.1:9", Setup({}))
    with pytest.raises(EngineFault, match="cannot be reached") as caught:
        await ask(made)
    assert caught.value.kind == "down"


async def test_results_are_cut_to_size_and_free_of_markup(site: Site, answers: Answers) -> None:
    answers.json(
        {
            "results": [
                {"url": "https://a.example/" + "x" * 5000, "title": "T" * 999, "content": "<b>a</b>\n  b " * 999},
                {"url": "  ", "title": "left out"},
                {"url": "https://b.example/", "title": None, "content": 5, "publishedDate": "yesterday"},
            ]
        }
    )
    first, second = await ask(engine("searxng", site))
    assert (len(first.url), len(first.title), len(first.snippet)) == (2000, 200, 500)
    assert first.snippet.startswith("a b a b")
    assert second == Entry("https://b.example/", "", "", "")


DUCKDUCKGO = """<html><body><div class="serp__results"><div id="links" class="results">
<div class="result results_links results_links_deep web-result"><div class="links_main links_deep result__body">
<h2 class="result__title"><a rel="nofollow" class="result__a" href="https://a.example/crows">Crows</a></h2>
<div class="result__extras"><div class="result__extras__url"><a class="result__url" href="https://a.example/crows">
a.example/crows</a></div></div>
<a class="result__snippet" href="https://a.example/crows">They <b>bring</b> gifts.</a></div></div>
</div></div></body></html>"""


class TlsProxy:
    """A proxy on loopback that plays every https server itself, as `ddgs` has no other door for a test."""

    def __init__(self, folder: Path, status: int, body: str) -> None:
        certificate, key = folder / "cert.pem", folder / "key.pem"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x -keyout"
        subprocess.run([*command.split(), str(key), "-out", str(certificate)], check=True, capture_output=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._answer = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode())
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await writer.start_tls(self._context)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length is not None else b""
            self.asked.append(f"{head.split()[0]} {head.split()[1]} {body.decode()}")
            writer.write(self._answer.encode())
            await writer.drain()
        writer.close()


async def by_ddgs(folder: Path, status: int, body: str, query: Query) -> tuple[list[Entry], TlsProxy]:
    proxy = TlsProxy(folder, status, body)
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        made = DuckDuckGo(Ddgs(address, backend="duckduckgo", verify=False).ask)
        return await made.ask(query, 8, FakeClock()), proxy
    finally:
        server.close()


async def test_duckduckgo(tmp_path: Path) -> None:
    found, proxy = await by_ddgs(tmp_path, 200, DUCKDUCKGO, ALL)
    assert found == [Entry("https://a.example/crows", "Crows", "They bring gifts.")]
    connect, request = proxy.asked
    assert connect == "html.duckduckgo.com:443"
    method, path, form = request.split(" ")
    assert (method, path) == ("POST", "/html/")
    assert {name: values[0] for name, values in parse_qs(form).items()} == {
        "q": "crows bring gifts site:a.example -site:b.example",
        "l": "at-de",
        "df": "w",
    }


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html><body>No results.</body></html>"), (202, DUCKDUCKGO), (429, ""), (500, "")]
)
async def test_duckduckgo_without_results(status: int, body: str, tmp_path: Path) -> None:
    assert (await by_ddgs(tmp_path, status, body, Query("crows")))[0] == []  # ddgs does not tell these apart


async def test_duckduckgo_that_cannot_be_reached() -> None:
    with pytest.raises(EngineFault) as caught:
        await DuckDuckGo(proxy="http://127.0.0.1:9").ask(Query("crows"), 8, FakeClock())
    assert "http" not in str(caught.value)


async def test_answers_of_ddgs_that_cannot_be_read_are_the_worlds_fault() -> None:
    def broken(query: Query, limit: int) -> list[dict[str, Any]]:
        raise KeyError("vqd")

    with pytest.raises(EngineFault, match=r"cannot be read \(KeyError\)"):
        await DuckDuckGo(broken).ask(Query("crows"), 8, FakeClock())
