"""A capture in blocks: map each anywhere, reduce them on one machine. Both are functions of bytes, for an engine to call.

    >>> cuts = blocks(size, 128 << 20)
    >>> mapped = [map(header, block, offset, stop, size) for offset, stop in cuts]    # anywhere, in any order
    >>> capture = reduce("day.pcap", header, size, zip(cuts, mapped), read)           # in order

A pcap that is not packed may be cut at any byte: a block finds the first record in it by itself, and who reduces sees whether it
was right; else, and where a block is damaged, it is read once more. What travels is far smaller than what was read: headers
as they differ from those before, and of payloads the first kilobytes of each side. It is versioned and checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import tractor

from . import _tractor

__all__ = ["BEHIND", "HEADER_LEN", "blocks", "can_cut", "map", "reduce"]

HEADER_LEN: int = _tractor.HEADER_LEN
"""So many of the first bytes of a capture every block has to know, if it has so many."""
BEHIND: int = _tractor.BEHIND
"""So many bytes behind a block are to be read with it, for its last record."""

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


def map(header: bytes, block: bytes, offset: int, stop: int, size: int, *, how: Any = None) -> bytes | None:
    """Maps a block: `block` are the bytes of a capture of `size` bytes from `offset` to `stop`, and at least `BEHIND` more where there
    are. None where `reduce` has to read it."""
    is_last, is_end = stop >= size, offset + len(block) >= size
    return _tractor.map_block(header, block, offset, None if is_last else stop, is_end, how or _HOW)


def reduce(
    name: str,
    header: bytes,
    size: int,
    mapped: Iterable[tuple[tuple[int, int], bytes | None]],
    read: Callable[[int, int], bytes],
    *,
    how: Any = None,
) -> tractor.Capture:
    """Puts blocks together, in their order, each with where it begins and where the next one does: what `tractor.read` would have found.

    `read(offset, size)` gives bytes of the capture, or as many as there are: it is called for blocks that were not mapped, or not
    as one pass would have found them. `how` is the same as for `map`.
    """
    reducing = _tractor.Reduce(name, header, size, how or _HOW)
    for (_, stop), bytes_ in mapped:
        reducing.push(bytes_, None if stop >= size else stop, read)
    return tractor.Capture(reducing.finish())


_HOW = (False, False, False, None, 1)


def reader(path: str | os.PathLike[str]) -> Callable[[int, int], bytes]:
    """What reads a file at any place, for `reduce`."""

    def read(offset: int, size: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(size)

    return read
