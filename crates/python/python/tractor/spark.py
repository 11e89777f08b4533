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
        pyarrow.field("size", pyarrow.int64()),
        pyarrow.field("kind", pyarrow.string()),
        pyarrow.field("block", pyarrow.int32()),
        pyarrow.field("start", pyarrow.int64()),
        pyarrow.field("stop", pyarrow.int64()),
        pyarrow.field("share", pyarrow.int32()),
        pyarrow.field("bytes", pyarrow.binary()),
    ]
)
"""What travels of a capture. `kind` is what the bytes are: none of a `whole` capture and of a `block`; of a block its `survey`, its
`orders`, its `flows`, its `packets` of a share; of a capture its `account`, or the `error` that ended it. `seat` is the partition it
goes to, of as many as there are; a capture is settled by one `task`. `share` is that of packets, else how many there are."""

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


def read(
    spark: SparkSession,
    path: str | Iterable[str],
    schema: str | None = "tractor",
    timeout: float | str | None = None,
    filter: str | None = None,
    *,
    by_vlan: bool = False,
    by_tunnel: bool = False,
    checksums: bool = False,
    rules: str | os.PathLike[str] | None = None,
    threads: int = 1,
    block_len: int | None = None,
) -> Found:
    """What captures hold: those below a folder, of a glob, or of a list of either, here or at an address pyarrow knows.

    The rest is as of `tractor.flows`. `threads` is how many cores a task has: `spark.task.cpus`. With `block_len` a pcap of more bytes that is
    not packed is read in blocks of that length, each by tasks of its own, and settled by one, to the same rows; without it each capture
    is read by one task, which takes less of the processor: see docs/cluster.md.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    how = tractor._how(by_vlan, by_tunnel, checksums, rules, threads)
    wanted = _Wanted.of(how, (schema, True, tractor._timeout(timeout), filter))
    tables = {"flow": wanted.flow, "session": wanted.session, "capture": _READING}
    rows = pyarrow.schema([pyarrow.field(name, pyarrow.struct(list(it))) for name, it in tables.items()])

    def to_rows(capture: Any, told: dict[str, Any]) -> Iterator[pyarrow.RecordBatch]:
        for table, batch in wanted.batches(capture):
            yield _row(rows, table, batch)
        yield _row(rows, "capture", pyarrow.RecordBatch.from_pylist([told], _READING))

    settled, kept = _settled(spark, _listed(path), how, block_len, to_rows, from_arrow_schema(rows))
    return Found(settled, kept)


def flows(spark: SparkSession, path: str | Iterable[str], schema: str | None = "tractor", **how: Any) -> DataFrame:
    """The flows of captures; see `read`, which tells of those that could not be read too."""
    return read(spark, path, schema, **how).flows


def write(
    spark: SparkSession,
    path: str | Iterable[str],
    out: str,
    schema: str | None = "tractor",
    timeout: float | str | None = None,
    filter: str | None = None,
    *,
    by_vlan: bool = False,
    by_tunnel: bool = False,
    checksums: bool = False,
    rules: str | os.PathLike[str] | None = None,
    threads: int = 1,
    block_len: int | None = None,
) -> DataFrame:
    """Writes what captures hold as Parquet below a folder or address `out`, whose `flows`, `sessions` and `captures` go before: flows
    and sessions by capture, flows by the hour of their first packet too. Returns the table of captures; the rest is as of `read`.

    Workers write the files themselves: rows do not pass through Spark. A file appears once it is whole, under a name of its capture, so
    what is done twice is there once.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    how = tractor._how(by_vlan, by_tunnel, checksums, rules, threads)
    wanted = _Wanted.of(how, (schema, True, tractor._timeout(timeout), filter))
    listed = _listed(path)
    out = out if "://" in out else os.path.abspath(out)

    def to_files(capture: Any, told: dict[str, Any]) -> Iterator[pyarrow.RecordBatch]:
        if capture is not None:
            told["report"] = capture.report()
            with _Files(out, told["capture"]) as files:
                for table, batch in wanted.batches(capture):
                    files.write(table, batch)
        yield pyarrow.RecordBatch.from_pylist([told], _WRITTEN)

    system, inside = _system(out)
    for name in ("flows", "sessions", "captures", _UNFINISHED):
        _delete(system, posixpath.join(inside, name))
    settled, kept = _settled(spark, listed, how, block_len, to_files, from_arrow_schema(_WRITTEN))
    captures = posixpath.join(out if "://" in out else f"file://{out}", "captures")
    try:
        # A page of reports is held in memory: one report a page.
        settled.write.option("parquet.page.size.row.check.min", "1").parquet(captures)
    finally:
        for it in kept:
            it.unpersist()
        _delete(system, posixpath.join(inside, _UNFINISHED))
    return spark.read.parquet(captures)


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


def _settled(
    spark: SparkSession,
    listed: list[tuple[str, str, int]],
    how: Any,
    block_len: int | None,
    emit: Callable[[Any, dict[str, Any]], Iterator[pyarrow.RecordBatch]],
    rows: Any,
) -> tuple[DataFrame, list[DataFrame]]:
    """What `emit` makes of captures, and what is kept for it on the way."""
    from pyspark import StorageLevel
    from pyspark.sql.pandas.types import from_arrow_schema

    tasks = _tasks(listed)
    parts = [part for number, task in enumerate(tasks) for it in task for part in _cut(number, it, block_len)]
    n_blocks = sum(it["kind"] == "block" for it in parts)
    part = from_arrow_schema(_PART)
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
        for it in (gathered.where("kind in ('account', 'error')"), mapped.where("kind in ('flows', 'error')"), reduced):
            whole = whole.unionAll(it)
        kept = [gathered, mapped]

    def settle(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for _, of_one in itertools.groupby(_rows(batches), of_capture):
            yield from _settle(of_one, how, emit)

    seated = whole.repartitionById(max(len(tasks), 1), "task").sortWithinPartitions("task", "capture", "kind", "block")
    return seated.mapInArrow(settle, rows), kept


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


def _cut(task: int, capture: tuple[str, str, int], block_len: int | None) -> Iterator[dict[str, Any]]:
    """A capture in blocks, or whole."""
    name, path, size = capture
    is_cut = block_len is not None and size > block_len and blocks.can_cut(_at(path)(0, 4))
    kind, cuts = ("block", blocks.blocks(size, block_len)) if is_cut else ("whole", [(0, size)])
    n_shares = -(-len(cuts) // _BLOCKS_OF_SHARE)
    for at, (start, stop) in enumerate(cuts):
        place = {"block": at, "start": start, "stop": stop, "share": n_shares, "bytes": None}
        yield {"seat": task + at, "task": task, "capture": name, "path": path, "size": size, "kind": kind, **place}


def _survey(block: dict[str, Any], how: Any) -> Iterator[dict[str, Any]]:
    path, place = block["path"], (block["start"], block["stop"], block["size"])
    survey = None
    # Where it fails, who gathers tries again, and tells.
    with contextlib.suppress(OSError):
        header = _at(path)(0, blocks.HEADER_LEN)
        with _from(path, block["start"]) as source:
            survey = blocks.survey(header, source, *place, how=how)
    yield {**block, "seat": block["task"], "kind": "survey", "bytes": survey}


def _gather(surveys: Iterator[dict[str, Any]], how: Any) -> Iterator[dict[str, Any]]:
    gather, of_block = None, []
    try:
        for it in surveys:
            if gather is None:
                read = _at(it["path"])
                header = read(0, blocks.HEADER_LEN)
                gather = blocks.Gather(it["capture"], header, it["size"], it["share"], how=how)
            gather.push(it["bytes"], it["stop"], read)
            of_block.append({**it, "bytes": None})
        orders, packets, account = gather.finish()
    except OSError as error:
        yield _failed(it, error)
        return
    first = of_block[0]
    yield {**first, "kind": "account", "bytes": account}
    for it, order in zip(of_block, orders):
        if order:
            yield {**it, "seat": it["task"] + it["block"], "kind": "orders", "bytes": order}
    for share, block, bytes_ in packets:
        yield {**first, "seat": first["task"] + share, "kind": "packets", "share": share, "block": block, "bytes": bytes_}


def _map(block: dict[str, Any], how: Any) -> Iterator[dict[str, Any]]:
    path, place = block["path"], (block["start"], block["stop"], block["size"])
    try:
        header = _at(path)(0, blocks.HEADER_LEN)
        with _from(path, block["start"]) as source:
            flows, packets = blocks.map(header, source, *place, block["bytes"], how=how)
    except OSError as error:
        yield _failed(block, error)
        return
    yield {**block, "kind": "flows", "bytes": flows}
    for share, bytes_ in enumerate(packets):
        if bytes_:
            yield {**block, "seat": block["task"] + share, "kind": "packets", "share": share, "bytes": bytes_}


def _reduce(packets: Iterator[dict[str, Any]], how: Any) -> Iterator[dict[str, Any]]:
    reduce = blocks.Reduce(how=how)
    for _, of_block in itertools.groupby(packets, lambda it: it["block"]):
        of_block = list(of_block)
        reduce.push(it["bytes"] for it in of_block)
        last = of_block[-1]
    yield {**last, "kind": "flows", "bytes": reduce.finish()}


def _failed(part: dict[str, Any], error: Exception) -> dict[str, Any]:
    return {**part, "kind": "error", "bytes": str(error).encode()}


def _settle(
    parts: Iterator[dict[str, Any]], how: Any, emit: Callable[[Any, dict[str, Any]], Iterator[pyarrow.RecordBatch]]
) -> Iterator[pyarrow.RecordBatch]:
    """What is made of a capture, and of what is to be told of it."""
    first = next(parts)
    name, path = first["capture"], first["path"]
    told: dict[str, Any] = {"capture": name, "path": path, "bytes": first["size"]}
    capture = None
    try:
        with warnings.catch_warnings():
            # They are in what is told.
            warnings.simplefilter("ignore", tractor.CaptureWarning)
            capture = _whole(path, name, how) if first["kind"] == "whole" else _of_parts(first, parts, how)
    except (tractor.CaptureError, OSError) as error:
        told["error"] = str(error)
    else:
        reading = json.loads(capture.reading())
        account = reading["account"]
        errors = [f"{it['code']}: {it['message']}" for it in reading["notices"] if it["code"].startswith("E-")]
        told.update(
            frames=account["frames"]["frames"],
            frames_in_flows=account["in_flows"]["frames"],
            flows=len(capture),
            error=" ".join(errors) or None,
            reading=json.dumps(reading),
        )
    yield from emit(capture, told)


def _of_parts(first: dict[str, Any], parts: Iterator[dict[str, Any]], how: Any) -> Any:
    settle = None
    for it in itertools.chain([first], parts):
        if it["kind"] == "error":
            raise OSError(it["bytes"].decode())
        if settle is None:
            settle = blocks.Settle(it["capture"], it["bytes"], how=how)
        else:
            settle.push(it["bytes"])
    return settle.finish()._inner


_UNFINISHED = "_unfinished"
"""Files that are not whole yet, below a folder that is written."""
_MAX_OPEN = 24
"""So many hours of a capture are written at once."""
_GROUP_ROWS = 1 << 16
"""So many rows are written at once."""


class _Files:
    """The Parquet files of a capture: of each table, and of flows each hour. They appear once all are whole."""

    def __init__(self, out: str, capture: str) -> None:
        self.system, self.out = _system(out)
        self.folder = f"capture={_escaped(capture)}"
        # Whoever does it again has a place of its own.
        self.unfinished = posixpath.join(self.out, _UNFINISHED, uuid.uuid4().hex)
        self.open: OrderedDict[str, _Writer] = OrderedDict()
        self.made: list[str] = []

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        for it in self.open.values():
            it.close()
        if kind is None:
            for place in self.made:
                whole = posixpath.join(self.out, place)
                self.system.create_dir(posixpath.dirname(whole), recursive=True)
                _delete(self.system, whole)
                self.system.move(posixpath.join(self.unfinished, place), whole)

    def write(self, table: str, batch: pyarrow.RecordBatch) -> None:
        batch = batch.drop_columns(["capture"])
        if table == "session":
            self._write(f"sessions/{self.folder}", batch)
            return
        column = batch.column("hour")
        hours = pyarrow.compute.unique(column).to_pylist()
        for hour in hours:
            of_hour = batch if len(hours) == 1 else batch.filter(pyarrow.compute.equal(column, hour))
            self._write(f"flows/{self.folder}/hour={_escaped(hour)}", of_hour.drop_columns(["hour"]))

    def _write(self, folder: str, batch: pyarrow.RecordBatch) -> None:
        if folder not in self.open:
            if len(self.open) >= _MAX_OPEN:
                self.open.popitem(last=False)[1].close()
            number = sum(posixpath.dirname(it) == folder for it in self.made)
            place = f"{folder}/{number}.parquet"
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

    def write(self, batch: pyarrow.RecordBatch) -> None:
        self.waiting.append(batch)
        if sum(it.num_rows for it in self.waiting) >= _GROUP_ROWS:
            self._write()

    def close(self) -> None:
        self._write()
        self.writer.close()

    def _write(self) -> None:
        if self.waiting:
            self.writer.write_table(pyarrow.Table.from_batches(self.waiting))
            self.waiting = []


def _escaped(name: str) -> str:
    """A value in the name of a folder, as Spark, Hive and DuckDB read it."""
    return re.sub(r"""[\x00-\x1f"#%'*/:=?\\\x7f{\[\]^]""", lambda it: f"%{ord(it.group()):02X}", name)


def _system(path: str) -> tuple[pyarrow.fs.FileSystem, str]:
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


def _whole(path: str, name: str, how: Any) -> Any:
    with _from(path, 0) as source:
        return tractor._tractor.read(source, name, how)


@contextlib.contextmanager
def _from(path: str, start: int) -> Iterator[Any]:
    """What gives the bytes of a file from a place on: its path where it has one here."""
    if "://" not in path:
        yield path
        return
    system, inside = pyarrow.fs.FileSystem.from_uri(path)
    # What can be sought in is opened so only where it must be.
    with system.open_input_file(inside) if start else system.open_input_stream(inside, compression=None) as source:
        if start:
            source.seek(start)
        yield source


def _at(path: str) -> Callable[[int, int], bytes]:
    """What reads a file at any place."""
    if "://" not in path:
        return blocks.reader(path)

    def read(offset: int, size: int) -> bytes:
        system, inside = pyarrow.fs.FileSystem.from_uri(path)
        with system.open_input_file(inside) as file:
            return file.read_at(min(size, max(file.size() - offset, 0)), offset)

    return read


def _listed(path: str | Iterable[str]) -> list[tuple[str, str, int]]:
    """Captures by the names they have below what was given, with their paths and sizes in bytes."""
    paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    found: dict[str, tuple[str, str, int]] = {}
    for it in map(os.fspath, paths):
        for listed in _below(it):
            found.setdefault(listed[1], listed)
    listed = sorted(found.values())
    names = Counter(it[0] for it in listed)
    # Of equal names the paths.
    return [(name if names[name] == 1 else path, path, size) for name, path, size in listed]


def _below(path: str) -> Iterator[tuple[str, str, int]]:
    scheme = path.split("://", 1)[0] + "://" if "://" in path else ""
    system, inside = _system(path if scheme else os.path.abspath(path))
    is_glob = any(it in inside for it in "*?[")
    # The part of a glob before its first wildcard is listed.
    base = inside if not is_glob else posixpath.dirname(inside[: min(inside.index(it) for it in "*?[" if it in inside)])
    info = system.get_file_info(base)
    if info.type == pyarrow.fs.FileType.NotFound:
        raise FileNotFoundError(2, "there is no such capture or folder", path)
    whole = lambda it: scheme + it if scheme else it
    if info.type == pyarrow.fs.FileType.File:
        yield posixpath.basename(base), whole(base), info.size
        return
    for it in system.get_file_info(pyarrow.fs.FileSelector(base, recursive=True)):
        is_wanted = fnmatch.fnmatchcase(it.path, inside) if is_glob else tractor._is_capture(it.path)
        if it.type == pyarrow.fs.FileType.File and is_wanted:
            yield posixpath.relpath(it.path, base), whole(it.path), it.size


def _tasks(listed: list[tuple[str, str, int]]) -> list[list[tuple[str, str, int]]]:
    """Captures by tasks, the largest first: who gets one of them last would keep all waiting."""
    tasks: list[list[tuple[str, str, int]]] = []
    room = 0
    for it in sorted(listed, key=lambda it: (-it[2], it[0])):
        if not tasks or it[2] > room:
            tasks.append([])
            room = _TASK_LEN
        tasks[-1].append(it)
        room -= it[2]
    return tasks


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
        type=int,
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
    try:
        schema = None if asked.schema == "none" else asked.schema
        threads = int(spark.conf.get("spark.task.cpus", "1"))
        try:
            captures = write(
                spark,
                asked.captures,
                asked.out,
                schema,
                asked.timeout,
                asked.filter,
                threads=threads,
                block_len=asked.block_len and asked.block_len << 20,
            )
        except (tractor.RequestError, OSError) as error:
            print(f"tractor-spark: {error}", file=sys.stderr)
            return 2
        failed = captures.where("error is not null").select("capture", "error").collect()
        for it in failed:
            print(f"tractor-spark: {it.capture}: {it.error}", file=sys.stderr)
        total = captures.selectExpr("count(*) as n", "sum(flows) as flows", "sum(bytes) as bytes").first()
        print(f"{total.n} captures, {total.bytes or 0} bytes, {total.flows or 0} flows; {len(failed)} with errors")
        return 1 if failed else 0
    finally:
        spark.stop()


if __name__ == "__main__":
    sys.exit(main())
