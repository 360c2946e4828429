#!/usr/bin/env python3
"""Writes what follows from other files: the chart's README.md from the comments in values.yaml, and in
values.schema.json the settings of the service from docs/configuration.md.

    helm/test/generate.py
"""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/atelier"
README = CHART / "README.md"
SCHEMA = CHART / "values.schema.json"
TABLE = "<!-- values -->\n"


def leaves(node, path=()):
    """Path and line of each value that is no further table, in order."""
    for key, value in node.value:
        here = path + (key.value,)
        if isinstance(value, yaml.MappingNode) and value.value and here[-1] not in OPEN:
            yield from leaves(value, here)
        else:
            yield here, key.start_mark.line


# Values that are maps of the user's own
OPEN = {"labels", "requests", "limits"}


def values_table():
    text = (CHART / "values.yaml").read_text()
    lines = text.splitlines()
    values = yaml.safe_load(text)
    sections = {line: comment(lines, line) for line in range(len(lines))}
    rows = []
    for path, line in leaves(yaml.compose(text)):
        value = values
        for key in path:
            value = value[key]
        meaning = sections[line] or sections[parent_line(lines, line)]
        if not meaning:
            raise SystemExit(f"values.yaml has no comment above {'.'.join(path)}")
        rows.append(f"| `{'.'.join(path)}` | `{json.dumps(value)}` | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(["| Value | Default | Meaning |", "| --- | --- | --- |", *rows, ""])


def comment(lines, line):
    """The comment right above a line, in one line."""
    first = line
    while first > 0 and re.match(r"\s*# ", lines[first - 1]):
        first -= 1
    return " ".join(text.strip().removeprefix("# ") for text in lines[first:line])


def parent_line(lines, line):
    indent = len(lines[line]) - len(lines[line].lstrip())
    while len(lines[line]) - len(lines[line].lstrip()) >= indent or not lines[line].strip():
        line -= 1
    return line


def readme():
    return README.read_text().split(TABLE)[0] + TABLE + "\n" + values_table()


TYPES = {
    "text": {"type": "string"},
    "path": {"type": "string"},
    "texts, separated by commas": {"type": "string"},
    "address": {"type": "string", "pattern": "^https?://[^/]"},
    "duration": {"type": ["string", "integer"], "pattern": r"^([0-9]+ ?(ms|[smhdSMHD]|MS)?|PT?[0-9.PTDHMS]+)$"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "`true` or `false`": {"type": "boolean"},
}
BOUNDS = {"at least": "minimum", "at most": "maximum", "above": "exclusiveMinimum"}


def settings_schema():
    """The tree of atelier.* as a schema, from the tables of its generated page."""
    tree = {"type": "object", "additionalProperties": False, "properties": {}}
    for row in re.findall(r"^\| `atelier\.(.*?)` \|(.*)\|$", (ROOT / "docs/configuration.md").read_text(), re.M):
        *sections, leaf = row[0].split(".")
        _, kind, _, allowed, meaning = (cell.strip() for cell in row[1].split("|", 4))
        schema = dict(TYPES.get(kind, {"type": ["string", "number", "boolean"]}))
        if kind in ("integer", "number"):
            for words, number in re.findall(r"(at least|at most|above) ([\d.]+)", allowed):
                schema[BOUNDS[words]] = json.loads(number)
        schema["description"] = meaning
        node = tree
        for section in sections:
            node = node["properties"].setdefault(
                section, {"type": "object", "additionalProperties": False, "properties": {}})
        node["properties"][leaf] = schema
    return tree


def schema():
    whole = json.loads(SCHEMA.read_text())
    whole["properties"]["config"] = settings_schema()
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    README.write_text(readme())
    SCHEMA.write_text(schema())
