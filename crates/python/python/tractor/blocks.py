"""A capture in blocks: surveyed and mapped anywhere, put together on one machine, for an engine to call.

    survey(block) ─▶ Gather ─▶ account, orders, packets
                                  │       │       │
                       map(block, orders)─┼───────┴─▶ Reduce, share by share ─▶ flows
                                          └─▶ flows ──────────────────────────────┴─▶ Settle ─▶ Capture

A pcap that is not packed may be cut at any byte: a block finds the first record in it by itself, and who gathers sees whether it
was right; else, and where a block is damaged, it is read once more. A survey says which five-tuples a block has. Who gathers the
surveys knows which of them are in no other block, nearly all: their flows are finished and labelled where the block is mapped, and
travel as such. Packets of the others travel as headers that differ from those before and, of payloads, as much of the first
kilobytes of each side as may still matter: to the share of their five-tuple, by a hash that is the same everywhere. What flows know
of each other, and sessions, are settled once all are together. All that travels are bytes, versioned and checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import tractor

from . import _tractor

__all__ = ["HEADER_LEN", "Gather", "Reduce", "Settle", "blocks", "can_cut", "map", "survey"]

HEADER_LEN: int = _tractor.HEADER_LEN
"""So many of the first bytes of a capture every block has to know, if it has so many."""

_MAGICS = frozenset(
    bytes.fromhex(it)
    for it in (
        "d4c3b2a1 a1b2c3d4 4d3cb2a1 a1b23c4d 34cdb2a1 a1b2cd34 ac01001c 1c0001ac ab01001c 1c0001ab".split()
    )
)


def can_cut(first_bytes: bytes) -> bool:
    """Whether a capture that begins so may be cut: a pcap that is not packed. A pcapng says in every section anew what its blocks
    mean, and packed bytes mean nothing by themselves: both are read whole."""
    return first_bytes[:4] in _MAGICS


def blocks(size: int, block_len: int) -> list[tuple[int, int]]:
    """Where blocks of a capture of `size` bytes begin, and where the next one does."""
    cuts = list(range(0, size, block_len)) or [0]
    return list(zip(cuts, [*cuts[1:], size]))


def survey(header: bytes, source: Any, start: int, stop: int, size: int, *, how: Any = None) -> bytes | None:
    """What a block says of itself, from `start` to `stop` in a capture of `size` bytes that begins with `header`, `HEADER_LEN` of them.

    `source` is the path of the capture, or what gives its bytes from `start` on: bytes, or an object with a method `read`. Some behind
    `stop` are needed, as far as the last record reaches. None where `Gather` has to read the block."""
    return _tractor.survey_block(_block(header, source, start, stop, size), how or _HOW)


def map(
    header: bytes, source: Any, start: int, stop: int, size: int, orders: bytes, *, how: Any = None
) -> tuple[bytes, list[bytes]]:
    """Maps a block that was surveyed, as `Gather` ordered: the flows of five-tuples that are in no other block, for `Settle`, and the
    packets of all others by shares, for `Reduce`. Either may be empty."""
    return _tractor.map_block(_block(header, source, start, stop, size), orders, how or _HOW)


class Gather:
    """Gathers the surveys of a capture, in their order."""

    def __init__(self, name: str, header: bytes, size: int, n_shares: int = 1, *, how: Any = None) -> None:
        self._size = size
        self._gather = _tractor.Gather(name, header, size, n_shares, how or _HOW)

    def push(self, survey: bytes | None, stop: int, read: Callable[[int, int], bytes]) -> None:
        """Takes the survey of the next block, which ends where the one behind it begins. `read(offset, size)` gives bytes of the capture,
        or as many as there are: it is called for blocks that were not surveyed, or not as one pass would have found them."""
        self._gather.push(survey, None if stop >= self._size else stop, read)

    def finish(self) -> tuple[list[bytes], list[tuple[int, int, bytes]], bytes]:
        """What becomes of each block, for `map`; packets that come from here, for `Reduce`, with their share and the number of the block
        they come with or, of those behind all, the number of blocks: fragments, and blocks that were read; and what was read of the
        capture, for `Settle`."""
        return self._gather.finish()


class Reduce:
    """Puts the flows of a share together."""

    def __init__(self, *, how: Any = None) -> None:
        self._reduce = _tractor.Reduce(how or _HOW)

    def push(self, packets: Iterable[bytes]) -> None:
        """Takes the packets of the next block: those it was mapped to, and those that come with it from `Gather`."""
        self._reduce.push([it for it in packets if it])

    def finish(self) -> bytes:
        """The flows, for `Settle`."""
        return self._reduce.finish()


class Settle:
    """Puts the flows of a capture together."""

    def __init__(self, name: str, account: bytes, *, how: Any = None) -> None:
        self._settle = _tractor.Settle(name, account, how or _HOW)

    def push(self, flows: bytes) -> None:
        """Takes the flows of a block or of a share, in any order."""
        if flows:
            self._settle.push(flows)

    def finish(self) -> tractor.Capture:
        """What `tractor.read` would have found."""
        return tractor.Capture(self._settle.finish())


def _block(header: bytes, source: Any, start: int, stop: int, size: int) -> Any:
    return header, source, start, None if stop >= size else stop, size


_HOW = (False, False, False, None, 1)


def reader(path: str | os.PathLike[str]) -> Callable[[int, int], bytes]:
    """What reads a file at any place, for `Gather`."""

    def read(offset: int, size: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(size)

    return read
