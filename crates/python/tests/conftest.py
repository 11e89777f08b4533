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
