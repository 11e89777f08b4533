"""Captures of our own, and the command line to compare with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of small captures."""
    return ROOT / "tests" / "captures"


@pytest.fixture(scope="session")
def sample(captures: Path) -> Path:
    return captures / "sample.pcapng"


@pytest.fixture(scope="session")
def tractor_command():
    """Runs the command line, which the environment names."""
    program = os.environ["TRACTOR"]

    def run(*arguments: object) -> bytes:
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, check=False)
        # 1 says that a capture is damaged.
        assert done.returncode in (0, 1), done.stderr.decode()
        return done.stdout

    return run


def pytest_terminal_summary(terminalreporter):
    """Says the sum as the other tests do."""
    counts = {it: len(terminalreporter.stats.get(it, [])) for it in ("passed", "failed", "error", "skipped")}
    failed = counts["failed"] + counts["error"]
    word = "FAILED" if failed else "ok"
    terminalreporter.write_line(
        f"test result: {word}. {counts['passed']} passed; {failed} failed; {counts['skipped']} ignored"
    )


@pytest.fixture(scope="session")
def many(captures, tmp_path_factory) -> Path:
    """A pcap of 20,000 flows: datagrams, some answered, some in two fragments that lie apart, some frames without IP."""
    path = tmp_path_factory.mktemp("many") / "many.pcap"
    records = []

    def record(n: int, frame: bytes) -> None:
        length = len(frame).to_bytes(4, "little")
        seconds, micros = divmod(n * 137, 1_000_000)
        records.append((1_700_000_000 + seconds).to_bytes(4, "little") + micros.to_bytes(4, "little") + length * 2 + frame)

    def ipv4(source: bytes, destination: bytes, body: bytes, fragment: int = 0, number: int = 0) -> bytes:
        header = b"\x45\0" + (20 + len(body)).to_bytes(2, "big") + number.to_bytes(2, "big")
        header += fragment.to_bytes(2, "big") + b"\x40\x11\0\0" + source + destination
        return b"\2" * 6 + b"\4" * 6 + b"\x08\0" + header + body

    def udp(source: int, destination: int, payload: bytes) -> bytes:
        ports = source.to_bytes(2, "big") + destination.to_bytes(2, "big")
        return ports + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload

    server, waiting = b"\x0a\1\0\1", []
    for n in range(20_000):
        client, port = b"\x0a\0" + (n % 1000).to_bytes(2, "big"), 40_000 + n // 1000
        question = udp(port, 12_345, b"hello %d" % n)
        if n % 50 == 7:
            record(n, ipv4(client, server, question[:8], 0x2000, n))
            waiting.append((n, ipv4(client, server, question[8:], 1, n)))
        else:
            record(n, ipv4(client, server, question))
        if n % 3 == 0:
            record(n, ipv4(server, client, udp(12_345, port, b"yes")))
        if n % 100 == 0:
            record(n, b"\xff" * 6 + b"\4" * 6 + b"\x88\xcc" + bytes(46))
        if len(waiting) > 20:
            record(n, waiting.pop(0)[1])
    # Little-endian, microseconds, Ethernet.
    header = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000")
    path.write_bytes(header + b"".join(records))
    return path
