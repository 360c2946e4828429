"""The chart, as the tests see it: rendered by either Helm, as objects."""

import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/atelier"
TOOLS = Path(os.environ["ATELIER_TOOLS"])
HELM = {major: str(TOOLS / f"helm{major}") for major in (4, 3)}
KUBERNETES = ("1.34.0", "1.35.0", "1.36.0")
VARIANTS = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}


def run(*command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, **options)


@lru_cache(maxsize=None)
def template(*options, major=4, kubernetes=KUBERNETES[-1]):
    """What Helm renders, as text; its complaint is the error's message."""
    rendered = run(HELM[major], "template", "release", CHART, "--namespace", "ml", "--kube-version", kubernetes, *options)
    if rendered.returncode:
        raise ValueError(rendered.stderr)
    return rendered.stdout


def objects(text):
    return [document for document in yaml.safe_load_all(text) if document]


def render(*options, **versions):
    return objects(template(*options, **versions))


def variant(name, **versions):
    return render("--values", VARIANTS[name], **versions)


def of_kind(manifests, kind):
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def only(manifests, kind):
    (manifest,) = of_kind(manifests, kind)
    return manifest


def properties(manifests):
    """The service's settings as the chart writes them."""
    text = only([m for m in manifests if "application.properties" in m.get("data", {})], "ConfigMap")
    return dict(line.split("=", 1) for line in text["data"]["application.properties"].splitlines())


def pods(manifests):
    """Name and specification of every pod that the manifests make or stand for."""
    for manifest in manifests:
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        if manifest["kind"] == "Pod":
            yield name, manifest["spec"]
        elif manifest["kind"] == "Deployment":
            yield name, manifest["spec"]["template"]["spec"]


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def validate(manifests):
    """What the validators say: lines of the manifest's number, the validator and the finding."""
    lines = "\n".join(json.dumps(manifest) for manifest in manifests)
    java = run("java", "-cp", TOOLS / "validators/lib/*", ROOT / "helm/test/Validate.java", input=lines)
    node = run("node", "validate.mjs", input=lines, cwd=TOOLS / "validators")
    for validator in (java, node):
        if validator.returncode:
            raise RuntimeError(validator.stderr)
    return (java.stdout + node.stdout).splitlines()
