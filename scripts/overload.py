#!/usr/bin/env python3
"""Drives the service beyond its capacity, beside a plain FIFO, and prints what docs/benchmarks-overload.md shows.

    mvn package -Pchaos
    scripts/overload.py --repetitions 3 --csv target/overload.csv --svg docs/img/overload.svg > target/overload.md

Runs OverloadBench of src/chaosTest, which writes one CSV row for each run, then renders medians over the repetitions.
With --render the CSV is rendered as it is. Needs Java and Maven on the PATH.
"""

import argparse
import csv
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
CLASSES = ROOT / "target/chaos/test-classes"
NAMES = {"atelier": "Atelier", "fifo": "Plain FIFO"}
COLOURS = {"atelier": "#1f6feb", "fifo": "#d1242f"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--csv", type=Path, default=ROOT / "target/overload.csv")
    parser.add_argument("--svg", type=Path, default=ROOT / "docs/img/overload.svg")
    parser.add_argument("--render", action="store_true", help="do not measure")
    parser.add_argument("--repetitions", default="3")
    parser.add_argument("--seconds", default="10")
    parser.add_argument("--seed", default="42")
    options = parser.parse_args()
    if not options.render:
        measure(options)
    with options.csv.open() as file:
        runs = group(csv.DictReader(file))
    print(table(runs))
    options.svg.parent.mkdir(parents=True, exist_ok=True)
    options.svg.write_text(plot(runs))


def measure(options):
    written = ROOT / "target/chaos/classpath"
    subprocess.run(["mvn", "-q", "-B", "-Pchaos", "dependency:build-classpath", f"-Dmdep.outputFile={written}"],
                   cwd=ROOT, check=True, stdout=sys.stderr)
    classpath = os.pathsep.join([str(CLASSES), str(ROOT / "target/chaos/classes"), written.read_text().strip()])
    subprocess.run(["java", "-cp", classpath, "io.atelier.chaostest.OverloadBench", "--csv", str(options.csv),
                    "--repetitions", options.repetitions, "--seconds", options.seconds, "--seed", options.seed],
                   cwd=ROOT, check=True, stdout=sys.stderr)


def group(rows):
    """Medians by core and multiple of the capacity."""
    values = defaultdict(lambda: defaultdict(list))
    for row in rows:
        key = row.pop("core"), float(row.pop("multiple"))
        for name, value in row.items():
            values[key][name].append(float(value))
    return {key: {name: median(numbers) for name, numbers in columns.items()}
            for key, columns in sorted(values.items())}


def peak(runs):
    return max(run["goodput_per_second"] for run in runs.values())


def table(runs):
    best = peak(runs)
    lines = [
        "| Core | Load | Offered/s | Goodput/s | of the peak | Accepted p50, p99 | Late (504) "
        "| Refused (429) | Refused p50, p99 at the client | in the server |",
        "| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for (core, multiple), run in runs.items():
        refused = run["refused_429"] > 0
        lines.append("| {} | {:g}x | {:.0f} | {:.0f} | {:.0%} | {} | {:.0f} | {:.0f} | {} | {} |".format(
            NAMES[core], multiple, run["offered_per_second"], run["goodput_per_second"],
            run["goodput_per_second"] / best,
            f"{run['accepted_p50_ms']:.0f}, {run['accepted_p99_ms']:.0f} ms" if run["accepted_p99_ms"] else "none",
            run["late_504"], run["refused_429"],
            f"{run['refused_p50_ms']:.2f}, {run['refused_p99_ms']:.1f} ms" if refused else "",
            f"{run['refused_server_p50_ms']:.2f}, {run['refused_server_p99_ms']:.1f} ms" if refused else ""))
    lines += ["", "| Load | Gauge: median error, within 30 % | Refusal: median error, within 30 % |",
              "| --: | --: | --: |"]
    for (core, multiple), run in runs.items():
        if core == "atelier" and run["gauge_pairs"] > 0:
            lines.append("| {:g}x | {:.0%}, {:.0%} | {} |".format(
                multiple, run["gauge_error"], run["gauge_within_30"],
                f"{run['refusal_text_error']:.0%}, {run['refusal_text_within_30']:.0%}"
                if run["refusal_text_pairs"] else ""))
    return "\n".join(lines)


def plot(runs):
    """Goodput over load, as SVG."""
    left, top, width, height = 60, 30, 560, 280
    multiples = sorted({multiple for _, multiple in runs})
    most = 50 * (int(peak(runs) * 1.15 / 50) + 1)

    def x(multiple):
        return left + width * multiples.index(multiple) / (len(multiples) - 1)

    def y(rate):
        return top + height * (1 - rate / most)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 110} {top + height + 60}" '
             'font-family="sans-serif" font-size="13" role="img" aria-label="Goodput over load">',
             '<rect width="100%" height="100%" fill="#ffffff"/>']
    for tick in range(0, most + 1, 50):
        parts.append(f'<line x1="{left}" y1="{y(tick):.1f}" x2="{left + width}" y2="{y(tick):.1f}" stroke="#e0e0e0"/>'
                     f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>')
    for multiple in multiples:
        parts.append(f'<text x="{x(multiple):.1f}" y="{top + height + 20}" text-anchor="middle">{multiple:g}x</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 45}" text-anchor="middle">'
                 'offered load, in multiples of the capacity</text>'
                 f'<text x="{left - 45}" y="{top - 12}">answers in time per second</text>')
    limit = y(0.9 * peak(runs))
    parts.append(f'<line x1="{left}" y1="{limit:.1f}" x2="{left + width}" y2="{limit:.1f}" stroke="#808080" '
                 f'stroke-dasharray="6 4"/><text x="{left + width + 8}" y="{limit + 4:.1f}" fill="#606060">'
                 '90 % of the peak</text>')
    for core in NAMES:
        points = [(x(multiple), y(runs[core, multiple]["goodput_per_second"]))
                  for multiple in multiples if (core, multiple) in runs]
        if not points:
            continue
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[core]}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4" fill="{COLOURS[core]}"/>' for px, py in points]
        px, py = points[-1]
        parts.append(f'<text x="{px + 8:.1f}" y="{py - 8:.1f}" fill="{COLOURS[core]}">{NAMES[core]}</text>')
    parts.append("</svg>\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
