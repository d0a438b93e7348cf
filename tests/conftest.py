"""Every test: no network but loopback, no workspace but its own."""

import socket
from pathlib import Path

import pytest


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
