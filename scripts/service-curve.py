#!/usr/bin/env python3
"""Measures what an autoscaler has to know of the packaged service, and prints the table of docs/autoscaling.md.

    mvn package -DskipTests
    scripts/service-curve.py

At each number of callers, in a closed loop: the rate, and from the service's own metrics how busy the devices were,
how many rows a batch had, how long an execution took, and how long a request waited for it. Needs what benchmark.py needs.
"""

import argparse
import re
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import benchmark

COLUMNS = ["Callers", "Requests/s", "p50, p99 ms", "Rows of a batch", "Execution ms", "Wait ms", "Busy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jar", type=Path, default=benchmark.ROOT / "target/quarkus-app/quarkus-run.jar")
    parser.add_argument("--java-option", action="append", default=[], dest="java_options", metavar="-Dkey=value")
    parser.add_argument("--endpoint", choices=benchmark.ENDPOINTS, default="embeddings")
    parser.add_argument("--callers", type=benchmark.numbers, default=[1, 4, 16, 32, 48, 64, 96], metavar="N,N…")
    parser.add_argument("--requests", type=int, default=3000, help="per measurement (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=10000, help="requests before the first one (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="a free one when absent")
    options = parser.parse_args()
    benchmark.check_tools(options)
    print(f"| {' | '.join(COLUMNS)} |")
    print(f"|{' ---: |' * len(COLUMNS)}", flush=True)
    with tempfile.TemporaryDirectory() as folder, benchmark.service("default", options, Path(folder)) as (_, url):
        scratch = Path(folder)
        endpoint = benchmark.ENDPOINTS[options.endpoint]
        benchmark.check_answer(url, endpoint)
        body = scratch / "body.json"
        body.write_text(benchmark.json.dumps(endpoint.body))
        benchmark.send_load(url + endpoint.path, body, options.warmup, 16, scratch)
        for callers in options.callers:
            print(measure(url, endpoint, body, callers, options.requests, scratch), flush=True)


def measure(url, endpoint, body, callers, requests, scratch):
    before, began = metrics(url), time.monotonic()
    answers = benchmark.send_load(url + endpoint.path, body, requests, callers, scratch)
    seconds = time.monotonic() - began
    after = metrics(url)
    if any(status != 200 for _, status, _ in answers):
        sys.exit(f"{callers} callers: some requests failed")
    durations = sorted(duration for *_, duration in answers)

    def grown(name):
        return after[name] - before[name]

    def mean(name):
        return grown(f"{name}_sum") / grown(f"{name}_count")

    return "| " + " | ".join([
        str(callers), f"{requests / seconds:.0f}",
        f"{benchmark.percentile(durations, 0.5) / 1000:.1f}, {benchmark.percentile(durations, 0.99) / 1000:.1f}",
        f"{mean('atelier_batch_rows'):.1f}", f"{mean('atelier_execution_duration_seconds') * 1000:.1f}",
        f"{mean('atelier_queue_duration_seconds') * 1000:.1f}",
        f"{grown('atelier_device_busy_seconds_total') / seconds / after['atelier_device_slots']:.2f}"]) + " |"


def metrics(url):
    """Sums over all labels, by name."""
    sums = {}
    with urllib.request.urlopen(url + "/q/metrics", timeout=10) as scrape:
        for name, value in re.findall(r"^(atelier_\w+?)(?:\{.*\})? (\S+)$", scrape.read().decode(), re.M):
            sums[name] = sums.get(name, 0) + float(value)
    return sums


if __name__ == "__main__":
    main()
