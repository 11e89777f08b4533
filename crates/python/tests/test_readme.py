"""What the README says can be done is done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Captures of two kinds, three of each: short questions with one answer, and streams of equal datagrams."""
    header = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000")

    def frame(source: int, client: bool, size: int) -> bytes:
        ends = (b"\x0a\0\0\1", b"\x0a\1\0\1"), (source.to_bytes(2, "big"), (9_999).to_bytes(2, "big"))
        (a, b), (p, q) = ends if client else (ends[0][::-1], ends[1][::-1])
        udp = p + q + (8 + size).to_bytes(2, "big") + b"\0\0" + bytes(size)
        ip = b"\x45\0" + (20 + len(udp)).to_bytes(2, "big") + bytes(4) + b"\x40\x11\0\0" + a + b
        return bytes(12) + b"\x08\0" + ip + udp

    def capture(kind: str, number: int) -> None:
        records, at = [], 0
        for flow in range(20):
            steps = [(True, 40 + flow), (False, 900 + 7 * flow)] if kind == "web" else [(n % 2 == 0, 160) for n in range(30)]
            for client, size in steps:
                at += 20_000 + number
                bytes_ = frame(20_000 + flow, client, size)
                length = len(bytes_).to_bytes(4, "little")
                seconds, micros = divmod(at, 1_000_000)
                records.append((1_700_000_000 + seconds).to_bytes(4, "little") + micros.to_bytes(4, "little") + length * 2 + bytes_)
        (tmp_path / "captures" / kind).mkdir(parents=True, exist_ok=True)
        (tmp_path / "captures" / kind / f"{number}.pcap").write_bytes(header + b"".join(records))

    for kind in ("web", "voice"):
        for number in (1, 2, 3):
            capture(kind, number)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(folder, example, capsys):
    exec(compile(example, str(README), "exec"), {})
    said = capsys.readouterr().out
    if "F1" in said:
        assert said == "F1 of captures not seen: 1.00\n"


def test_there_are_examples():
    assert len(EXAMPLES) == 3
