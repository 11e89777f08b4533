"""A Spark cluster on loopback, for the tests, and to measure by: `cargo xtask cluster CAPTURES…`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOOPBACK = "127.0.0.1"
MEMORY = "2g"
"""What each worker may take."""


def session(master: str, **more: str):
    """Spark on this machine alone."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = LOOPBACK
    builder = SparkSession.builder.master(master).appName("tests")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "4",
        "spark.executor.memory": "1g",
        "spark.executor.cores": "1",
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
        **more,
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


class Cluster:
    """A master and two workers on loopback, each a process of its own."""

    def __init__(self, folder) -> None:
        import pyspark

        home = os.path.dirname(pyspark.__file__)
        self.environment = {**os.environ, "SPARK_HOME": home, "SPARK_LOCAL_IP": LOOPBACK, "PYSPARK_PYTHON": sys.executable}
        self.spark_class = os.path.join(home, "bin", "spark-class")
        self.folder = folder
        port = free_port()
        self.address = f"spark://{LOOPBACK}:{port}"
        self.master = self.start("master.Master", "--host", LOOPBACK, "--port", port, "--webui-port", 0)
        wait_for(lambda: is_open(port))
        self.workers = [self.worker(it) for it in range(2)]

    def worker(self, number: int) -> subprocess.Popen:
        work = self.folder / f"worker-{number}"
        return self.start(
            "worker.Worker", "--host", LOOPBACK, "--webui-port", 0, "--cores", 1, "--memory", "2g", "--work-dir", work, self.address
        )

    def start(self, name: str, *arguments: object) -> subprocess.Popen:
        log = open(self.folder / f"{name}-{time.monotonic_ns()}.log", "wb")
        command = [self.spark_class, f"org.apache.spark.deploy.{name}", *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)

    def stop(self) -> None:
        for process in (*self.workers, self.master):
            kill(process)


def kill(process: subprocess.Popen) -> None:
    # With the executors it has started.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def free_port() -> int:
    with socket.socket() as it:
        it.bind((LOOPBACK, 0))
        return it.getsockname()[1]


def is_open(port: int) -> bool:
    with socket.socket() as it:
        return it.connect_ex((LOOPBACK, port)) == 0


def wait_for(is_so, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def used(sessions: set[int]) -> tuple[float, int]:
    """Seconds of the processor that processes of these sessions took, with those that ended, and the most memory one of them had, in
    bytes."""
    seconds, peak = 0.0, 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            status = (process / "status").read_text()
        except OSError:
            continue
        if int(fields[3]) in sessions:
            seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            peak = max([peak, *(int(it.split()[1]) << 10 for it in status.splitlines() if it.startswith("VmHWM"))])
    return seconds, peak


ONE_PROCESS = """
import sys, time, tractor, warnings
warnings.simplefilter("ignore")
start, rows = time.perf_counter(), 0
for path, _ in tractor._sources(sys.argv[2:]):
    try:
        capture = tractor.read(path, threads=int(sys.argv[1]))
    except tractor.CaptureError:
        continue
    rows += sum(it.num_rows for it in capture.flows("tractor", known=True).to_batches())
    rows += capture.sessions().to_arrow().num_rows
print(rows, time.perf_counter() - start)
"""


def one_process(paths: list[str], threads: int) -> None:
    """The same without Spark: rows made, and let go."""
    before = os.times()
    command = [sys.executable, "-c", ONE_PROCESS, str(threads), *paths]
    rows, wall = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"one process, {threads} thread(s): {rows} rows, {float(wall):.2f} s, {cpu:.2f} s of the processor", flush=True)


def on_cluster(paths: list[str], block_len: int | None) -> None:
    """The job of `tractor-spark` on two workers of one core each."""
    import tractor.spark

    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events"
        events.mkdir()
        cluster = Cluster(Path(folder))
        try:
            spark = session(
                cluster.address,
                **{
                    "spark.eventLog.enabled": "true",
                    "spark.eventLog.dir": events.as_uri(),
                    "spark.eventLog.rolling.enabled": "false",
                    "spark.eventLog.compress": "false",
                    "spark.executor.memory": "1g",
                },
            )
            # Workers that are there, and modules that are loaded.
            spark.range(4, numPartitions=4).mapInArrow(lambda it: it, "id long").count()
            sessions = {os.getsid(it.pid) for it in (*cluster.workers, cluster.master)}
            before, start = used(sessions), time.perf_counter()
            captures = tractor.spark.write(spark, paths, f"{folder}/out", block_len=block_len).to_pylist()
            wall, (cpu, peak) = time.perf_counter() - start, used(sessions)
            spark.stop()
        finally:
            cluster.stop()
        shuffled = sum(written(it) for it in events.glob("*") if it.is_file())
        size = sum(it.stat().st_size for it in Path(folder, "out").rglob("*.parquet"))
    total = lambda name: sum(it[name] or 0 for it in captures)
    gigabytes, n_errors = total("bytes") / 1e9, sum(it["error"] is not None for it in captures)
    print(
        f"two workers, {f'blocks of {block_len >> 20} MiB' if block_len else 'whole captures'}: {len(captures)} captures, {total('flows')} flows, {n_errors} errors; {wall:.2f} s, "
        f"{cpu - before[0]:.2f} s of the processor, {peak >> 20} MiB the largest process; {shuffled / 1e6 / gigabytes:.1f} MB shuffled "
        f"and {size / 1e6 / gigabytes:.1f} MB written a GB",
        flush=True,
    )


def written(events: Path) -> int:
    """How many bytes the tasks of an event log wrote for others."""
    n = 0
    for line in events.read_text().splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            n += event.get("Task Metrics", {}).get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
    return n


if __name__ == "__main__":
    one_process(sys.argv[1:], 1)
    one_process(sys.argv[1:], 2)
    for length in (None, 128 << 20):
        on_cluster(sys.argv[1:], length)
