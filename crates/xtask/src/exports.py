"""Exports every capture below a folder in every format and schema, and opens the files with the programs they are for.

The csv is the measure: Parquet has to give it cell for cell in pyarrow, pandas and DuckDB, ARFF in liac-arff and, where
all its attributes are numbers and classes, in SciPy. The forms of Zeek's log have to agree with each other, and JSON
lines with the csv.
"""
import collections, csv, datetime, json, os, subprocess, sys

missing = []
for name in ("pyarrow", "pandas", "duckdb", "scipy", "arff"):
    try:
        __import__(name)
    except ImportError:
        missing.append({"arff": "liac-arff"}.get(name, name))
if missing:
    sys.exit(f"this Python lacks {', '.join(missing)}: pip install {' '.join(missing)}, or set PYTHON to one that has them")
import arff, duckdb, pandas, pyarrow, pyarrow.parquet, scipy.io.arff

tractor, folder, files = sys.argv[1:]
csv.field_size_limit(1 << 30)
NOT_CAPTURES = (".jsonl", ".md", ".tsv", ".txt")
LAST = (1 << 63) - 1
FORMULA = ("=", "+", "-", "@", "\t", "\r")
counts = collections.Counter()
wrong = []


def export(capture, form, schema=None):
    path = os.path.join(files, "export." + form)
    command = [tractor, "flows", capture, "--format", form, "-o", path]
    run = subprocess.run(command + (["--schema", schema] if schema else []), capture_output=True, text=True)
    if run.returncode == 2:
        sys.exit(run.stderr)
    return path


def rows_of_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    # A name that comes twice has .1 behind it the second time, as pandas reads it.
    seen = collections.Counter()
    for at, name in enumerate(header):
        header[at] = f"{name}.{seen[name]}" if seen[name] else name
        seen[name] += 1
    return header, rows


def is_same(cell, value, is_own):
    """Whether a cell of the csv says what a value is."""
    if value is None or value != value:
        return cell == ""
    if isinstance(value, float):
        # The csv has fifteen digits, or ten decimals.
        return cell != "" and abs(float(cell) - value) <= max(1e-10, abs(value) * 1e-12)
    if value == LAST or isinstance(value, datetime.datetime) and value.year == 2262:
        # Parquet's nanoseconds end in 2262; a broken clock may say later.
        counts["times beyond 2262"] += 1
        return cell >= "2262" if "-" in cell else int(cell) >= LAST
    if isinstance(value, datetime.datetime):
        return cell == value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = str(value)
    # Features have no guard against formulas: none of their texts are a sender's.
    return cell == ("'" + text if is_own and text.startswith(FORMULA) and isinstance(value, str) else text)


def compare(what, header, rows, names, columns, is_own):
    if list(header) != list(names) or any(len(it) != len(rows) for it in columns):
        wrong.append(f"{what}: other columns or rows")
        return
    for at, (name, column) in enumerate(zip(names, columns)):
        for number, (row, value) in enumerate(zip(rows, column)):
            counts[what.split(" of ")[0]] += 1
            if not is_same(row[at], value, is_own):
                wrong.append(f"{what}: row {number}, {name}: {row[at]!r} is not {value!r}")


def instants(column, is_own):
    """Times as the csv has them: of flows whole nanoseconds, of features microseconds."""
    nanos = column.cast(pyarrow.int64()).to_pylist()
    if is_own:
        return nanos
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return [start + datetime.timedelta(microseconds=it // 1000) for it in nanos]


def check_parquet(where, path, header, rows, is_own):
    table = pyarrow.parquet.read_table(path)
    is_time = [pyarrow.types.is_timestamp(it.type) for it in table.schema]
    columns = [instants(it, is_own) if time else it.to_pylist() for it, time in zip(table.columns, is_time)]
    compare(f"pyarrow of {where}", header, rows, table.column_names, columns, is_own)
    frame = pandas.read_parquet(path)
    seen = []
    for at, time in enumerate(is_time):
        values = frame.iloc[:, at]
        if time:
            values = instants(pyarrow.array(values.astype("int64")), is_own)
        elif pandas.api.types.is_float_dtype(values) and pyarrow.types.is_integer(table.schema[at].type):
            # pandas makes numbers with a fraction of whole ones where some are missing.
            values = [None if it != it else int(it) for it in values]
        else:
            values = [None if it is None else it for it in values.tolist()]
        seen.append(values)
    compare(f"pandas of {where}", header, rows, list(frame.columns), seen, is_own)
    names = ", ".join(
        f"epoch_ns(t.\"{it}\")" if time else f"t.\"{it}\"" for it, time in zip(table.column_names, is_time)
    )
    got = duckdb.sql(f"SELECT {names} FROM '{path}' t").fetchall()
    seen = [list(it) for it in zip(*got)] or [[] for _ in header]
    for at, time in enumerate(is_time):
        if time:
            # The last nanosecond of 64 bits stands for what is later; to DuckDB it is infinity.
            nanos = [LAST if it is None else it for it in seen[at]]
            seen[at] = instants(pyarrow.array(nanos, pyarrow.int64()), is_own)
    compare(f"DuckDB of {where}", header, rows, header, seen, is_own)


def check_arff(where, path, header, rows):
    with open(path, encoding="utf-8") as file:
        table = arff.load(file)
    columns = [list(it) for it in zip(*table["data"])] or [[] for _ in header]
    compare(f"liac-arff of {where}", header, rows, [it[0] for it in table["attributes"]], columns, False)
    if any(kind == "STRING" for _, kind in table["attributes"]) or not rows:
        return
    data, meta = scipy.io.arff.loadarff(path)
    columns = [[it.decode() if isinstance(it, bytes) else float(it) for it in data[name]] for name in meta.names()]
    compare(f"SciPy of {where}", header, rows, meta.names(), columns, False)


def check_zeek(where, tsv, lines):
    with open(tsv, encoding="utf-8") as file:
        text = file.read().splitlines()
    fields = next(it for it in text if it.startswith("#fields")).split("\t")[1:]
    rows = [it.split("\t") for it in text if not it.startswith("#")]
    with open(lines, encoding="utf-8") as file:
        others = [json.loads(it, parse_float=str) for it in file]
    if len(rows) != len(others):
        wrong.append(f"Zeek of {where}: {len(rows)} and {len(others)} rows")
    for row, other in zip(rows, others):
        for field, cell in zip(fields, row):
            counts["Zeek"] += 1
            value = other.get(field, "-")
            value = {True: "T", False: "F"}[value] if isinstance(value, bool) else value
            value = ",".join(value) if isinstance(value, list) else str(value)
            if cell != value:
                wrong.append(f"Zeek of {where}: {field}: {cell!r} is not {value!r}")


def text_of(value):
    """What a payload tells is an object in JSON lines and its text in tables."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def check_jsonl(where, path, header, rows):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(it) for it in file]
    rare = {"carried_bytes": 0, "icmp_errors": 0}
    columns = [[text_of(it.get(name, rare.get(name))) for it in lines] for name in header]
    compare(f"jsonl of {where}", header, rows, header, columns, True)


schemas = ["tractor", "tractor-full", "cic", "cic-2017", "nfstream", "basic", "sequence", "session", "iscx-b", "iscx-a2"]
captures = sorted(
    os.path.join(at, name)
    for at, _, names in os.walk(folder)
    for name in names
    if not name.endswith(NOT_CAPTURES) and os.path.getsize(os.path.join(at, name)) < 5_000_000
)
for number, capture in enumerate(captures):
    where = os.path.relpath(capture, folder)
    header, rows = rows_of_csv(export(capture, "csv"))
    counts["captures"] += 1
    counts["flows"] += len(rows)
    check_jsonl(where, export(capture, "jsonl"), header, rows)
    check_parquet(where, export(capture, "parquet"), header, rows, True)
    check_zeek(where, export(capture, "zeek"), export(capture, "zeek-json"))
    # Every capture with one schema, and each in turn.
    schema = schemas[number % len(schemas)]
    counts[f"captures with {schema}"] += 1
    header, rows = rows_of_csv(export(capture, "csv", schema))
    check_parquet(f"{where}, {schema}", export(capture, "parquet", schema), header, rows, False)
    check_arff(f"{where}, {schema}", export(capture, "arff", schema), header, rows)
for what, count in sorted(counts.items()):
    print(f"{what:24} {count:12,}{'' if what.startswith(('captures', 'flows', 'times')) else ' cells'}")
for it in wrong[:40]:
    print(it)
print(f"{len(wrong)} differ")
sys.exit(bool(wrong))
