"""Captures on a cluster: Apache Spark deals them to its workers, the engine reads each there.

    >>> found = tractor.spark.read(spark, "/captures")        # also a glob, a list, s3://…, hdfs://…
    >>> found.flows.groupBy("label").count().show()
    >>> found.captures.where("error is not null").show()      # what could not be read, and why
    >>> tractor.spark.write(spark, "/captures", "/found")     # as Parquet

or as a command, `tractor-spark IN OUT`, which writes Parquet. What a capture holds is what the same engine finds anywhere: a
worker that is lost changes nothing, for its captures are read again.

Captures are read where a worker reaches them: from a folder all of them share, or from what pyarrow opens by its address.
Each is read whole by one task, many small ones by the same; a long one may be read in blocks by many (`tractor.blocks`). A task needs
memory for the flows of a capture, some 400 bytes each and 4 for a packet, not for its bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import hashlib
import itertools
import json
import os
import posixpath
import re
import sys
import uuid
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.compute
import pyarrow.fs
import pyarrow.parquet

import tractor

from . import blocks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Found", "flows", "main", "read", "write"]

_TASK_LEN = 64 << 20
"""Small captures are read by one task until they have so many bytes together."""
_BLOCKS_OF_SHARE = 4
"""What so many blocks leave to be put together, one task puts together."""

_PART = pyarrow.schema(
    [
        pyarrow.field("seat", pyarrow.int32()),
        pyarrow.field("task", pyarrow.int32()),
        pyarrow.field("capture", pyarrow.string()),
        pyarrow.field("path", pyarrow.string()),
        pyarrow.field("address", pyarrow.string()),
        pyarrow.field("size", pyarrow.int64()),
        pyarrow.field("kind", pyarrow.string()),
        pyarrow.field("block", pyarrow.int32()),
        pyarrow.field("start", pyarrow.int64()),
        pyarrow.field("stop", pyarrow.int64()),
        pyarrow.field("share", pyarrow.int32()),
        pyarrow.field("mark", pyarrow.string()),
        pyarrow.field("bytes", pyarrow.binary()),
    ]
)
"""What travels of a capture. `kind` is what the bytes are: none of a `whole` capture and of a `block`; of a block its `survey`, its
`orders`, its `flows`, its `packets` of a share; of a capture its `account`, or the `error` that ended it. `seat` is the partition it
goes to, of as many as there are; a capture is settled by one `task`. `path` is one of this machine, or of what `address` leads to. `share`
is that of packets, else how many there are. `mark` tells what became of one gathering from what became of another."""

_READING = pyarrow.schema(
    [
        pyarrow.field("capture", pyarrow.string()),
        pyarrow.field("path", pyarrow.string()),
        pyarrow.field("bytes", pyarrow.int64()),
        pyarrow.field("frames", pyarrow.int64()),
        pyarrow.field("frames_in_flows", pyarrow.int64()),
        pyarrow.field("flows", pyarrow.int64()),
        pyarrow.field("error", pyarrow.string()),
        pyarrow.field("reading", pyarrow.string()),
    ]
)
"""What is told of each capture; `reading` is JSON, as `tractor.Capture.reading`."""

_WRITTEN = _READING.append(pyarrow.field("report", pyarrow.binary()))
"""The same where it is written: `report` is what the companion needs to answer for the capture."""

_TOLD = pyarrow.schema(list(_READING)[:-1])
"""What comes back of captures that are written."""


@dataclass(frozen=True)
class Found:
    """What the captures hold, as tables that are computed when they are asked for.

    All are of one reading: `persist` keeps it, for who asks for more than one.
    """

    all: DataFrame
    """A column for each table; all but one of them are null in a row."""
    _kept: list[DataFrame] = field(default_factory=list)
    """What blocks became on the way."""

    @property
    def flows(self) -> DataFrame:
        """A row of each flow: what is known of it, then its features. Times are nanoseconds since 1970 UTC; `hour` is that of
        its first packet, as `2026-01-31T23`."""
        return self.all.where("flow is not null").select("flow.*")

    @property
    def sessions(self) -> DataFrame:
        """A row of each session, as `tractor.sessions` has them."""
        return self.all.where("session is not null").select("session.*")

    @property
    def captures(self) -> DataFrame:
        """A row of each capture: `error` says why nothing could be read of it or, with what was, where its reading ended."""
        return self.all.where("capture is not null").select("capture.*")

    def persist(self) -> Found:
        """Keeps what is found on the workers' disks, so that it is found once."""
        from pyspark import StorageLevel

        return Found(self.all.persist(StorageLevel.DISK_ONLY), self._kept)

    def unpersist(self) -> Found:
        """Lets go of what was kept, also of what blocks became on the way."""
        for it in self._kept:
            it.unpersist()
        return Found(self.all.unpersist(), self._kept)


def read(spark: SparkSession, path: str | Iterable[str], schema: str | None = "tractor", **how: Any) -> Found:
    """What captures hold: those below a folder, of a glob, or of a list of either, here or at an address pyarrow knows.

    `timeout`, `filter`, `by_vlan`, `by_tunnel`, `checksums` and `rules` are as of `tractor.flows`. `threads` is how many cores a task has:
    `spark.task.cpus`. With `block_len` a pcap of more bytes that is not packed is read in blocks of that length, each by tasks of its own,
    and settled by one, to the same rows; without it each capture is read by one task, which takes less of the processor: see
    docs/cluster.md.
    """
    job = _Job.of(path, schema, **how)
    wanted = job.wanted
    tables = {"flow": wanted.flow, "session": wanted.session, "capture": _READING}
    rows = pyarrow.schema([pyarrow.field(name, pyarrow.struct(list(it))) for name, it in tables.items()])

    def to_rows(capture: Any, told: dict[str, Any]) -> Iterator[pyarrow.RecordBatch]:
        for table, batch in wanted.batches(capture):
            yield _row(rows, table, batch)
        yield _row(rows, "capture", pyarrow.RecordBatch.from_pylist([told], _READING))

    return Found(*job.settled(spark, to_rows, rows))


def flows(spark: SparkSession, path: str | Iterable[str], schema: str | None = "tractor", **how: Any) -> DataFrame:
    """The flows of captures; see `read`, which tells of those that could not be read too, and lets go of what blocks leave."""
    if how.get("block_len") is not None:
        raise tractor.RequestError(40000, "flows alone are of whole captures: for blocks see `read`")
    return read(spark, path, schema, **how).flows


_TABLES = ("captures", "flows", "sessions")
"""What is written, as folders."""


def write(
    spark: SparkSession, path: str | Iterable[str], out: str, schema: str | None = "tractor", **how: Any
) -> pyarrow.Table:
    """Writes what captures hold as Parquet below a folder or address `out`, whose `flows`, `sessions` and `captures` go before: flows
    and sessions by capture, flows by the hour of their first packet too. Returns what is told of each capture; the rest is as of `read`.

    Workers write the files themselves, so they reach `out` as they reach the captures; rows do not pass through Spark. The row of a
    capture in `captures` appears last: it is whole then. What is done twice is there once.
    """
    job = _Job.of(path, schema, **how)
    out = out if "://" in out else os.path.abspath(out)
    system, inside = _opened(out)
    goes = [posixpath.join(inside, it) for it in (*_TABLES, _UNFINISHED)]
    for _, capture, _, address in job.listed:
        if _is_below(system, goes, _opened(address)[0] if address else pyarrow.fs.LocalFileSystem(), capture):
            raise tractor.RequestError(40000, f"{capture} lies where the result is to be written, and would go")

    def to_files(capture: Any, told: dict[str, Any]) -> Iterator[pyarrow.RecordBatch]:
        with _Files(out, told["capture"]) as files:
            for table, batch in job.wanted.batches(capture):
                files.write(table, batch)
            told["report"] = None if capture is None else capture.report()
            files.tell(told)
        yield pyarrow.RecordBatch.from_pylist([{it: told.get(it) for it in _TOLD.names}], _TOLD)

    settled, kept = job.settled(spark, to_files, _TOLD)
    for it in goes:
        _delete(system, it)
    try:
        return settled.toArrow().sort_by("capture")
    finally:
        for it in kept:
            it.unpersist()
        _delete(system, posixpath.join(inside, _UNFINISHED))


def _is_below(system: Any, folders: list[str], other: Any, path: str) -> bool:
    """Whether a path of another system is below folders of this one."""
    if type(system) is not type(other):
        return False
    real = os.path.realpath if isinstance(system, pyarrow.fs.LocalFileSystem) else lambda it: it
    return any(f"{real(path)}/".startswith(f"{real(it)}/") for it in folders)


@dataclass(frozen=True)
class _Wanted:
    """What is wanted of each capture."""

    wanted: Any
    flow: pyarrow.Schema
    session: pyarrow.Schema

    @staticmethod
    def of(how: Any, wanted: Any) -> _Wanted:
        # What makes no sense is refused here, and not by every worker.
        table = lambda what: pyarrow.schema(tractor._tractor.table([], how, what, wanted))
        return _Wanted(wanted, _flow_schema(table("flows")), _plain(table("sessions")))

    def batches(self, capture: Any) -> Iterator[tuple[str, pyarrow.RecordBatch]]:
        """The rows of a capture, with what they are of; none of what could not be read."""
        if capture is None:
            return
        for batch in pyarrow.RecordBatchReader.from_stream(capture.table("flows", self.wanted)):
            yield "flow", _flow_batch(batch, self.flow)
        for batch in pyarrow.RecordBatchReader.from_stream(capture.table("sessions", self.wanted)):
            yield "session", batch.cast(self.session)


@dataclass(frozen=True)
class _Job:
    """Captures, and how they are read."""

    listed: list[tuple[str, str, int, str | None]]
    how: Any
    wanted: _Wanted
    block_len: int | None

    @staticmethod
    def of(
        path: str | Iterable[str],
        schema: str | None,
        timeout: float | str | None = None,
        filter: str | None = None,
        *,
        by_vlan: bool = False,
        by_tunnel: bool = False,
        checksums: bool = False,
        rules: str | os.PathLike[str] | None = None,
        threads: int = 1,
        block_len: int | None = None,
    ) -> _Job:
        if block_len is not None and block_len < 1:
            raise tractor.RequestError(40000, "blocks have at least a byte")
        how = tractor._how(by_vlan, by_tunnel, checksums, rules, threads)
        wanted = _Wanted.of(how, (schema, True, tractor._timeout(timeout), filter))
        return _Job(_listed(path), how, wanted, block_len)

    def settled(
        self,
        spark: SparkSession,
        emit: Callable[[Any, dict[str, Any]], Iterator[pyarrow.RecordBatch]],
        rows: pyarrow.Schema,
    ) -> tuple[DataFrame, list[DataFrame]]:
        """What `emit` makes of captures; and what is kept for it on the way, to be let go of."""
        from pyspark import StorageLevel
        from pyspark.sql.pandas.types import from_arrow_schema

        tasks = _tasks(self.listed)
        cut = ((number, it) for number, task in enumerate(tasks) for it in task)
        parts = [part for number, it in cut for part in _cut(number, it, self.block_len)]
        n_blocks = sum(it["kind"] == "block" for it in parts)
        part, how = from_arrow_schema(_PART), self.how
        dealt = spark.createDataFrame([tuple(it[name] for name in _PART.names) for it in parts], part)
        whole, kept = dealt.where("kind = 'whole'"), []
        of_capture, of_share = lambda it: it["capture"], lambda it: (it["capture"], it["share"])

        def step(frame: DataFrame, n: int, order: list[str], key: Any, make: Any) -> DataFrame:
            seated = frame.repartitionById(max(n, 1), "seat").sortWithinPartitions(*order)
            return seated.mapInArrow(_Step(key, make, how), part)

        if n_blocks:
            n_captures, place = len({it["capture"] for it in parts if it["kind"] == "block"}), ["capture", "block"]
            surveys = step(dealt.where("kind = 'block'"), n_blocks, place, None, _survey)
            gathered = step(surveys, n_captures, place, of_capture, _gather).persist(StorageLevel.DISK_ONLY)
            mapped = step(gathered.where("kind = 'orders'"), n_blocks, place, None, _map).persist(StorageLevel.DISK_ONLY)
            packets = gathered.where("kind = 'packets'").unionAll(mapped.where("kind = 'packets'"))
            n_shares = sum(it["share"] for it in parts if it["kind"] == "block" and it["block"] == 0)
            reduced = step(packets, n_shares, ["capture", "share", "block"], of_share, _reduce)
            told = gathered.where("kind in ('account', 'error')")
            for it in (told, mapped.where("kind in ('flows', 'error')"), reduced):
                whole = whole.unionAll(it)
            kept = [gathered, mapped]

        def settle(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
            for _, of_one in itertools.groupby(_rows(batches), of_capture):
                yield from _settle(of_one, how, emit)

        order = ["task", "capture", "kind", "block"]
        seated = whole.repartitionById(max(len(tasks), 1), "task").sortWithinPartitions(*order)
        return seated.mapInArrow(settle, from_arrow_schema(rows)), kept


@dataclass(frozen=True)
class _Step:
    """A step on the way: what `make` makes of each row or, with a key, of those that follow each other and have the same."""

    key: Any
    make: Any
    how: Any

    def __call__(self, batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        # One row at a time: some are long.
        rows = _rows(batches)
        groups = (it for _, it in itertools.groupby(rows, self.key)) if self.key else rows
        for group in groups:
            for row in self.make(group, self.how):
                yield pyarrow.RecordBatch.from_pylist([row], _PART)


def _rows(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[dict[str, Any]]:
    return (row for batch in batches for at in range(batch.num_rows) for row in batch.slice(at, 1).to_pylist())


_NOT_READ = (OSError, pyarrow.ArrowException)
"""What reading fails with."""


def _cut(task: int, capture: tuple[str, str, int, str | None], block_len: int | None) -> Iterator[dict[str, Any]]:
    """A capture in blocks, or whole."""
    name, path, size, address = capture
    part = {"seat": task, "task": task, "capture": name, "path": path, "address": address, "size": size, "kind": "whole"}
    part |= {"block": 0, "start": 0, "stop": size, "share": 0, "mark": None, "bytes": None}
    is_cut = False
    # What cannot be opened here is told by who reads it.
    with contextlib.suppress(*_NOT_READ):
        is_cut = block_len is not None and size > block_len and blocks.can_cut(_at(part)(0, 4))
    if not is_cut:
        yield part
        return
    cuts = blocks.blocks(size, block_len)
    n_shares = -(-len(cuts) // _BLOCKS_OF_SHARE)
    for at, (start, stop) in enumerate(cuts):
        yield {**part, "seat": task + at, "kind": "block", "block": at, "start": start, "stop": stop, "share": n_shares}


def _survey(block: dict[str, Any], how: Any) -> Iterator[dict[str, Any]]:
    survey = None
    # Where it fails, who gathers tries again, and tells.
    with contextlib.suppress(*_NOT_READ), _from(block) as source:
        survey = blocks.survey(*_place(block, source), how=how)
    yield {**block, "seat": block["task"], "kind": "survey", "bytes": survey}


def _place(block: dict[str, Any], source: Any) -> tuple[Any, ...]:
    """A block as `tractor.blocks` has it."""
    return _at(block)(0, blocks.HEADER_LEN), source, block["start"], block["stop"], block["size"]


def _gather(surveys: Iterator[dict[str, Any]], how: Any) -> Iterator[dict[str, Any]]:
    gather, of_block = None, []
    try:
        for it in surveys:
            if gather is None:
                read = _at(it)
                header = read(0, blocks.HEADER_LEN)
                gather = blocks.Gather(it["capture"], header, it["size"], it["share"], how=how)
            gather.push(it["bytes"], it["stop"], read)
            of_block.append({**it, "bytes": None})
        orders, packets, account = gather.finish()
    except _NOT_READ as error:
        yield _failed(it, error)
        return
    # Done again, it may come out otherwise: where a block could not be read at first.
    mark = hashlib.blake2b(b"".join([account, *orders]), digest_size=8).hexdigest()
    of_block = [{**it, "mark": mark} for it in of_block]
    first = of_block[0]
    yield {**first, "kind": "account", "bytes": account}
    for it, order in zip(of_block, orders):
        if order:
            yield {**it, "seat": it["task"] + it["block"], "kind": "orders", "bytes": order}
    for share, block, bytes_ in packets:
        yield {**first, "seat": first["task"] + share, "kind": "packets", "share": share, "block": block, "bytes": bytes_}


def _map(block: dict[str, Any], how: Any) -> Iterator[dict[str, Any]]:
    try:
        with _from(block) as source:
            flows, packets = blocks.map(*_place(block, source), block["bytes"], how=how)
    except _NOT_READ as error:
        yield _failed(block, error)
        return
    yield {**block, "kind": "flows", "bytes": flows}
    for share, bytes_ in enumerate(packets):
        if bytes_:
            yield {**block, "seat": block["task"] + share, "kind": "packets", "share": share, "bytes": bytes_}


def _reduce(packets: Iterator[dict[str, Any]], how: Any) -> Iterator[dict[str, Any]]:
    reduce, first = blocks.Reduce(how=how), None
    try:
        for _, of_block in itertools.groupby(packets, lambda it: it["block"]):
            of_block = list(of_block)
            first = first or of_block[0]
            _same_marks(first, of_block)
            reduce.push(it["bytes"] for it in of_block)
        yield {**first, "kind": "flows", "bytes": reduce.finish()}
    except OSError as error:
        yield _failed(first, error)


def _same_marks(first: dict[str, Any], parts: Iterable[dict[str, Any]]) -> None:
    if any(it["mark"] != first["mark"] for it in parts):
        raise OSError("its blocks were gathered twice, with different results: read it again")


def _failed(part: dict[str, Any], error: Exception) -> dict[str, Any]:
    return {**part, "kind": "error", "bytes": str(error).encode(errors="replace")}


def _settle(
    parts: Iterator[dict[str, Any]], how: Any, emit: Callable[[Any, dict[str, Any]], Iterator[pyarrow.RecordBatch]]
) -> Iterator[pyarrow.RecordBatch]:
    """What is made of a capture, and of what is to be told of it."""
    first = next(parts)
    told: dict[str, Any] = {"capture": first["capture"], "path": _shown(first), "bytes": first["size"]}
    capture = None
    try:
        with warnings.catch_warnings():
            # They are in what is told.
            warnings.simplefilter("ignore", tractor.CaptureWarning)
            capture = _whole(first, how) if first["kind"] == "whole" else _of_parts(first, parts, how)
    except (tractor.CaptureError, *_NOT_READ) as error:
        told["error"] = str(error)
    else:
        reading = json.loads(capture.reading())
        account = reading["account"]
        errors = [f"{it['code']}: {it['message']}" for it in reading["notices"] if it["code"].startswith("E-")]
        told.update(
            bytes=reading["bytes"],
            frames=account["frames"]["frames"],
            frames_in_flows=account["in_flows"]["frames"],
            flows=len(capture),
            error=" ".join(errors) or None,
            reading=json.dumps(reading),
        )
    yield from emit(capture, told)


def _whole(part: dict[str, Any], how: Any) -> Any:
    with _from(part) as source:
        return tractor._tractor.read(source, part["capture"], how)


def _of_parts(first: dict[str, Any], parts: Iterator[dict[str, Any]], how: Any) -> Any:
    settle = None
    for it in itertools.chain([first], parts):
        if it["kind"] == "error":
            raise OSError(it["bytes"].decode())
        _same_marks(first, [it])
        if settle is None:
            settle = blocks.Settle(it["capture"], it["bytes"], how=how)
        else:
            settle.push(it["bytes"])
    return settle.finish()._inner


_UNFINISHED = "_unfinished"
"""Files that are not whole yet, below a folder that is written."""
_MAX_OPEN = 24
"""So many hours of a capture are written at once."""
_MAX_HOURS = 1_000
"""So many hours of a capture have folders of their own; a capture may say what it likes of its times."""
_GROUP_ROWS = 1 << 16
"""So many rows are written at once."""


class _Files:
    """The Parquet files of a capture: of each table, and of flows each hour. They appear once all are whole."""

    def __init__(self, out: str, capture: str) -> None:
        self.system, self.out = _opened(out)
        self.capture = _component(capture)
        # Whoever does it again has a place of its own.
        self.unfinished = posixpath.join(self.out, _UNFINISHED, uuid.uuid4().hex)
        self.open: OrderedDict[str, _Writer] = OrderedDict()
        self.n_files: Counter[str] = Counter()
        self.made: list[str] = []

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        try:
            # After an error the rest is of no use.
            with contextlib.ExitStack() as stack:
                for it in self.open.values():
                    stack.callback(it.close, kind is None)
            if kind is None:
                self._appear()
        finally:
            with contextlib.suppress(*_NOT_READ):
                _delete(self.system, self.unfinished)

    def write(self, table: str, batch: pyarrow.RecordBatch) -> None:
        """Rows of flows or sessions."""
        batch = batch.drop_columns(["capture"])
        if table == "session":
            self._write(f"sessions/capture={self.capture}", batch)
            return
        column = batch.column("hour")
        hours = pyarrow.compute.unique(column).to_pylist()
        for hour in hours:
            of_hour = batch if len(hours) == 1 else batch.filter(pyarrow.compute.equal(column, hour))
            folder = f"flows/capture={self.capture}/hour={_escaped(hour)}"
            if folder not in self.n_files and len(self.n_files) >= _MAX_HOURS:
                folder = f"flows/capture={self.capture}/hour=others"
            self._write(folder, of_hour.drop_columns(["hour"]))

    def tell(self, told: dict[str, Any]) -> None:
        """The row of the capture, the last of its files."""
        place = f"captures/{self.capture}.parquet"
        self.made.append(place)
        writer = _Writer(self.system, posixpath.join(self.unfinished, place), _WRITTEN)
        self.open[place] = writer
        writer.write(pyarrow.RecordBatch.from_pylist([told], _WRITTEN))

    def _appear(self) -> None:
        """Whatever an earlier attempt left goes: it may have found something else."""
        for folder in (f"captures/{self.capture}.parquet", *(f"{it}/capture={self.capture}" for it in _TABLES[1:])):
            _delete(self.system, posixpath.join(self.out, folder))
        for place in self.made:
            whole = posixpath.join(self.out, place)
            self.system.create_dir(posixpath.dirname(whole), recursive=True)
            self.system.move(posixpath.join(self.unfinished, place), whole)

    def _write(self, folder: str, batch: pyarrow.RecordBatch) -> None:
        if folder not in self.open:
            if len(self.open) >= _MAX_OPEN:
                self.open.popitem(last=False)[1].close()
            place = f"{folder}/{self.n_files[folder]}.parquet"
            self.n_files[folder] += 1
            self.made.append(place)
            self.open[folder] = _Writer(self.system, posixpath.join(self.unfinished, place), batch.schema)
        self.open.move_to_end(folder)
        self.open[folder].write(batch)


class _Writer:
    """A Parquet file whose rows are written many at once."""

    def __init__(self, system: pyarrow.fs.FileSystem, path: str, schema: pyarrow.Schema) -> None:
        system.create_dir(posixpath.dirname(path), recursive=True)
        self.writer = pyarrow.parquet.ParquetWriter(path, schema, filesystem=system)
        self.waiting: list[pyarrow.RecordBatch] = []
        self.n_waiting = 0

    def write(self, batch: pyarrow.RecordBatch) -> None:
        self.waiting.append(batch)
        self.n_waiting += batch.num_rows
        if self.n_waiting >= _GROUP_ROWS:
            self._write()

    def close(self, is_whole: bool = True) -> None:
        if is_whole:
            self._write()
        self.writer.close()

    def _write(self) -> None:
        if self.waiting:
            self.writer.write_table(pyarrow.Table.from_batches(self.waiting))
            self.waiting, self.n_waiting = [], 0


def _escaped(name: str) -> str:
    """A value in the name of a folder, as Spark, Hive and DuckDB read it."""
    return re.sub(r"""[\x00-\x1f"#%'*/:=?\\\x7f{\[\]^]""", lambda it: f"%{ord(it.group()):02X}", name)


_MAX_COMPONENT = 200
"""Names of files may have 255 bytes, and `capture=` and `.parquet` are some of them."""


def _component(capture: str) -> str:
    """A capture's name in those of folders and files; a long one is cut, and a hash tells it from others."""
    # What begins with these is passed over by Spark and others.
    name = re.sub("^[._]", lambda it: f"%{ord(it.group()):02X}", _escaped(capture)).encode()
    if len(name) <= _MAX_COMPONENT:
        return name.decode()
    kept = re.sub(rb"%[0-9A-F]?$", b"", name[:_MAX_COMPONENT]).decode(errors="ignore")
    return f"{kept}~{hashlib.blake2b(name, digest_size=8).hexdigest()}"


def _opened(path: str) -> tuple[pyarrow.fs.FileSystem, str]:
    """What a path or an address leads to, and the path there."""
    return pyarrow.fs.FileSystem.from_uri(path) if "://" in path else (pyarrow.fs.LocalFileSystem(), path)


def _delete(system: pyarrow.fs.FileSystem, path: str) -> None:
    kind = system.get_file_info(path).type
    if kind == pyarrow.fs.FileType.Directory:
        system.delete_dir(path)
    elif kind != pyarrow.fs.FileType.NotFound:
        system.delete_file(path)


def _row(rows: pyarrow.Schema, table: str, batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    """Rows of one table, among the columns of all."""
    found = pyarrow.StructArray.from_arrays(batch.columns, fields=list(rows.field(table).type))
    columns = [found if it.name == table else pyarrow.nulls(batch.num_rows, it.type) for it in rows]
    return pyarrow.RecordBatch.from_arrays(columns, schema=rows)


def _plain(schema: pyarrow.Schema) -> pyarrow.Schema:
    """Spark's times have no nanoseconds: they are numbers. Any column may be null there."""
    kind = lambda it: pyarrow.int64() if pyarrow.types.is_timestamp(it.type) else it.type
    return pyarrow.schema([pyarrow.field(it.name, kind(it)) for it in schema])


def _flow_schema(schema: pyarrow.Schema) -> pyarrow.Schema:
    fields = list(_plain(schema))
    # Names in Spark have no case: of columns that are one then, the later ones are numbered.
    seen: dict[str, int] = {}
    for at, it in enumerate(fields):
        name = it.name.lower()
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            fields[at] = it.with_name(f"{it.name}_{seen[name]}")
    return pyarrow.schema([*fields, pyarrow.field("hour", pyarrow.string())])


def _flow_batch(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    starts = batch.column("time_start_ns").cast(pyarrow.timestamp("s", "UTC"), safe=False)
    hours = pyarrow.compute.strftime(starts, "%Y-%m-%dT%H")
    columns = [*batch.cast(_plain(batch.schema)).columns, hours]
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


@contextlib.contextmanager
def _from(part: dict[str, Any]) -> Iterator[Any]:
    """What gives the bytes of a part of a capture from its begin on: the path of what is on this machine."""
    path, start = part["path"], part["start"]
    if part["address"] is None:
        yield path
        return
    system, _ = _opened(part["address"])
    # What can be sought in is opened so only where it must be.
    with system.open_input_file(path) if start else system.open_input_stream(path, compression=None) as source:
        if start:
            source.seek(start)
        yield source


def _at(part: dict[str, Any]) -> Callable[[int, int], bytes]:
    """What reads the file of a part at any place."""
    path, address = part["path"], part["address"]
    if address is None:
        return blocks.reader(path)

    def read(offset: int, size: int) -> bytes:
        with _opened(address)[0].open_input_file(path) as file:
            return file.read_at(min(size, max(file.size() - offset, 0)), offset)

    return read


def _shown(part: dict[str, Any]) -> str:
    """The path of a capture, for readers."""
    address = part["address"]
    return part["path"] if address is None else f"{address.split('://', 1)[0]}://{part['path']}"


def _listed(path: str | Iterable[str]) -> list[tuple[str, str, int, str | None]]:
    """Captures by the names they have below what was given, with their paths, sizes in bytes, and the address they were found by."""
    paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    found: dict[tuple[str, str | None], tuple[str, str, int, str | None]] = {}
    for it in map(os.fspath, paths):
        for listed in _below(it):
            found.setdefault((listed[1], listed[3] and listed[3].split("://", 1)[0]), listed)
    listed = sorted(found.values(), key=lambda it: (it[0], it[1], it[3] or ""))
    names = Counter(it[0] for it in listed)
    # Of equal names the paths.
    shown = lambda it: _shown({"path": it[1], "address": it[3]})
    return [it if names[it[0]] == 1 else (shown(it), *it[1:]) for it in listed]


def _below(path: str) -> Iterator[tuple[str, str, int, str | None]]:
    address = path if "://" in path else None
    system, inside = _opened(address or os.path.abspath(path))
    is_glob = any(it in inside for it in "*?[")
    # The part of a glob before its first wildcard is listed.
    base = inside if not is_glob else posixpath.dirname(inside[: min(inside.index(it) for it in "*?[" if it in inside)])
    info = system.get_file_info(base)
    if info.type == pyarrow.fs.FileType.NotFound:
        raise FileNotFoundError(2, "there is no such capture or folder", path)
    if info.type == pyarrow.fs.FileType.File:
        yield posixpath.basename(base), base, info.size, address
        return
    for it in system.get_file_info(pyarrow.fs.FileSelector(base, recursive=True)):
        is_wanted = fnmatch.fnmatchcase(it.path, inside) if is_glob else tractor._is_capture(it.path)
        if it.type == pyarrow.fs.FileType.File and is_wanted:
            yield posixpath.relpath(it.path, base), it.path, it.size, address


def _tasks(listed: list[tuple[str, str, int, str | None]]) -> list[list[tuple[str, str, int, str | None]]]:
    """Captures by tasks, the largest first: who gets one of them last would keep all waiting."""
    tasks: list[list[tuple[str, str, int, str | None]]] = []
    room = 0
    for it in sorted(listed, key=lambda it: (-it[2], it[0])):
        if not tasks or it[2] > room:
            tasks.append([])
            room = _TASK_LEN
        tasks[-1].append(it)
        room -= it[2]
    return tasks


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def main(arguments: list[str] | None = None) -> int:
    """`tractor-spark IN OUT`, also by `spark-submit`."""
    parser = argparse.ArgumentParser(
        prog="tractor-spark",
        description="Finds the flows, features, labels and sessions of captures on Apache Spark, and writes them as Parquet.",
    )
    parser.add_argument("captures", metavar="IN", nargs="+", help="captures: files, folders, globs, addresses")
    parser.add_argument("out", metavar="OUT", help="the folder, or address, that is written; the flows, sessions and captures it had go")
    parser.add_argument("--schema", default="tractor", help="the features of each flow, none for none (default: tractor)")
    parser.add_argument("--timeout", help="cut flows: seconds, idle:SECONDS, published:SECONDS or zeek")
    parser.add_argument("--filter", help="only flows that pass")
    parser.add_argument(
        "--block-len",
        type=_positive,
        metavar="MIB",
        help="read longer captures in blocks of so many MiB, by several tasks (default: each by one)",
    )
    parser.add_argument("--master", help="the cluster, where spark-submit does not say it")
    asked = parser.parse_args(arguments)

    from pyspark.sql import SparkSession

    # Workers on this machine run what runs this.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("tractor")
    spark = (builder.master(asked.master) if asked.master else builder).getOrCreate()
    how = {"threads": int(spark.conf.get("spark.task.cpus", "1")), "block_len": asked.block_len and asked.block_len << 20}
    schema = None if asked.schema == "none" else asked.schema
    try:
        try:
            captures = write(spark, asked.captures, asked.out, schema, timeout=asked.timeout, filter=asked.filter, **how)
        except (ValueError, *_NOT_READ) as error:
            print(f"tractor-spark: {error}", file=sys.stderr)
            return 2
    finally:
        spark.stop()
    failed = [it for it in captures.to_pylist() if it["error"] is not None]
    for it in failed:
        print(f"tractor-spark: {it['capture']}: {it['error']}", file=sys.stderr)
    total = lambda name: pyarrow.compute.sum(captures[name]).as_py() or 0
    print(f"{len(captures)} captures, {total('bytes')} bytes, {total('flows')} flows; {len(failed)} with errors")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
