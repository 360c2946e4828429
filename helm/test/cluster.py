"""An API server of a few answers: enough for Helm to ask what a cluster offers."""

import json
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

KINDS = {
    "v1": {"nodes": "Node", "services": "Service", "configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount",
           "pods": "Pod", "secrets": "Secret"},
    "apps/v1": {"deployments": "Deployment"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
}


class Cluster:
    """Serves while it is entered.

    nodes: what each node has to give, a map of resources; None refuses to tell.
    more: groups and versions beside those that the chart always needs.
    """

    def __init__(self, nodes, more=()):
        versions = [*KINDS, *more]
        answers = {
            "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "groups": [group(version) for version in versions if "/" in version]},
        }
        for version in versions:
            answers[("/apis/" if "/" in version else "/api/") + version] = {
                "kind": "APIResourceList", "groupVersion": version,
                "resources": [{"name": name, "kind": kind, "namespaced": kind != "Node", "verbs": ["get", "list"]}
                              for name, kind in KINDS.get(version, {}).items()]}
        if nodes is not None:
            answers["/api/v1/nodes"] = {"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [
                {"kind": "Node", "apiVersion": "v1", "metadata": {"name": f"node-{number}"},
                 "status": {"allocatable": resources}} for number, resources in enumerate(nodes)]}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.split("?")[0]
                status, answer = (200, answers[path]) if path in answers else failure(path)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.home = tempfile.TemporaryDirectory()

    def __enter__(self):
        Thread(target=self.server.serve_forever, daemon=True).start()
        return {"HOME": self.home.name, "HELM_KUBEAPISERVER": f"http://127.0.0.1:{self.server.server_port}"}

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.home.cleanup()


def group(version):
    name = version.split("/")[0]
    entry = {"groupVersion": version, "version": version.split("/")[1]}
    return {"name": name, "versions": [entry], "preferredVersion": entry}


def failure(path):
    reason, code = ("Forbidden", 403) if path == "/api/v1/nodes" else ("NotFound", 404)
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code,
                  "message": f"{path}: {reason}"}
