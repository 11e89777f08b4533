"""Captures on a cluster: Apache Spark deals them to its workers, the engine reads each there.

    >>> found = tractor.spark.read(spark, "/captures")        # also a glob, a list, s3://…, hdfs://…
    >>> found.flows.groupBy("label").count().show()
    >>> found.captures.where("error is not null").show()      # what could not be read, and why

or as a command, `tractor-spark IN OUT`, which writes Parquet. What a capture holds is what the same engine finds anywhere: a
worker that is lost changes nothing, for its captures are read again.

Captures are read where a worker reaches them: from a folder all of them share, or from what pyarrow opens by its address.
Each is read whole by one task, many small ones by the same; a long one may be mapped in blocks by many (`tractor.blocks`). A task needs
memory for the flows of a capture, some 400 bytes each and 4 for a packet, not for its bytes.
"""

from __future__ import annotations

import argparse
import fnmatch
import itertools
import json
import os
import posixpath
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.compute
import pyarrow.fs

import tractor

from . import blocks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Found", "flows", "main", "read"]

_TASK_LEN = 64 << 20
"""Small captures are read by one task until they have so many bytes together."""

_BLOCK = pyarrow.schema(
    [
        pyarrow.field("task", pyarrow.int32()),
        pyarrow.field("capture", pyarrow.string()),
        pyarrow.field("path", pyarrow.string()),
        pyarrow.field("size", pyarrow.int64()),
        pyarrow.field("block", pyarrow.int32()),
        pyarrow.field("n_blocks", pyarrow.int32()),
        pyarrow.field("start", pyarrow.int64()),
        pyarrow.field("stop", pyarrow.int64()),
        pyarrow.field("mapped", pyarrow.binary()),
    ]
)
"""A block of a capture; `mapped` is what travels to who reduces."""

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


@dataclass(frozen=True)
class Found:
    """What the captures hold, as tables that are computed when they are asked for.

    All are of one reading: `persist` keeps it, for who asks for more than one.
    """

    all: DataFrame
    """A column for each table; all but one of them are null in a row."""

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

        return Found(self.all.persist(StorageLevel.DISK_ONLY))

    def unpersist(self) -> Found:
        """Lets go of what was kept."""
        return Found(self.all.unpersist())


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
    not packed is mapped in blocks of that length, each by a task of its own, and reduced by one; without it each capture is read by one
    task, which takes less of the processor: see docs/cluster.md.
    """
    listed = _listed(path)
    how = tractor._how(by_vlan, by_tunnel, checksums, rules, threads)
    wanted = (schema, True, tractor._timeout(timeout), filter)
    # What makes no sense is refused here, and not by every worker.
    flow = _flow_schema(pyarrow.schema(tractor._tractor.table([], how, "flows", wanted)))
    session = _plain(pyarrow.schema(tractor._tractor.table([], how, "sessions", wanted)))
    tables = {"flow": flow, "session": session, "capture": _READING}
    rows = pyarrow.schema([pyarrow.field(name, pyarrow.struct(list(it))) for name, it in tables.items()])

    def map_blocks(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for batch in batches:
            for it in batch.to_pylist():
                it["mapped"] = _map(it, how)
                yield pyarrow.RecordBatch.from_pylist([it], _BLOCK)

    def reduce_blocks(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        # Those of a capture follow each other; whoever holds one after another needs memory for one.
        blocks_of = (it for batch in batches for at in range(batch.num_rows) for it in batch.slice(at, 1).to_pylist())
        for _, of_capture in itertools.groupby(blocks_of, lambda it: it["capture"]):
            yield from _reduce(of_capture, how, wanted, rows)

    from pyspark.sql.pandas.types import from_arrow_schema

    tasks = _tasks(listed)
    blocks_ = [it for task in _cut(tasks, block_len) for it in task]
    # Blocks that are cut are dealt one by one, captures that are read whole by their tasks.
    n_cut = sum(it["n_blocks"] > 1 for it in blocks_)
    block = from_arrow_schema(_BLOCK)
    dealt = spark.createDataFrame([tuple(it[name] for name in _BLOCK.names) for it in blocks_], block)
    if n_cut:
        cut = dealt.where("n_blocks > 1").repartitionByRange(n_cut, "task", "block")
        dealt = cut.mapInArrow(map_blocks, block).unionAll(dealt.where("n_blocks = 1"))
    dealt = dealt.repartitionByRange(max(len(tasks), 1), "task").sortWithinPartitions("task", "capture", "block")
    return Found(dealt.mapInArrow(reduce_blocks, from_arrow_schema(rows)))


def flows(spark: SparkSession, path: str | Iterable[str], schema: str | None = "tractor", **how: Any) -> DataFrame:
    """The flows of captures; see `read`, which tells of those that could not be read too."""
    return read(spark, path, schema, **how).flows


def write(found: Found, out: str) -> None:
    """Writes what was found as Parquet below a folder: `flows`, by capture and hour, `sessions` and `captures`."""
    kept = found.persist()
    try:
        # A capture is with one task: nothing has to travel.
        flows = kept.flows.sortWithinPartitions("capture", "hour", "flow_id")
        flows.write.mode("overwrite").partitionBy("capture", "hour").parquet(posixpath.join(out, "flows"))
        kept.sessions.coalesce(8).write.mode("overwrite").parquet(posixpath.join(out, "sessions"))
        kept.captures.coalesce(1).write.mode("overwrite").parquet(posixpath.join(out, "captures"))
    finally:
        kept.unpersist()


def _cut(tasks: list[list[tuple[str, str, int]]], block_len: int | None) -> Iterator[list[dict[str, Any]]]:
    """The captures of each task in blocks; one of a capture that is read whole."""
    for number, task in enumerate(tasks):
        of_task = []
        for name, path, size in task:
            is_cut = block_len is not None and size > block_len and blocks.can_cut(_at(path)(0, 4))
            cuts = blocks.blocks(size, block_len) if is_cut else [(0, size)]
            for at, (start, stop) in enumerate(cuts):
                place = {"block": at, "n_blocks": len(cuts), "start": start, "stop": stop, "mapped": None}
                of_task.append({"task": number, "capture": name, "path": path, "size": size, **place})
        yield of_task


def _map(block: dict[str, Any], how: Any) -> bytes | None:
    read, start, stop = _at(block["path"]), block["start"], block["stop"]
    try:
        header = read(0, blocks.HEADER_LEN)
        return blocks.map(header, read(start, stop - start + blocks.BEHIND), start, stop, block["size"], how=how)
    except OSError:
        # Who reduces tries again, and tells.
        return None


def _reduce(
    of_capture: Iterator[dict[str, Any]], how: Any, wanted: Any, rows: pyarrow.Schema
) -> Iterator[pyarrow.RecordBatch]:
    """The rows of a capture, then what is to be told of it."""
    first = next(of_capture)
    name, path, size = first["capture"], first["path"], first["size"]
    told: dict[str, Any] = {"capture": name, "path": path, "bytes": size}
    try:
        with warnings.catch_warnings():
            # They are in what is told.
            warnings.simplefilter("ignore", tractor.CaptureWarning)
            if first["n_blocks"] == 1:
                capture = _whole(path, name, how)
            else:
                read = _at(path)
                mapped = (((it["start"], it["stop"]), it["mapped"]) for it in itertools.chain([first], of_capture))
                header = read(0, blocks.HEADER_LEN)
                capture = blocks.reduce(name, header, size, mapped, read, how=how)._inner
    except (tractor.CaptureError, OSError) as error:
        told["error"] = str(error)
    else:
        for table, what in (("flow", "flows"), ("session", "sessions")):
            stream = pyarrow.RecordBatchReader.from_stream(capture.table(what, wanted))
            for batch in stream:
                yield _row(rows, table, _flow_batch(batch) if table == "flow" else _plain_batch(batch))
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
    yield _row(rows, "capture", pyarrow.RecordBatch.from_pylist([told], _READING))


def _row(rows: pyarrow.Schema, table: str, batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    """Rows of one table, among the columns of all."""
    found = pyarrow.StructArray.from_arrays(batch.columns, fields=list(rows.field(table).type))
    columns = [found if it.name == table else pyarrow.nulls(batch.num_rows, it.type) for it in rows]
    return pyarrow.RecordBatch.from_arrays(columns, schema=rows)


def _plain(schema: pyarrow.Schema) -> pyarrow.Schema:
    """Spark's times have no nanoseconds: they are numbers. Any column may be null there."""
    kind = lambda it: pyarrow.int64() if pyarrow.types.is_timestamp(it.type) else it.type
    return pyarrow.schema([pyarrow.field(it.name, kind(it)) for it in schema])


def _plain_batch(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    return batch.cast(_plain(batch.schema))


def _flow_schema(schema: pyarrow.Schema) -> pyarrow.Schema:
    fields = list(_plain(schema))
    # Names in Spark have no case: of columns that are one then, the later ones are numbered.
    seen: dict[str, int] = {}
    for at, field in enumerate(fields):
        name = field.name.lower()
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            fields[at] = field.with_name(f"{field.name}_{seen[name]}")
    return pyarrow.schema([*fields, pyarrow.field("hour", pyarrow.string())])


def _flow_batch(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    starts = batch.column("time_start_ns").cast(pyarrow.timestamp("s", "UTC"), safe=False)
    hours = pyarrow.compute.strftime(starts, "%Y-%m-%dT%H")
    columns = [*_plain_batch(batch).columns, hours]
    return pyarrow.RecordBatch.from_arrays(columns, schema=_flow_schema(batch.schema))


def _whole(path: str, name: str, how: Any) -> Any:
    if "://" not in path:
        return tractor._tractor.read(path, name, how)
    system, inside = pyarrow.fs.FileSystem.from_uri(path)
    with system.open_input_stream(inside, compression=None) as source:
        return tractor._tractor.read(source, name, how)


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
    system, inside = (
        pyarrow.fs.FileSystem.from_uri(path) if scheme else (pyarrow.fs.LocalFileSystem(), os.path.abspath(path))
    )
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
    parser.add_argument("out", metavar="OUT", help="the folder, or address, that is written; what it had goes")
    parser.add_argument("--schema", default="tractor", help="the features of each flow, none for none (default: tractor)")
    parser.add_argument("--timeout", help="cut flows: seconds, idle:SECONDS, published:SECONDS or zeek")
    parser.add_argument("--filter", help="only flows that pass")
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
            found = read(spark, asked.captures, schema, asked.timeout, asked.filter, threads=threads)
        except (tractor.RequestError, OSError) as error:
            print(f"tractor-spark: {error}", file=sys.stderr)
            return 2
        write(found, asked.out)
        captures = spark.read.parquet(posixpath.join(asked.out, "captures"))
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
