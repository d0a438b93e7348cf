"""Every test: no network but loopback, no workspace but its own, and no secret of the environment left behind."""

import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.canaries import CANARIES, found_in, is_told

os.environ.update(CANARIES)
_told: dict[str, None] = {}
"""Where secrets were found: tests whose output holds one, and files."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is collected, all for good, from being looked through for garbage time and again."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Look through what a test has printed and logged."""
    for name, text in report.sections:
        if is_told(text.encode("utf-8", "surrogatepass")):
            _told[f"{report.nodeid}: {name}"] = None


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Look through every file that the tests have left, once all workers are done; what is found fails the run."""
    yield
    if not hasattr(session.config, "workerinput"):
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        _told.update(dict.fromkeys(map(str, found_in(factory.getbasetemp()))))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED if _told else session.exitstatus


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where secrets were found."""
    if _told:
        terminalreporter.section("secrets of the environment were found in")
        terminalreporter.write("".join(f"{line}\n" for line in _told))


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and not str(host).startswith(("127.", "::1", "localhost")):
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("CROWQUILL_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    keys = ("OPENAI_API_KEY", "CROWQUILL_API_KEY", "TAVILY_API_KEY", "BRAVE_API_KEY", "CROWQUILL_PROXY_PASSWORD")
    settings = ("OPENAI_BASE_URL", "CROWQUILL_MODEL", "SEARXNG_URL", "CROWQUILL_PROXY", "CROWQUILL_CONTACT")
    for name in (*keys, *settings):
        monkeypatch.delenv(name, raising=False)
