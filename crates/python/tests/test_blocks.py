"""A capture in blocks is what one pass finds, wherever it is cut."""

from __future__ import annotations

import io
import random

import pytest

import tractor
from tractor import blocks


def reduced(path, cuts, surveys=None, n_shares=2):
    """The capture put together of blocks, and their surveys."""
    content = path.read_bytes()
    header, size = content[: blocks.HEADER_LEN], len(content)
    read = lambda offset, size: content[offset : offset + size]
    if surveys is None:
        surveys = [blocks.survey(header, path, start, stop, size) for start, stop in cuts]
    gather = blocks.Gather(path.name, header, size, n_shares)
    for survey, (_, stop) in zip(surveys, cuts):
        gather.push(survey, stop, read)
    orders, dealt, account = gather.finish()
    # Bytes and files are as good as a path.
    mapped = [blocks.map(header, io.BytesIO(content[it[0] :]), *it, size, order) for it, order in zip(cuts, orders)]
    settle = blocks.Settle(path.name, account)
    for share in range(n_shares):
        reduce = blocks.Reduce()
        for number, (_, packets) in enumerate([*mapped, (b"", [])]):
            reduce.push([*packets[share : share + 1], *(it[2] for it in dealt if it[:2] == (share, number))])
        settle.push(reduce.finish())
    for flows, _ in reversed(mapped):
        settle.push(flows)
    return settle.finish(), surveys


def same(found: tractor.Capture, path) -> None:
    whole = tractor.read(path)
    assert len(found) == len(whole)
    assert found.reading == whole.reading
    assert found._inner.report() == whole._inner.report()
    for table in (lambda it: it.flows("tractor-full", known=True), lambda it: it.sessions(), lambda it: it.labels()):
        ours, theirs = table(found).to_arrow(), table(whole).to_arrow()
        # Numbers that are none are not equal to each other.
        assert repr(ours.to_pydict()) == repr(theirs.to_pydict())


@pytest.mark.parametrize("n_blocks", [1, 4, 16, 50])
def test_blocks_are_the_whole(many, n_blocks):
    size = many.stat().st_size
    cuts = blocks.blocks(size, -(-size // n_blocks))
    assert len(cuts) == n_blocks
    found, surveys = reduced(many, cuts)
    assert all(it is not None for it in surveys)
    same(found, many)


@pytest.mark.parametrize("n_shares", [1, 3])
def test_blocks_may_be_cut_anywhere_and_in_shares(many, n_shares):
    numbers = random.Random(7)
    size = many.stat().st_size
    places = sorted({0, *(numbers.randrange(size) for _ in range(40))})
    cuts = list(zip(places, [*places[1:], size]))
    same(reduced(many, cuts, n_shares=n_shares)[0], many)


@pytest.mark.filterwarnings("ignore::tractor.CaptureWarning")
@pytest.mark.parametrize("name", ["ethernet.pcap", "vlan.pcap", "tunnels.pcap", "hole.pcap", "cut-short.pcap", "trouble.pcap"])
def test_small_and_damaged_captures_too(captures, name):
    size = (captures / name).stat().st_size
    for n_blocks in (2, 7):
        same(reduced(captures / name, blocks.blocks(size, -(-size // n_blocks)))[0], captures / name)


def test_what_was_not_surveyed_is_read(many):
    size = many.stat().st_size
    cuts = blocks.blocks(size, size // 5)
    same(reduced(many, cuts, [None] * len(cuts))[0], many)


def test_what_changed_on_the_way_is_refused(many):
    cuts = blocks.blocks(many.stat().st_size, 1 << 18)
    _, surveys = reduced(many, cuts)
    broken = bytearray(surveys[1])
    broken[len(broken) // 2] ^= 1
    with pytest.raises(OSError, match="what was mapped is damaged"):
        reduced(many, cuts, [surveys[0], bytes(broken), *surveys[2:]])
    with pytest.raises(OSError, match="nothing that this version"):
        reduced(many, cuts, [b"something else", *surveys[1:]])


def test_a_capture_that_changes_meanwhile_is_refused(many):
    content = many.read_bytes()
    header, size, half = content[: blocks.HEADER_LEN], len(content), len(content) // 2
    gather = blocks.Gather("a", header, size)
    for start, stop in ((0, half), (half, size)):
        gather.push(blocks.survey(header, content[start:], start, stop, size), stop, None)
    orders, _, _ = gather.finish()
    with pytest.raises(OSError, match="has changed since"):
        blocks.map(header, content[half:-20], half, size, size, orders[1])


def test_what_is_finished_is_not_gone_on_with():
    reduce = blocks.Reduce()
    reduce.finish()
    with pytest.raises(tractor.RequestError, match="finished already"):
        reduce.push([])


def test_only_what_may_be_cut_is(captures):
    can = {it: blocks.can_cut((captures / it).read_bytes()) for it in ("ethernet.pcap", "big-endian.pcap", "nanoseconds.pcap", "modified.pcap")}
    assert all(can.values()), can
    assert not any(blocks.can_cut((captures / it).read_bytes()) for it in ("sample.pcapng", "gzip.pcap.gz", "empty.pcap"))
    assert blocks.blocks(0, 10) == [(0, 0)] and blocks.blocks(25, 10) == [(0, 10), (10, 20), (20, 25)]
