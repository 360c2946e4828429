"""Rules and dashboard of the chart, as promtool and Prometheus read them."""

import json
import re

import yaml
from chart import CHART, VARIANTS, only, render

SELECTED = re.compile(r"([a-zA-Z_][a-zA-Z0-9_:]*)\{")

# Series that come with a GPU, or with a device's first quarantine: no scrape of a test has them, so their names are
# compared with docs/operations.md, which a test of the service compares with the code
NOT_ALWAYS = re.compile(r"^atelier_gpu_|^atelier_device_quarantined_total$")


def manifests(*options):
    """The release atelier in the namespace ml, with its rules."""
    return render("--set", "fullnameOverride=atelier,monitoring.rules.enabled=true", *options)


def rules(release=None):
    """The groups of the PrometheusRule, of the release atelier where no other is given."""
    return only(release or manifests(), "PrometheusRule")["spec"]["groups"]


def alerts(release=None):
    return [rule for group in rules(release) for rule in group["rules"] if "alert" in rule]


def records(release=None):
    return [rule for group in rules(release) for rule in group["rules"] if "record" in rule]


def write(groups, file):
    file.write_text(yaml.safe_dump({"groups": groups}, width=1000))


def dashboard():
    return json.loads((CHART / "dashboards/atelier.json").read_text())


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries():
    """Title of the panel and expression of every query, with Grafana's variables filled in."""
    variables = {"$__rate_interval": "1m", "$namespace": "ml", "$job": "atelier", "$model": ".*"}
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in variables.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression


def triggers():
    """The ScaledObject's triggers by name, as the chart's example of KEDA has them for the release atelier."""
    scaled = only(render("--values", VARIANTS["keda"], "--set", "fullnameOverride=atelier"), "ScaledObject")
    return {trigger["name"]: trigger for trigger in scaled["spec"]["triggers"]}


def metrics(expression):
    """Names of the series that an expression selects; every selector has matchers."""
    return set(SELECTED.findall(expression))


def named():
    """Names of the series that any rule or panel selects."""
    expressions = [rule["expr"] for rule in alerts() + records()] + [expression for _, expression in queries()]
    return {metric for expression in expressions for metric in metrics(expression)}
