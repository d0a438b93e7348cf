"""A network of its own in which every address of the world is this machine, so that whatever is dialed is seen.

`run_walled("tests.support.fetch_lab", …)` runs a module in fresh network and mount namespaces, where all of IPv4
and IPv6 is routed to loopback and the resolver asks our server. The module prints JSON, which is returned.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_SETUP = (
    "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo"
    ' && mount --bind "$WALLED/resolv.conf" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
)


def _walls() -> list[str]:
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *mapped, "--net", "--mount", "--kill-child", "sh", "-c", _SETUP, "walled"]


@cache
def _why_not() -> str:
    """Return why there can be no walls here, empty when there can."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "needs unshare and ip (Debian: util-linux, iproute2)"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*_walls(), "true"], env=_environment(folder), capture_output=True, text=True)
    return "" if done.returncode == 0 else f"no network namespace can be made here: {done.stderr.strip()[:200]}"


def _environment(folder: str) -> dict[str, str]:
    (Path(folder) / "resolv.conf").write_text("nameserver 127.0.0.53\noptions timeout:10 attempts:3\n")
    return {**os.environ, "WALLED": folder}


def run_walled(module: str, *arguments: str, timeout: float = 900) -> Any:
    """Run a module behind the walls and return what it prints as JSON; skips the test where there can be none."""
    if why := _why_not():
        pytest.skip(why)
    with tempfile.TemporaryDirectory() as folder:
        command = [*_walls(), sys.executable, "-m", module, *arguments]
        done = subprocess.run(
            command, env=_environment(folder), capture_output=True, text=True, timeout=timeout, cwd=_ROOT
        )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


class Dialed:
    """Counts the TCP connections that are begun in this network, by address and port, by reading every packet."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind(("lo", 0))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            packet, where = self._socket.recvfrom(200)
            if where[2] != socket.PACKET_OUTGOING:
                self._note(packet[14:])

    def _note(self, packet: bytes) -> None:
        if packet[0] >> 4 == 4:
            protocol, address, tcp = packet[9], packet[16:20], packet[(packet[0] & 15) * 4 :]
        else:
            protocol, address, tcp = packet[6], packet[24:40], packet[40:]
        if protocol == socket.IPPROTO_TCP and tcp[13] & 0x12 == 0x02:  # SYN without ACK
            self.counts[str(ip_address(address)), struct.unpack("!H", tcp[2:4])[0]] += 1


Zone = Callable[[str, bool], list[str]]
"""Gives the addresses of a name; True asks for IPv6."""


class Names:
    """A DNS server that answers with what `zone` says, and counts the questions for IPv4."""

    def __init__(self, zone: Zone) -> None:
        self.asked: Counter[str] = Counter()
        self._zone = zone
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.53", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, peer = self._socket.recvfrom(600)
            self._socket.sendto(self._answer(question), peer)

    def _answer(self, question: bytes) -> bytes:
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
            at += question[at] + 1
        name, end = ".".join(labels).lower(), at + 5
        kind = struct.unpack("!H", question[at + 1 : at + 3])[0]
        found = [ip_address(text).packed for text in self._zone(name, kind == 28)] if kind in (1, 28) else []
        self.asked[name] += kind == 1
        head = question[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
        records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data for data in found)
        return head + question[12:end] + records
