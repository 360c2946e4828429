#!/usr/bin/env python3
"""Measures how fast the service is live, and how much memory it has then, without any model.

    scripts/start-up.py --repetitions 9 java -jar target/quarkus-app/quarkus-run.jar
    scripts/start-up.py target/atelier-0.1.0-SNAPSHOT-runner

Everything behind the options is the command; its JVM's or its own properties stand in it, and the port and an empty
model repository are added as environment. Prints medians, with the least and the most: milliseconds from the start of
the process to the first 200 of /q/health/live, milliseconds of CPU until then, and megabytes resident at that moment.
"""
import argparse
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_live(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/q/health/live", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def cpu_millis(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def resident_megabytes(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the process has ended")


def measure(command, repository):
    port = free_port()
    environment = os.environ | {
        "QUARKUS_HTTP_PORT": str(port),
        "ATELIER_MODEL_REPOSITORY": repository,
        "ATELIER_DEVICES": "cpu",
    }
    begun = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not is_live(port):
            if process.poll() is not None:
                raise SystemExit(f"{command} ended with {process.returncode}")
            time.sleep(0.001)
        live = (time.monotonic() - begun) * 1000
        return live, cpu_millis(process), resident_megabytes(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as repository:
        runs = [measure(options.command, repository) for _ in range(options.repetitions)]
    for name, values in zip(("live after ms", "CPU ms", "resident MB"), zip(*runs)):
        print(f"{name:14} {statistics.median(values):8.0f}   ({min(values):.0f} to {max(values):.0f})")


if __name__ == "__main__":
    main()
