"""Network captures (pcap, pcapng, also packed) as tables of flows, features, labels and sessions.

    >>> import tractor, pyarrow
    >>> flows = pyarrow.table(tractor.flows("day.pcap"))

A capture is a path, bytes, or an object with a method `read`; a list of them gives one table. Tables are Arrow streams:
`pyarrow.table`, `polars.DataFrame`, `pandas.DataFrame.from_arrow` and DuckDB take them without a copy. Rows are made when they
are taken, on all cores, without the interpreter's lock.

Times are in UTC and nanoseconds, sizes in bytes, durations in the unit a column's description names: see `columns`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Union

from . import _tractor
from .errors import CaptureError, CaptureWarning, Error, RequestError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__version__: str = _tractor.__version__
SCHEMAS: list[str] = _tractor.SCHEMAS
"""The names of all schemas of features; docs/features.md says what they are for."""

Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Any]
"""A capture: a path, bytes, or an object with a method `read`."""
Labels = Union[str, "os.PathLike[str]", Mapping[Any, str]]
"""Where the labels to learn come from: see `Model.train`."""

__all__ = [
    "SCHEMAS",
    "Capture",
    "CaptureError",
    "CaptureWarning",
    "Error",
    "Model",
    "RequestError",
    "Table",
    "columns",
    "flows",
    "labels",
    "read",
    "read_as_one",
    "sessions",
]

_SUFFIXES = (".pcap", ".pcapng", ".cap", ".dmp", ".ntar")
_PACKED = (".gz", ".zst", ".zip", ".tar", ".tgz")


class Table:
    """Rows on their way, as often as they are wanted: an object with the Arrow C stream interface.

    Of several captures each is read when its turn comes, so that only one is in memory.
    """

    def __init__(self, inner: _tractor.Table) -> None:
        self._inner = inner

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._inner.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._inner.__arrow_c_schema__()

    @property
    def column_names(self) -> list[str]:
        """The names of the columns; the first is `capture`, the capture's name."""
        return self._inner.column_names

    def to_batches(self) -> pyarrow.RecordBatchReader:
        """A reader of record batches of some thousands of rows, made one after another as they are read."""
        import pyarrow

        return pyarrow.RecordBatchReader.from_stream(self)

    def to_arrow(self) -> pyarrow.Table:
        """The table of pyarrow."""
        return self.to_batches().read_all()

    def to_pandas(self) -> pandas.DataFrame:
        """The table of pandas, by pyarrow."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """The table of Polars."""
        import polars

        return polars.DataFrame(self)


class Capture:
    """A capture that was read: ask it for as many tables as you like."""

    def __init__(self, inner: _tractor.Capture) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """What it is called: its file's name, unless another was given."""
        return self._inner.name

    @property
    def reading(self) -> dict[str, Any]:
        """What was read and what was not: every frame in one place, and notices with their codes."""
        return json.loads(self._inner.reading())

    def __len__(self) -> int:
        """How many flows it has."""
        return len(self._inner)

    def __repr__(self) -> str:
        return f"<tractor.Capture {self.name!r}: {len(self)} flows>"

    def flows(
        self,
        schema: str | None = "tractor",
        timeout: float | str | None = None,
        filter: str | None = None,
        *,
        known: bool = False,
    ) -> Table:
        """Its flows, a row each; see `tractor.flows`."""
        return Table(self._inner.table("flows", (schema, known, _timeout(timeout), filter)))

    def sessions(self, filter: str | None = None) -> Table:
        """Its sessions, a row each; see `tractor.sessions`."""
        return Table(self._inner.table("sessions", (None, False, None, filter)))

    def labels(self, filter: str | None = None) -> Table:
        """Its labels, a row each; see `tractor.labels`."""
        return Table(self._inner.table("labels", (None, False, None, filter)))


def read(
    source: Source,
    *,
    name: str | None = None,
    by_vlan: bool = False,
    by_tunnel: bool = False,
    checksums: bool = False,
    rules: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> Capture:
    """Reads a capture to its end, on all cores or so many `threads`; how many never shows in what is found.

    `by_vlan` and `by_tunnel` keep flows apart by VLAN and by tunnel, `checksums` leaves out packets whose checksum is wrong,
    and `rules` is a file of rules of your own (docs/rules.md).

    Raises `CaptureError` where not a single frame can be read, `OSError` where the file cannot. What is damaged is read as far
    as it goes: a `CaptureWarning` says so, and `Capture.reading` what and where.
    """
    how = _how(by_vlan, by_tunnel, checksums, rules, threads)
    return Capture(_tractor.read(source, name, how))


def read_as_one(
    sources: Source | Iterable[Source],
    *,
    by_vlan: bool = False,
    by_tunnel: bool = False,
    checksums: bool = False,
    rules: str | os.PathLike[str] | None = None,
) -> Capture:
    """Reads several files as one capture, as a recorder wrote one after the other (`tcpdump -C`, `-G`): flows that go on from file to
    file are one.

    Files with paths, or those of a folder, are put in the order of their first times; where one has no path, all are taken as they come.
    They are read on one thread. The rest is as of `read`; what is wrong with a file names it.
    """
    return Capture(_tractor.read_as_one(_sources(sources), _how(by_vlan, by_tunnel, checksums, rules, 1)))


def flows(
    source: Source | Iterable[Source],
    schema: str | None = "tractor",
    timeout: float | str | None = None,
    filter: str | None = None,
    *,
    known: bool = False,
    by_vlan: bool = False,
    by_tunnel: bool = False,
    checksums: bool = False,
    rules: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> Table:
    """The flows of a capture, or of captures one after another, a row each in order of their first packets.

    `schema` names the features a row consists of (`SCHEMAS`, `columns`); None gives what is known of the flow instead: ends,
    times, sizes, label and why it has it; with `known` that comes before the features. `timeout` cuts flows: so many seconds from the first packet, or as text `idle:60`,
    `published:15`, `zeek` (docs/features.md). `filter` lets only some through (docs/filter.md): `label:vk bytes > 1MB`.

    The rest is as of `read`.
    """
    how = _how(by_vlan, by_tunnel, checksums, rules, threads)
    return _table(source, how, "flows", (schema, known, _timeout(timeout), filter))


def sessions(
    source: Source | Iterable[Source],
    filter: str | None = None,
    *,
    by_vlan: bool = False,
    by_tunnel: bool = False,
    checksums: bool = False,
    rules: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> Table:
    """The sessions of captures: the flows one application opened together, those of most flows first.

    A row has the host that opened it (`client_ip`), the label and group of most of its bytes, its name, `flows`, frame
    `bytes`, its times, and `kinds`, what ties its flows. With a filter those of which a flow passes, whole. Which session a
    flow is of says its `session_id` in `flows(..., schema=None)`; features of sessions are `flows(..., schema="session")`.
    """
    how = _how(by_vlan, by_tunnel, checksums, rules, threads)
    return _table(source, how, "sessions", (None, False, None, filter))


def labels(
    source: Source | Iterable[Source],
    filter: str | None = None,
    *,
    by_vlan: bool = False,
    by_tunnel: bool = False,
    checksums: bool = False,
    rules: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> Table:
    """The labels of captures, those of most bytes first: how many `flows`, `packets` and frame `bytes` have each."""
    how = _how(by_vlan, by_tunnel, checksums, rules, threads)
    return _table(source, how, "labels", (None, False, None, filter))


def columns(schema: str = "tractor") -> list[dict[str, str]]:
    """The columns of a schema: `name`, what it is in words (`what`), and its `unit`, empty of what has none."""
    return [dict(zip(("name", "what", "unit"), it)) for it in _tractor.columns(schema)]


class Model:
    """A classifier of flows, learned from captures: the same file everywhere, in the browser and on the command line too."""

    def __init__(
        self, inner: _tractor.Model, report: dict[str, Any] | None = None, threshold: float = 0.5
    ) -> None:
        self._inner, self._threshold = inner, threshold
        self.report = report
        """How well it did where it was judged while it was trained: figures by class, confusion, calibration; else None."""

    @classmethod
    def train(
        cls,
        sources: Iterable[Source] | Mapping[Any, Source],
        labels: Labels = "file",
        *,
        schema: str = "tractor",
        timeout: float | None = None,
        filter: str | None = None,
        method: str = "boosted",
        name: str = "model",
        numbers: Mapping[str, int] | None = None,
        balanced: bool = False,
        unique: bool = False,
        seed: int = 1,
        split: str | None = None,
        folds: int = 5,
        threads: int | None = None,
    ) -> Model:
        """Learns from the flows of captures.

        `labels` says what they are: `file` and `folder`, the name of the capture's file or folder; `comment`, what the capture
        says of itself (`label: X`); `payload` and `group`, what the flows say; the path of a CSV file of five-tuples, times
        and labels; or a mapping from the sources' names to labels.

        It is judged by `folds` parts that no part of a capture is in twice where the classes allow it (`split="capture"`, else
        `blocks`, `time`, `shuffled`); 0 judges nothing. The same captures, options and seed give the same model to the byte,
        in whatever order they come.
        """
        studio = _tractor.Studio(schema, None if timeout is None else round(timeout * 1e6))
        _teach(studio, sources, labels, filter, threads)
        plan = {
            "method": method,
            "numbers": dict(numbers or {}),
            "is_balanced": balanced,
            "is_unique": unique,
            "seed": seed,
            "split": split,
            "folds": folds,
            "name": name,
        }
        return cls(studio.learn(json.dumps(plan)), _report(studio))

    @classmethod
    def load(cls, file: str | os.PathLike[str] | bytes) -> Model:
        """The model of a file, or of its bytes."""
        if not isinstance(file, (bytes, bytearray)):
            with open(file, "rb") as opened:
                file = opened.read()
        return cls(_tractor.Model.read(bytes(file)))

    @classmethod
    def own(cls) -> Model:
        """The model that comes with the program: it tells kinds of traffic by how they behave (docs/model.md)."""
        return cls(_tractor.Model.own(), threshold=_tractor.Model.own_threshold)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes its file."""
        with open(path, "wb") as file:
            file.write(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The bytes of its file."""
        return self._inner.write()

    @property
    def name(self) -> str:
        """What it is called."""
        return self._inner.name

    @property
    def classes(self) -> list[str]:
        """What it can say."""
        return self._inner.classes

    @property
    def card(self) -> dict[str, Any]:
        """What it learned from, how, and how well it does."""
        return json.loads(self._inner.card())

    def predict(
        self,
        source: Source | Iterable[Source],
        schema: str | None = None,
        filter: str | None = None,
        *,
        threshold: float | None = None,
        over_payload: bool = False,
        timeout: float | str | None = None,
        threads: int | None = None,
    ) -> Table:
        """The flows of captures, labelled by the model where they say nothing of themselves: rows as of `tractor.flows`.

        Where the label is the model's, `evidence` is `model` and `confidence` says how often it is right when it is so sure, in
        percent; `rule_label` is what the flow says of itself, and `model_label` what the model takes it for. Below `threshold` (0 to 1) a flow stays unknown: 0.5, or of the program's own model what its card says. With `over_payload` flows that say something of themselves get
        its label too.
        """
        how = _how(False, False, False, None, threads)
        wanted = (schema, False, _timeout(timeout), filter)
        threshold = self._threshold if threshold is None else threshold
        return Table(self._inner.predict(_sources(source), how, threshold, over_payload, wanted))

    def evaluate(
        self,
        sources: Iterable[Source] | Mapping[Any, Source],
        labels: Labels = "file",
        *,
        filter: str | None = None,
        threads: int | None = None,
    ) -> dict[str, Any]:
        """Judges it by captures it did not learn from; labels as of `train`. Figures by class, confusion, calibration."""
        studio = _tractor.Studio.of_model(self._inner)
        _teach(studio, sources, labels, filter, threads)
        studio.judge(self._inner)
        report = _report(studio)
        assert report is not None, "what was judged has a report"
        return report

    def __repr__(self) -> str:
        return f"<tractor.Model {self.name!r}: {', '.join(self.classes)}>"


def _how(
    by_vlan: bool,
    by_tunnel: bool,
    checksums: bool,
    rules: str | os.PathLike[str] | None,
    threads: int | None,
) -> tuple[bool, bool, bool, str | None, int | None]:
    text = None
    if rules is not None:
        with open(rules, encoding="utf-8") as file:
            text = file.read()
    return by_vlan, by_tunnel, checksums, text, threads


def _table(source: Any, how: Any, what: str, wanted: Any) -> Table:
    if not _is_several(source) and not _is_folder(source):
        # Read at once, so that what is wrong with it is raised here.
        return Table(_tractor.read(source, None, how).table(what, wanted))
    return Table(_tractor.table(_sources(source), how, what, wanted))


def _is_several(source: Any) -> bool:
    is_one = isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview))
    return not is_one and not hasattr(source, "read")


def _is_folder(source: Any) -> bool:
    return isinstance(source, (str, os.PathLike)) and os.path.isdir(source)


def _sources(source: Any) -> list[tuple[Any, str | None]]:
    """Captures one by one, with what they are called where their files do not say: those of a folder by their paths below it, by
    name, others of one name by their whole paths."""
    sources = list(source) if _is_several(source) else [source]
    found: list[tuple[Any, str | None]] = []
    for it in sources:
        if not _is_folder(it):
            found.append((it, None))
            continue
        paths = sorted(os.path.join(at, name) for at, _, names in os.walk(it) for name in names)
        found.extend((path, os.path.relpath(path, it).replace(os.sep, "/")) for path in paths if _is_capture(path))
    names = Counter(name or _name(source) for source, name in found)
    return [(it, name if names[name or _name(it)] == 1 else _path(it)) for it, name in found]


def _path(source: Any) -> str | None:
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else None


def _name(source: Any) -> str:
    return os.path.basename(_path(source) or str(getattr(source, "name", "capture")))


def _is_capture(name: str) -> bool:
    stem, end = os.path.splitext(name.lower())
    return end in _SUFFIXES or (end in _PACKED and os.path.splitext(stem)[1] in _SUFFIXES)


def _timeout(timeout: float | str | None) -> str | None:
    return None if timeout is None else str(timeout)


def _teach(studio: Any, sources: Any, labels: Labels, filter: str | None, threads: Any) -> None:
    how = _how(False, False, False, None, threads)
    table = None
    if not isinstance(labels, Mapping) and str(labels) not in _TEACHERS:
        with open(labels, encoding="utf-8", errors="replace") as file:
            table = file.read()
    if isinstance(sources, Mapping):
        named = [(source, str(key), key) for key, source in sources.items()]
    else:
        named = [(it, name or _name(it), name or _name(it)) for it, name in _sources(sources)]
    for source, name, key in named:
        if table is not None:
            label: Any = {"Table": {"text": table, "offset_seconds": 0}}
        elif isinstance(labels, Mapping):
            keys = (key, source if _path(source) else None, _name(source), _stem(name))
            given = next((labels[it] for it in keys if it is not None and it in labels), None)
            if given is None:
                raise RequestError(42200, f"{name}: the mapping of labels does not name it")
            label = {"Given": given}
        else:
            label = _TEACHERS[str(labels)](source, os.path.basename(name))
        studio.add(source, name, how, json.dumps(label), filter)


_TEACHERS: dict[str, Any] = {
    "file": lambda source, name: {"Given": _stem(name)},
    "folder": lambda source, name: {"Given": os.path.basename(os.path.dirname(os.path.abspath(source)))},
    "comment": lambda source, name: "Comment",
    "payload": lambda source, name: "Payload",
    "group": lambda source, name: "Groups",
}


def _stem(name: str) -> str:
    return name[: name.find(".", 1)] if "." in name[1:] else name


def _report(studio: Any) -> dict[str, Any] | None:
    report = studio.report()
    return None if report is None else json.loads(report)
