#!/usr/bin/env python3
"""Measures the packaged service against the ceiling of the machine, and prints what docs/benchmarks.md shows.

    mvn package -DskipTests
    scripts/benchmark.py --repetitions 5 --csv target/benchmark.csv > target/benchmark.md

Each repetition measures, for each configuration in turn: the ceiling (CeilingBench, ONNX Runtime in a loop), then the
freshly started service at each concurrency, in a closed loop with keep-alive and a fixed number of requests. A share
compares a service with the ceiling measured just before it, so a slow minute of the machine hurts both. Medians over
the repetitions are printed; every single measurement is in the CSV.

Needs h2load (Debian and Ubuntu: nghttp2-client), Maven and Java on the PATH, and /proc.
"""

import argparse
import contextlib
import csv
import json
import math
import os
import platform
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
CEILING = "ceiling"

CONFIGURATIONS = {
    "default": [],
    "one by one": [
        "-Datelier.devices=cpu",
        "-Datelier.slots=1",
        "-Datelier.batching.max-batch-size=1",
    ],
}

# One sentence of 32 word pieces, [CLS] and [SEP] included, and the same as MiniLM's ids.
SENTENCE = (
    "The ferry leaves the harbour at seven in the morning, and those who miss it "
    "must wait until noon or walk the long way round the northern shore."
)
IDS = [101, 1996, 7115, 3727, 1996, 7440, 2012, 2698, 1999, 1996, 2851, 1010, 1998, 2216, 2040, 3335, 2009,
       2442, 3524, 2127, 11501, 2030, 3328, 1996, 2146, 2126, 2461, 1996, 2642, 5370, 1012, 102]


def infer_body():
    def tensor(name, values):
        return {"name": name, "shape": [1, len(values)], "datatype": "INT64", "data": values}

    return {"inputs": [tensor("input_ids", IDS),
                       tensor("attention_mask", [1] * len(IDS)),
                       tensor("token_type_ids", [0] * len(IDS))]}


@dataclass(frozen=True)
class Endpoint:
    """A way to ask for one sentence; `size` reads from the answer what `expected` says."""

    path: str
    body: dict
    size: Callable[[dict], object]
    expected: object


ENDPOINTS = {
    "infer": Endpoint("/v2/models/minilm/infer", infer_body(),
                      lambda answer: answer["outputs"][0]["shape"], [1, len(IDS), 384]),
    "embeddings": Endpoint("/v1/embeddings", {"model": "minilm", "input": SENTENCE},
                           lambda answer: len(answer["data"][0]["embedding"]), 384),
}


@dataclass(frozen=True)
class Measurement:
    """One row of the CSV. `load` is the batch size for the ceiling and the concurrency for the service."""

    repetition: int
    subject: str
    endpoint: str
    load: int
    rate: float  # sentences a second
    cpu_ms: float  # of the process, per sentence
    share: float  # rate / the ceiling's at batch 1
    cpu_share: float  # cpu_ms / the ceiling's at batch 1
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    requests: int = 0
    errors: int = 0


def main():
    options = parse_options()
    check_tools(options)
    ceiling = ceiling_command(options)
    measurements = []
    with tempfile.TemporaryDirectory() as scratch:
        for repetition in range(1, options.repetitions + 1):
            names = options.configurations if repetition % 2 else options.configurations[::-1]
            for name in names:
                measured = measure_ceiling(ceiling, repetition)
                measured += measure_service(name, repetition, measured[0], options, Path(scratch))
                measurements += measured
                for row in measured:
                    log(f"{repetition}/{options.repetitions} {row.subject} {row.endpoint} {row.load}: "
                        f"{row.rate:.0f}/s, {row.cpu_ms:.2f} CPU ms, {row.errors} errors")
    if options.csv:
        write_csv(measurements, options.csv)
    print(markdown(measurements, options))
    if any(row.errors for row in measurements):
        sys.exit("some requests failed: see the errors column")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jar", type=Path, default=ROOT / "target/quarkus-app/quarkus-run.jar")
    parser.add_argument("--java-option", action="append", default=[], dest="java_options", metavar="-Dkey=value",
                        help="for every configuration of the service; repeatable (write --java-option=-D…)")
    parser.add_argument("--configuration", action="append", choices=CONFIGURATIONS, dest="configurations",
                        help="repeatable; all when absent")
    parser.add_argument("--endpoint", action="append", choices=ENDPOINTS, dest="endpoints",
                        help="repeatable; infer (whole last_hidden_state as JSON) when absent")
    parser.add_argument("--concurrency", type=numbers, default=[1, 4, 16, 64], metavar="N,N…")
    parser.add_argument("--requests", type=int, default=3000, help="per measurement (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=3000, help="requests before the first one (default: %(default)s)")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--ceiling-batches", type=numbers, default=[1, 8], metavar="N,N…", help="starts with 1")
    parser.add_argument("--ceiling-seconds", type=int, default=5)
    parser.add_argument("--ceiling-model", metavar="FILE", help="the model that the service runs, when it is not the "
                        "MiniLM of the class path")
    parser.add_argument("--ceiling-classpath", help="to use instead of Maven's test class path")
    parser.add_argument("--port", type=int, default=0, help="a free one when absent")
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    if options.ceiling_batches[0] != 1:
        parser.error("--ceiling-batches starts with 1: shares are taken of it")
    if options.requests < max(options.concurrency):
        parser.error("--requests is less than the highest concurrency")
    options.configurations = options.configurations or list(CONFIGURATIONS)
    options.endpoints = options.endpoints or ["infer"]
    return options


def numbers(text):
    return [int(number) for number in text.split(",")]


def check_tools(options):
    if not shutil.which("h2load"):
        sys.exit("h2load is missing: apt-get install nghttp2-client")
    if not options.jar.is_file():
        sys.exit(f"{options.jar.name} is missing: mvn package -DskipTests")


# The ceiling


def ceiling_command(options):
    classpath = options.ceiling_classpath
    if not classpath:
        written = ROOT / "target/benchmark.classpath"
        subprocess.run(["mvn", "-q", "-B", "test-compile", "dependency:build-classpath",
                        f"-Dmdep.outputFile={written}"], cwd=ROOT, check=True, stdout=sys.stderr)
        classpath = os.pathsep.join([str(ROOT / "target/test-classes"), str(ROOT / "target/classes"),
                                     written.read_text().strip()])
    model = ["--model", options.ceiling_model] if options.ceiling_model else []
    return ["java", "-cp", classpath, "io.atelier.bench.CeilingBench", "--json", "--tokens", str(len(IDS)),
            "--batches", ",".join(map(str, options.ceiling_batches)), "--seconds", str(options.ceiling_seconds), *model]


def measure_ceiling(command, repetition):
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    rate, cpu = "sentences_per_second", "cpu_ms_per_sentence"
    return [Measurement(repetition, CEILING, f"{line['runtime']}, {line['callers']} callers", line["batch"],
                        line[rate], line[cpu], line[rate] / lines[0][rate], line[cpu] / lines[0][cpu])
            for line in lines]


# The service


def measure_service(configuration, repetition, ceiling, options, scratch):
    measured = []
    with service(configuration, options, scratch) as (process, url):
        for name in options.endpoints:
            endpoint = ENDPOINTS[name]
            check_answer(url, endpoint)
            body = scratch / f"{name}.json"
            body.write_text(json.dumps(endpoint.body, separators=(",", ":")))
            send_load(url + endpoint.path, body, options.warmup, min(16, options.warmup), scratch)
            for concurrency in options.concurrency:
                cpu_before = cpu_seconds(process.pid)
                answers = send_load(url + endpoint.path, body, options.requests, concurrency, scratch)
                cpu = cpu_seconds(process.pid) - cpu_before
                figures = summary(answers, cpu, options.requests, ceiling)
                measured.append(Measurement(repetition, configuration, name, concurrency, **figures))
    return measured


@contextlib.contextmanager
def service(configuration, options, scratch):
    """The running service and its address; ends with SIGTERM."""
    port = options.port or free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["java", f"-Dquarkus.http.port={port}", *options.java_options, *CONFIGURATIONS[configuration],
               "-jar", str(options.jar)]
    output = scratch / "service.log"
    with output.open("w") as log_file, subprocess.Popen(
            command, stdout=log_file, stderr=subprocess.STDOUT) as process:
        try:
            wait_until_ready(process, url, output)
            yield process, url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(process, url, output, seconds=60):
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):  # refused, or an answer that is not 200
            urllib.request.urlopen(url + "/v2/health/ready", timeout=5).close()
            return
        time.sleep(0.2)
    sys.exit("the service did not become ready; the end of its log:\n" + output.read_text()[-2000:])


def check_answer(url, endpoint):
    """A benchmark of wrong answers is none."""
    request = urllib.request.Request(url + endpoint.path, json.dumps(endpoint.body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            size = endpoint.size(json.load(response))
    except urllib.error.HTTPError as refused:
        sys.exit(f"{endpoint.path} answers {refused.code}: {refused.read()[:500]!r}")
    if size != endpoint.expected:
        sys.exit(f"{endpoint.path} answers {size} instead of {endpoint.expected}")


def send_load(url, body, requests, concurrency, scratch):
    """Rows of (start, status, duration), times in microseconds, one for each request sent."""
    answers = scratch / "h2load.tsv"
    answers.unlink(missing_ok=True)  # h2load appends
    if requests == 0:
        return []
    done = subprocess.run(["h2load", "--h1", "-t", "1", "-n", str(requests), "-c", str(concurrency), "-d", str(body),
                           "-H", "content-type: application/json", "--log-file", str(answers), url],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"h2load failed:\n{done.stdout}")
    return [tuple(map(int, line.split("\t")[:3])) for line in answers.read_text().splitlines()]


def cpu_seconds(pid):
    """User and system time of the process, dead threads included, child processes not."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(after_name[11]), int(after_name[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def summary(answers, cpu, requests, ceiling):
    """Whatever was not answered with 2xx is an error, also a request that never got as far as the log."""
    good = sorted(duration for _, status, duration in answers if 200 <= status < 300)
    if not good:
        sys.exit("no request succeeded")
    seconds = (max(start + duration for start, _, duration in answers) - min(start for start, _, _ in answers)) / 1e6
    rate, cpu_ms = len(good) / seconds, cpu * 1000 / len(good)
    return {"rate": rate, "cpu_ms": cpu_ms, "share": rate / ceiling.rate, "cpu_share": cpu_ms / ceiling.cpu_ms,
            "p50_ms": percentile(good, 0.50) / 1000, "p99_ms": percentile(good, 0.99) / 1000,
            "max_ms": good[-1] / 1000, "requests": requests, "errors": requests - len(good)}


def percentile(ascending, quantile):
    """The nearest rank: a latency that some request really had."""
    return ascending[math.ceil(quantile * len(ascending)) - 1]


# The report


def write_csv(measurements, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, [field.name for field in fields(Measurement)], lineterminator="\n")
        writer.writeheader()
        for row in measurements:
            writer.writerow({key: round(value, 4) if isinstance(value, float) else value
                             for key, value in asdict(row).items()})


def markdown(measurements, options):
    groups = defaultdict(list)
    for row in measurements:
        groups[row.subject, row.endpoint, row.load].append(row)
    ceilings = {key: rows for key, rows in groups.items() if key[0] == CEILING}
    services = {key: rows for key, rows in groups.items() if key[0] != CEILING}
    order = sorted(services, key=lambda key: (options.endpoints.index(key[1]),
                                              options.configurations.index(key[0]), key[2]))
    lines = [
        f"Commit {commit()}, {date.today()}, {processor()}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.release()}, Java {java_version()}. {len(IDS)} tokens, one sentence a request, closed loop, "
        f"keep-alive, {options.requests} requests a measurement; medians of {options.repetitions} repetitions, "
        "lowest and highest in brackets. CPU is the server's alone.",
        "",
        "```shell",
        shlex.join(["scripts/benchmark.py", *sys.argv[1:]]),
        "```",
        "",
        "| Ceiling: ONNX Runtime | Batch | Sentences/s | CPU ms per sentence |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {runtime} | {batch} | {spread(rows, 'rate', 0)} | {spread(rows, 'cpu_ms', 2)} |"
          for (_, runtime, batch), rows in ceilings.items()),
        "",
        "| Configuration | Endpoint | Concurrency | Requests/s | Of the ceiling | p50 ms | p99 ms | p99/p50 "
        "| CPU ms per request | CPU against the ceiling's | Errors |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(service_line(key, services[key]) for key in order),
    ]
    return "\n".join(lines)


def service_line(key, rows):
    configuration, endpoint, concurrency = key
    cells = [configuration, endpoint, concurrency, f"{median(row.rate for row in rows):.0f}", spread(rows, "share", 2),
             f"{median(row.p50_ms for row in rows):.1f}", f"{median(row.p99_ms for row in rows):.1f}",
             f"{median(row.p99_ms / row.p50_ms for row in rows):.1f}", f"{median(row.cpu_ms for row in rows):.2f}",
             spread(rows, "cpu_share", 2), sum(row.errors for row in rows)]
    return "| " + " | ".join(map(str, cells)) + " |"


def spread(rows, name, digits):
    values = [getattr(row, name) for row in rows]
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def commit():
    described = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True).stdout.strip()
    return described or "unknown"


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def java_version():
    lines = subprocess.run(["java", "-version"], stderr=subprocess.PIPE, text=True, check=True).stderr.splitlines()
    return next(line.split('"')[1] for line in lines if '"' in line)


def log(message):
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
