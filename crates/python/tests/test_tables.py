"""Tables are those of the command line, and whoever reads Arrow reads them."""

from __future__ import annotations

import io
import re
import warnings

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

import tractor

WHOLE = ["sample.pcapng", "ftp.pcap", "tunnels.pcap", "mixed.pcapng", "gzip.pcap.gz", "header-only.pcap"]
DAMAGED = ["cut-short.pcap", "trouble.pcap", "hole.pcap"]


def parquet(run, *arguments: object) -> pyarrow.Table:
    return pyarrow.parquet.read_table(io.BytesIO(run("flows", *arguments, "--format", "parquet")))


def same(ours: pyarrow.Table, theirs: pyarrow.Table) -> None:
    ours = ours.drop_columns(["capture"])
    assert ours.column_names == theirs.column_names
    for name in ours.column_names:
        # Numbers that are none are not equal to each other.
        assert repr(ours[name].to_pylist()) == repr(theirs[name].to_pylist()), name


@pytest.mark.parametrize("name", WHOLE + DAMAGED)
@pytest.mark.parametrize("schema", [None, *tractor.SCHEMAS])
@pytest.mark.filterwarnings("ignore::tractor.CaptureWarning")
def test_a_table_is_what_the_command_line_writes(captures, tractor_command, name, schema):
    arguments = [] if schema is None else ["--schema", schema]
    theirs = parquet(tractor_command, captures / name, *arguments)
    same(tractor.flows(captures / name, schema=schema).to_arrow(), theirs)


def test_filters_and_timeouts_are_those_of_the_command_line(sample, tractor_command):
    theirs = parquet(tractor_command, sample, "--filter", "label:dns or bytes > 1kB", "--timeout", "1")
    assert 0 < theirs.num_rows < len(tractor.read(sample)) * 10
    same(tractor.flows(sample, None, 1, "label:dns or bytes > 1kB").to_arrow(), theirs)
    theirs = parquet(tractor_command, sample, "--timeout", "idle:0.5")
    same(tractor.flows(sample, None, timeout="idle:0.5").to_arrow(), theirs)


def test_what_is_known_stands_before_the_features(sample):
    both = tractor.flows(sample, "cic", 1, known=True).to_arrow()
    known = tractor.flows(sample, None, 1).to_arrow()
    features = tractor.flows(sample, "cic", 1).to_arrow().drop_columns(["capture"])
    assert both.column_names == known.column_names + features.column_names
    columns = [*known.columns, *features.columns]
    assert [repr(it.to_pylist()) for it in both.columns] == [repr(it.to_pylist()) for it in columns]
    with pytest.raises(tractor.RequestError, match="are of sessions"):
        tractor.flows(sample, "session", known=True)


def test_threads_and_sources_never_show(sample):
    expected = tractor.flows(sample, schema=None).to_arrow().drop_columns(["capture"])
    content = sample.read_bytes()
    with open(sample, "rb") as file:
        sources = [str(sample), content, bytearray(content), memoryview(content), io.BytesIO(content), file]
        for source in sources:
            for threads in (1, 3):
                if hasattr(source, "seek"):
                    source.seek(0)
                found = tractor.flows(source, None, threads=threads).to_arrow()
                assert found.drop_columns(["capture"]).equals(expected)


def test_several_captures_are_one_table(captures, sample):
    names = ["ftp.pcap", "sample.pcapng"]
    together = tractor.flows([captures / it for it in names], None).to_arrow()
    apart = [tractor.flows(captures / it, None).to_arrow() for it in names]
    assert together.to_pylist() == apart[0].to_pylist() + apart[1].to_pylist()
    assert set(together["capture"].to_pylist()) == set(names)


def test_a_folder_is_its_captures(captures, tmp_path):
    for name in ("one/ftp.pcap", "two/ftp.pcap", "gzip.pcap.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((captures / name.split("/")[-1]).read_bytes())
    (tmp_path / "notes.txt").write_text("none")
    names = lambda source: sorted(set(tractor.labels(source).to_arrow()["capture"].to_pylist()))
    assert names(tmp_path) == ["gzip.pcap.gz", "one/ftp.pcap", "two/ftp.pcap"]
    # Of one name the paths.
    paths = [tmp_path / "one" / "ftp.pcap", tmp_path / "two" / "ftp.pcap"]
    assert names([*paths, tmp_path / "gzip.pcap.gz"]) == sorted(["gzip.pcap.gz", *map(str, paths)])


def test_pandas_polars_and_duckdb_read_it(sample):
    capture = tractor.read(sample)
    rows = capture.flows(schema=None)
    n_flows = len(capture)
    assert pyarrow.table(rows).num_rows == n_flows
    assert rows.to_pandas().shape == pandas.DataFrame.from_arrow(rows).shape
    frame = polars.DataFrame(rows)
    assert frame.height == n_flows
    assert frame["time_start_ns"].dtype == polars.Datetime("ns", "UTC")
    counted = duckdb.sql("select label, count(*) as n from rows group by label").fetchall()
    assert sum(n for _, n in counted) == n_flows
    flows_of = dict(zip(*(capture.labels().to_arrow()[it].to_pylist() for it in ("label", "flows"))))
    assert dict(counted) == flows_of
    # Again, for it is made anew each time.
    assert pyarrow.table(rows).num_rows == n_flows


def test_sessions_are_those_of_the_command_line(sample, tractor_command):
    import json

    lines = tractor_command("sessions", sample, "--format", "jsonl").splitlines()
    theirs = [json.loads(it) for it in lines]
    ours = tractor.sessions(sample).to_arrow().to_pylist()
    assert len(ours) == len(theirs) > 3
    for mine, line in zip(ours, theirs):
        for key in ("session_id", "client_ip", "label", "flows", "bytes"):
            assert mine[key] == line[key]
        assert mine["kinds"] == "; ".join(line["kinds"])


def test_batches_come_one_after_another(many):
    reader = tractor.flows(many).to_batches()
    sizes = [batch.num_rows for batch in reader]
    assert sum(sizes) == 20_000 and len(sizes) > 2


def test_what_is_no_capture_is_an_exception(captures, tmp_path):
    with pytest.raises(tractor.CaptureError) as raised:
        tractor.read(captures / "not-a-capture.pcap")
    assert raised.value.code == "E-NOT-A-CAPTURE"
    assert raised.value.name == "not-a-capture.pcap" and "not-a-capture.pcap" in str(raised.value)
    with pytest.raises(FileNotFoundError) as missing:
        tractor.read(tmp_path / "missing.pcap")
    assert str(missing.value.filename) == str(tmp_path / "missing.pcap")
    with pytest.raises(tractor.RequestError, match="path, bytes or an object"):
        tractor.read(7)


def test_what_is_wrong_with_one_of_several_is_said(captures):
    table = tractor.flows([captures / "ftp.pcap", captures / "not-a-capture.pcap"])
    with pytest.raises(Exception, match="not-a-capture.pcap: E-NOT-A-CAPTURE"):
        table.to_arrow()


def test_what_is_damaged_is_warned_of(captures):
    with pytest.warns(tractor.CaptureWarning, match=r"cut-short\.pcap: E-CUT-SHORT"):
        capture = tractor.read(captures / "cut-short.pcap")
    assert len(capture) > 0
    codes = [it["code"] for it in capture.reading["notices"]]
    assert "E-CUT-SHORT" in codes


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"schema": "mine"}, 42200, "there is no schema `mine`; there are tractor,"),
        ({"filter": "bytes >"}, 42201, "a value is missing"),
        ({"filter": "country:no"}, 42201, "database"),
        ({"timeout": "soon"}, 42200, "`soon` is no timeout"),
        ({"timeout": -1}, 42200, "no timeout"),
    ],
)
def test_what_makes_no_sense_is_refused(sample, arguments, code, message):
    with pytest.raises(tractor.RequestError, match=re.escape(message)) as raised:
        tractor.flows(sample, **arguments)
    assert raised.value.code == code and isinstance(raised.value, ValueError)


def test_an_object_that_fails_is_an_exception():
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise RuntimeError("it is gone")

    with pytest.raises(Exception, match="it is gone"):
        tractor.read(Broken())


def test_own_rules_name_flows(sample, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nlabel = "mine"\nnames = ["example"]\nports = ["1-65535"]\n')
    labels = tractor.labels(sample, rules=rules).to_arrow()["label"].to_pylist()
    assert "mine" in labels
    rules.write_text("[[rule]]\nnonsense = 1\n")
    with pytest.raises(tractor.RequestError):
        tractor.labels(sample, rules=rules)


def test_columns_are_told():
    for schema in tractor.SCHEMAS:
        told = tractor.columns(schema)
        assert all(it["name"] and it["what"] for it in told)
    assert {"name": "duration", "what": "From the first to the last packet", "unit": "µs"} in tractor.columns()


def test_an_interrupt_ends_the_reading():
    """A capture without an end, and a signal after a moment."""
    import signal
    import threading
    import _thread

    class Endless:
        name = "endless.pcap"

        def __init__(self, header: bytes, record: bytes) -> None:
            self.rest, self.record = header, record * 1000

        def read(self, size: int) -> bytes:
            given, self.rest = self.rest[:size], self.rest[size:] or self.record
            return given

    header = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000")
    frame = bytes(60)
    length = len(frame).to_bytes(4, "little")
    endless = Endless(header, (1_700_000_000).to_bytes(4, "little") + bytes(4) + length + length + frame)
    assert threading.current_thread() is threading.main_thread()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        tractor.read(endless)
    timer.join()


def test_the_lock_is_let_go(sample):
    """Another thread goes on while a capture is read from an object that waits."""
    import threading

    gate, content = threading.Event(), sample.read_bytes()

    class Waiting(io.BytesIO):
        def read(self, size=-1):
            assert gate.wait(30)
            return super().read(size)

    found = []
    reading = threading.Thread(target=lambda: found.append(len(tractor.read(Waiting(content)))))
    reading.start()
    gate.set()
    reading.join(30)
    assert found == [len(tractor.read(content))]


def test_warnings_can_be_errors(captures):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(tractor.CaptureWarning):
            tractor.read(captures / "cut-short.pcap")


@pytest.fixture(scope="module")
def parts(many, tmp_path_factory):
    """The same in three files, whose names tell another order than their times."""
    content = many.read_bytes()
    ends, at = [], 24
    while at < len(content):
        at += 16 + int.from_bytes(content[at + 8 : at + 12], "little")
        ends.append(at)
    cuts = [24, ends[len(ends) // 3], ends[len(ends) // 2], len(content)]
    folder = tmp_path_factory.mktemp("parts")
    for name, start, stop in zip("bca", cuts, cuts[1:]):
        (folder / f"{name}.pcap").write_bytes(content[:24] + content[start:stop])
    return folder


def test_files_of_one_recorder_are_one_capture(many, parts, tractor_command):
    found = tractor.read_as_one(parts)
    assert found.name == "b.pcap + c.pcap + a.pcap"
    same(found.flows(None).to_arrow(), tractor.flows(many, None).to_arrow().drop_columns(["capture"]))
    theirs = parquet(tractor_command, "--as-one", *sorted(parts.iterdir()), "--schema", "tractor")
    same(found.flows().to_arrow(), theirs)
    # What has no path comes in the order it is given in.
    opened = [io.BytesIO((parts / f"{it}.pcap").read_bytes()) for it in "bca"]
    same(tractor.read_as_one(opened).flows().to_arrow(), theirs)


def test_files_that_cannot_be_read_as_one_are_told(parts, captures, tmp_path):
    with pytest.raises(tractor.RequestError, match="no file"):
        tractor.read_as_one([])
    with pytest.raises(FileNotFoundError):
        tractor.read_as_one([parts / "a.pcap", tmp_path / "missing.pcap"])
    with pytest.warns(tractor.CaptureWarning, match="not-a-capture"):
        found = tractor.read_as_one([parts / "a.pcap", captures / "not-a-capture.pcap"])
    assert len(found) > 0
