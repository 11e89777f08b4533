"""A capture in blocks is what one pass finds, wherever it is cut."""

from __future__ import annotations

import random

import pytest

import tractor
from tractor import blocks


def reduced(path, cuts, mapped=None, how=None):
    content = path.read_bytes()
    header = content[: blocks.HEADER_LEN]
    read = lambda offset, size: content[offset : offset + size]
    if mapped is None:
        mapped = [blocks.map(header, read(start, stop - start + blocks.BEHIND), start, stop, len(content), how=how) for start, stop in cuts]
    return blocks.reduce(path.name, header, len(content), zip(cuts, mapped), read, how=how), mapped


def same(found: tractor.Capture, path) -> None:
    whole = tractor.read(path)
    assert len(found) == len(whole)
    assert found.reading == whole.reading
    for table in (lambda it: it.flows("tractor-full", known=True), lambda it: it.sessions(), lambda it: it.labels()):
        ours, theirs = table(found).to_arrow(), table(whole).to_arrow()
        # Numbers that are none are not equal to each other.
        assert repr(ours.to_pydict()) == repr(theirs.to_pydict())


@pytest.mark.parametrize("n_blocks", [1, 4, 16, 50])
def test_blocks_are_the_whole(many, n_blocks):
    size = many.stat().st_size
    cuts = blocks.blocks(size, -(-size // n_blocks))
    assert len(cuts) == n_blocks
    found, mapped = reduced(many, cuts)
    assert all(it is not None for it in mapped)
    same(found, many)


@pytest.mark.parametrize("n_shares", [1, 3])
def test_blocks_may_be_cut_anywhere_and_in_shares(many, n_shares):
    numbers = random.Random(7)
    size = many.stat().st_size
    places = sorted({0, *(numbers.randrange(size) for _ in range(40))})
    cuts = list(zip(places, [*places[1:], size]))
    same(reduced(many, cuts, how=(False, False, False, None, n_shares))[0], many)


@pytest.mark.filterwarnings("ignore::tractor.CaptureWarning")
@pytest.mark.parametrize("name", ["ethernet.pcap", "vlan.pcap", "tunnels.pcap", "hole.pcap", "cut-short.pcap", "trouble.pcap"])
def test_small_and_damaged_captures_too(captures, name):
    size = (captures / name).stat().st_size
    for n_blocks in (2, 7):
        same(reduced(captures / name, blocks.blocks(size, -(-size // n_blocks)))[0], captures / name)


def test_what_was_not_mapped_is_read(many):
    size = many.stat().st_size
    cuts = blocks.blocks(size, size // 5)
    same(reduced(many, cuts, [None] * len(cuts))[0], many)


def test_what_changed_on_the_way_is_refused(many):
    cuts = blocks.blocks(many.stat().st_size, 1 << 18)
    _, mapped = reduced(many, cuts)
    broken = bytearray(mapped[1])
    broken[len(broken) // 2] ^= 1
    with pytest.raises(OSError, match="the mapped span is damaged"):
        reduced(many, cuts, [mapped[0], bytes(broken), *mapped[2:]])
    with pytest.raises(OSError, match="no span that this version"):
        reduced(many, cuts, [b"something else", *mapped[1:]])


def test_only_what_may_be_cut_is(captures):
    can = {it: blocks.can_cut((captures / it).read_bytes()) for it in ("ethernet.pcap", "big-endian.pcap", "nanoseconds.pcap", "modified.pcap")}
    assert all(can.values()), can
    assert not any(blocks.can_cut((captures / it).read_bytes()) for it in ("sample.pcapng", "gzip.pcap.gz", "empty.pcap"))
    assert blocks.blocks(0, 10) == [(0, 0)] and blocks.blocks(25, 10) == [(0, 10), (10, 20), (20, 25)]
