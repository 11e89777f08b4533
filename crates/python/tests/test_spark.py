"""On Spark a folder of captures holds what it holds anywhere, whatever happens to the workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pyarrow
import pyarrow.parquet
import pytest
from cluster import LOOPBACK, Cluster, kill, session, wait_for

import tractor
from tractor import blocks

pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
GOOD = ["ethernet.pcap", "sample.pcapng", "gzip.pcap.gz", "tunnels.pcap", "ftp.pcap"]
BLOCK_LEN = 100_000
"""So long are the blocks of the capture that is read while a worker is lost, in bytes."""
BAD = ["not-a-capture.pcap", "empty.pcap", "cut-short.pcap"]


@pytest.fixture(scope="module")
def spark():
    spark = session("local[2]")
    yield spark
    spark.stop()


@pytest.fixture(scope="module")
def folder(captures, many, tmp_path_factory):
    folder = tmp_path_factory.mktemp("captures")
    (folder / "below").mkdir()
    for name in GOOD + BAD:
        shutil.copy(captures / name, folder / "below" / name)
    shutil.copy(many, folder / "many.pcap")
    (folder / "notes.txt").write_text("none")
    return folder


class Told:
    """A row with its columns as attributes."""

    def __init__(self, row):
        self.__dict__.update(row)


def expected(path, name: str, **how):
    """The rows of a capture as Spark should have them."""
    table = tractor.flows(path, known=True, **how).to_arrow()
    # Times are numbers there.
    is_time = pyarrow.types.is_timestamp
    columns = (it.cast(pyarrow.int64()) if is_time(it.type) else it for it in table.columns)
    rows = zip(*(it.to_pylist() for it in columns))
    return sorted(((name, *row[1:]) for row in rows), key=place)


def found(frame):
    rows = (tuple(row)[:-1] for row in frame.collect())
    return sorted(rows, key=place)


def place(row):
    """Capture, flow and piece."""
    return row[:2] + (row[33] or 0,)


@pytest.mark.filterwarnings("ignore::tractor.CaptureWarning")
@pytest.mark.parametrize("block_len", [1 << 30, 100_000, 9_000])
def test_flows_and_sessions_are_those_of_one_pass(spark, folder, block_len):
    import tractor.spark

    # Wherever it is cut, and whoever reads which part.
    cut = tractor.spark.read(spark, str(folder), block_len=block_len)
    rows = {}
    for row in found(cut.flows):
        rows.setdefault(row[0], []).append(row)
    paths = {"many.pcap": folder / "many.pcap", **{f"below/{it}": folder / "below" / it for it in GOOD + BAD[2:]}}
    assert set(rows) == set(paths)
    for name, path in paths.items():
        assert repr(rows[name]) == repr(expected(path, name)), name
    sessions = sorted(tuple(it)[:4] for it in cut.sessions.collect() if it.capture == "many.pcap")
    whole = tractor.sessions(folder / "many.pcap").to_arrow().to_pylist()
    assert sessions == sorted((it["capture"], it["session_id"], it["client_ip"], it["label"]) for it in whole)


def test_what_cannot_be_read_is_in_a_table(spark, folder):
    import tractor.spark

    captures = {it.capture: it for it in tractor.spark.read(spark, str(folder)).captures.collect()}
    assert len(captures) == 1 + len(GOOD + BAD)
    assert "E-NOT-A-CAPTURE" in captures["below/not-a-capture.pcap"].error
    assert "E-EMPTY" in captures["below/empty.pcap"].error
    # What was read of it counts.
    assert "E-CUT-SHORT" in captures["below/cut-short.pcap"].error and captures["below/cut-short.pcap"].flows == 6
    many = captures["many.pcap"]
    assert many.error is None and many.flows == 20_000 and many.bytes == (folder / "many.pcap").stat().st_size
    assert many.frames > many.frames_in_flows > 20_000
    assert json.loads(many.reading)["file_name"] == "many.pcap"


def test_globs_lists_and_addresses_name_captures(spark, folder):
    import tractor.spark

    names = lambda path: sorted(it.capture for it in tractor.spark.read(spark, path).captures.collect())
    assert names(str(folder / "below" / "e*.pcap")) == ["empty.pcap", "ethernet.pcap"]
    assert names(f"file://{folder}/below/ftp.pcap") == ["ftp.pcap"]
    assert names([str(folder / "many.pcap"), str(folder / "below" / "ftp.pcap")]) == ["ftp.pcap", "many.pcap"]
    with pytest.raises(FileNotFoundError):
        names(str(folder / "missing"))
    with pytest.raises(tractor.RequestError, match="there is no schema"):
        tractor.spark.flows(spark, str(folder), schema="mine")


def test_filters_and_schemas_are_those_of_everywhere(spark, folder):
    import tractor.spark

    path = folder / "below" / "sample.pcapng"
    for how in ({"schema": "cic", "timeout": 1}, {"schema": None, "filter": "label:dns"}):
        rows = found(tractor.spark.flows(spark, str(path), **how))
        assert repr(rows) == repr(expected(path, "sample.pcapng", **how)) and rows


def test_the_command_writes_parquet(folder, tmp_path):
    import duckdb

    program = os.path.join(os.path.dirname(sys.executable), "tractor-spark")
    out = tmp_path / "out"
    arguments = [program, "--master", "local[2]", str(folder), str(out)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env={**os.environ, "SPARK_LOCAL_IP": LOOPBACK})
    assert done.returncode == 1, done.stderr
    assert "9 captures" in done.stdout and "3 with errors" in done.stdout
    assert "E-NOT-A-CAPTURE" in done.stderr
    flows = duckdb.sql(f"select capture, count(*) from read_parquet('{out}/flows/*/*/*.parquet', hive_partitioning = true) group by 1")
    counts = dict(flows.fetchall())
    assert counts["many.pcap"] == 20_000 and counts["below/ftp.pcap"] == len(tractor.read(folder / "below" / "ftp.pcap"))
    told = duckdb.sql(f"select capture, report is null from '{out}/captures/*.parquet'").fetchall()
    assert len(told) == 9 and {it[0] for it in told if it[1]} == {"below/not-a-capture.pcap", "below/empty.pcap"}
    sessions = duckdb.sql(f"select count(*) from read_parquet('{out}/sessions/*/*.parquet', hive_partitioning = true)")
    assert sessions.fetchall()[0][0] > 100
    assert not (out / "_unfinished").exists()


@pytest.mark.filterwarnings("ignore::tractor.CaptureWarning")
@pytest.mark.parametrize("block_len", [None, 100_000])
def test_what_is_written_is_what_is_read(spark, folder, tmp_path, block_len):
    import tractor.spark

    name = "a capture = [of] 50 %, \"наш\".pcap"
    os.link(folder / "below" / "ftp.pcap", folder / name)
    try:
        # Twice: what was there goes.
        for _ in range(2):
            told = tractor.spark.write(spark, str(folder), str(tmp_path / "out"), block_len=block_len)
        read = tractor.spark.read(spark, str(folder))
        same = lambda it: sorted(repr(tuple(row)) for row in it.collect())
        captures = spark.read.parquet(str(tmp_path / "out" / "captures"))
        assert same(captures.select(read.captures.columns)) == same(read.captures)
        assert [it["capture"] for it in told.to_pylist()] == sorted(it.capture for it in captures.collect())
        for table in ("flows", "sessions"):
            wanted = getattr(read, table)
            text = "capture string, hour string" if table == "flows" else "capture string"
            # Spark would take an hour for a time.
            schema = f"{wanted.drop('capture', 'hour')._jdf.schema().toDDL()}, {text}"
            written = spark.read.schema(schema).parquet(str(tmp_path / "out" / table))
            assert same(written.select(wanted.columns)) == same(wanted)
    finally:
        os.unlink(folder / name)


TESTERS = os.environ.get("TRACTOR_CAPTURES")
"""Captures below a folder of the tester's."""


@pytest.mark.skipif(TESTERS is None, reason="TRACTOR_CAPTURES names no folder")
@pytest.mark.filterwarnings("ignore::tractor.CaptureWarning")
@pytest.mark.parametrize(("n_blocks", "blocks_of_share"), [(1, 1), (4, 4), (4, 1), (16, 16), (16, 5), (16, 1)])
def test_captures_of_the_tester_are_those_of_one_pass(spark, tmp_path, monkeypatch, n_blocks, blocks_of_share):
    """Row for row, in so many blocks of each capture, and shares."""
    import pyarrow.dataset

    import tractor.spark

    def cut(task, capture, _):
        return whole_cut(task, capture, max(-(-capture[2] // n_blocks), 1))

    def written(table, capture):
        folder = tmp_path / "out" / table / f"capture={tractor.spark._component(capture)}"
        return pyarrow.dataset.dataset(folder).to_table() if folder.exists() else None

    whole_cut = tractor.spark._cut
    monkeypatch.setattr(tractor.spark, "_cut", cut)
    monkeypatch.setattr(tractor.spark, "_BLOCKS_OF_SHARE", blocks_of_share)
    tractor.spark.write(spark, TESTERS, str(tmp_path / "out"), schema="tractor-full", block_len=1)
    n_captures, n_flows = 0, 0
    for it in map(Told, pyarrow.dataset.dataset(tmp_path / "out" / "captures").to_table().to_pylist()):
        n_captures += 1
        try:
            whole = tractor.read(it.path, name=it.capture)
        except tractor.CaptureError as error:
            assert it.error == str(error)
            continue
        assert json.loads(it.reading) == whole.reading, it.capture
        for name, table in (("flows", whole.flows("tractor-full", known=True)), ("sessions", whole.sessions())):
            table, found = table.to_arrow().drop_columns(["capture"]), written(name, it.capture)
            if found is None:
                assert table.num_rows == 0, it.capture
                continue
            # Times are numbers there.
            kind = lambda it: pyarrow.int64() if pyarrow.types.is_timestamp(it) else it
            table = table.cast(pyarrow.schema([(column.name, kind(column.type)) for column in table.schema]))
            table = table.sort_by(table.column_names[0]).rename_columns(found.column_names)
            found = found.sort_by(found.column_names[0])
            # Numbers that are none are not equal to each other.
            assert found.equals(table) or found.to_pandas().equals(table.to_pandas()), it.capture
        n_flows += len(whole)
    assert n_captures > 0
    print(f"{n_captures} captures, {n_flows} flows: equal in {n_blocks} blocks, {blocks_of_share} a share")


def test_flows_of_many_hours_are_in_many_files(spark, tmp_path):
    """More hours than are written at once, again and again."""
    import struct

    import tractor.spark

    frame = lambda n: bytes.fromhex("020000000002020000000001080045000020000000004011b6cac0000201c6336402") + struct.pack(">HHHH", 1024 + n, 9, 12, 0) + b"four"
    record = lambda n: struct.pack("<IIII", 1_700_000_000 + n % n_hours * 3_600, n, 46, 46) + frame(n)
    path, header = tmp_path / "hours.pcap", struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    for n_hours, n_folders, last in ((60, 60, "1.parquet"), (tractor.spark._MAX_HOURS + 50, tractor.spark._MAX_HOURS + 1, "0.parquet")):
        path.write_bytes(header + b"".join(record(n) for n in range(9_000)))
        (told,) = tractor.spark.write(spark, str(path), str(tmp_path / "out")).to_pylist()
        assert told["flows"] == 9_000 and told["error"] is None
        hours = list((tmp_path / "out" / "flows" / "capture=hours.pcap").iterdir())
        assert len(hours) == n_folders and (hours[0] / last).exists()
        assert spark.read.parquet(str(tmp_path / "out" / "flows")).count() == 9_000


def test_what_another_attempt_left_goes(tmp_path):
    """Whoever does it again may find less, or fail half-way."""
    import tractor.spark

    def batch(hours):
        return pyarrow.record_batch({"capture": ["a"] * len(hours), "flow_id": range(len(hours)), "hour": hours})

    def attempt(hours, error=None):
        with tractor.spark._Files(str(tmp_path), "a") as files:
            if hours:
                files.write("flow", batch(hours))
            if error is not None:
                raise error
            files.tell({"capture": "a", "flows": len(hours)})

    files = lambda: sorted(str(it.relative_to(tmp_path)) for it in tmp_path.rglob("*.parquet"))
    row = "captures/a.parquet"
    attempt(["00", "01", "00"])
    assert files() == [row, "flows/capture=a/hour=00/0.parquet", "flows/capture=a/hour=01/0.parquet"]
    with pytest.raises(KeyError):
        attempt(["02"], KeyError())
    assert files() == [row, "flows/capture=a/hour=00/0.parquet", "flows/capture=a/hour=01/0.parquet"]
    attempt(["01"])
    assert files() == [row, "flows/capture=a/hour=01/0.parquet"]
    attempt([])
    assert files() == [row]
    assert not list((tmp_path / "_unfinished").iterdir())


def test_blocks_of_two_readings_are_not_put_together():
    import tractor.spark

    part = {"capture": "a", "path": "a", "address": None, "size": 1, "mark": "one", "kind": "account", "bytes": b"", "block": 0}
    others = [{**part, "mark": "other"}]
    (failed,) = tractor.spark._reduce(iter([{**part, "bytes": b""}, *others]), None)
    assert failed["kind"] == "error" and b"gathered twice" in failed["bytes"]


def test_captures_that_would_go_are_not_written_over(spark, folder, tmp_path):
    import tractor.spark

    inside = tmp_path / "out" / "captures"
    shutil.copytree(folder / "below", inside)
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for path in (inside, tmp_path / "link" / "captures", f"file://{inside}"):
        with pytest.raises(tractor.RequestError, match="would go"):
            tractor.spark.write(spark, str(path), str(tmp_path / "out"))
    with pytest.raises(tractor.RequestError, match="at least a byte"):
        tractor.spark.write(spark, str(folder), str(tmp_path / "out"), block_len=0)
    with pytest.raises(tractor.RequestError, match="whole captures"):
        tractor.spark.flows(spark, str(folder), block_len=100)
    assert (inside / "ftp.pcap").exists()


@pytest.mark.filterwarnings("ignore::tractor.CaptureWarning")
def test_odd_names_are_names(spark, captures, tmp_path):
    """Also below an address, and longer than a file's name may be with what is added to it."""
    import tractor.spark

    names = ["a b.pcap", "_under.pcap", "p%41.pcap", "h#x.pcap", "o[x].pcap", f"{'long' * 60}.pcap", f"{'ж' * 110}.pcap"]
    (tmp_path / "in").mkdir()
    for it in names:
        shutil.copy(captures / "ftp.pcap", tmp_path / "in" / it)
    for path, block_len in ((str(tmp_path / "in"), None), (f"file://{tmp_path}/in", None), (f"file://{tmp_path}/in", 2_000)):
        out = tmp_path / "out [of] {it}"
        told = tractor.spark.write(spark, path, str(out), block_len=block_len).to_pylist()
        assert {it["capture"]: (it["error"], it["flows"]) for it in told} == {it: (None, told[0]["flows"]) for it in names}
        assert len(list((out / "captures").iterdir())) == len(list((out / "flows").iterdir())) == len(names)
        n_flows = sum(it.num_rows for it in map(pyarrow.parquet.read_metadata, (out / "flows").rglob("*.parquet")))
        assert n_flows == len(names) * told[0]["flows"] > 0
        assert not [it for it in out.rglob("*") if it.name[0] in "._"]


def test_a_lost_worker_changes_nothing(folder, many, tmp_path):
    """Two workers, of which one is killed while it works."""
    program = [sys.executable, "-c", CLUSTER_JOB]
    cluster = Cluster(tmp_path)
    try:
        environment = {**cluster.environment, "MASTER": cluster.address, "FOLDER": str(folder), "BEGUN": str(tmp_path / "begun"), "BLOCK_LEN": str(BLOCK_LEN)}
        job = subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        lost = []

        def kill_one() -> None:
            wait_for(lambda: len(list((tmp_path / "begun").glob("*"))) >= 3)
            assert job.poll() is None
            kill(cluster.workers[0])
            lost.append(cluster.workers[0].returncode)

        (tmp_path / "begun").mkdir()
        killer = threading.Thread(target=kill_one)
        killer.start()
        out, errors = job.communicate(timeout=180)
        killer.join()
        assert job.returncode == 0, errors[-3000:]
    finally:
        cluster.stop()
    assert lost == [-signal.SIGKILL]
    # What it had begun was begun again.
    assert len(list((tmp_path / "begun").glob("*"))) > len(blocks.blocks(many.stat().st_size, BLOCK_LEN))
    rows = [tuple(it) for it in json.loads(out.splitlines()[-1])]
    whole = expected(many, "many.pcap")
    assert [it[:8] for it in rows] == [it[:8] for it in whole]


CLUSTER_JOB = """
import json, os, sys, time, uuid
sys.path.insert(0, os.getcwd() + "/crates/python/tests")
from cluster import session
import tractor.spark, tractor.blocks

spark = session(os.environ["MASTER"])
begun = os.environ["BEGUN"]
whole = tractor.spark._map

def slow(block, how):
    # So that there is something to lose.
    open(os.path.join(begun, uuid.uuid4().hex), "w").close()
    time.sleep(0.3)
    yield from whole(block, how)

tractor.spark._map = slow
path = os.environ["FOLDER"] + "/many.pcap"
out = os.environ["FOLDER"] + "-written"
tractor.spark.write(spark, path, out, block_len=int(os.environ["BLOCK_LEN"]))
flows = spark.read.parquet(out + "/flows").collect()
rows = sorted(("many.pcap", *tuple(it)[:7]) for it in flows)
print(json.dumps(rows))
"""
