"""The packaged service, a real Prometheus and a real nginx, as processes of this machine."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from grp import getgrgid
from http.client import HTTPConnection
from pwd import getpwuid
from threading import Event, Thread

import yaml
from chart import ROOT, only, properties, render

JAR = ROOT / "target/quarkus-app/quarkus-run.jar"
EMBEDDING = json.dumps({"model": "minilm", "input": "The ferry leaves the harbour at seven in the morning."}).encode()


# As the chart's security context: a user and no capabilities, a root that cannot be written to but for /tmp
RESTRICTED = ["unshare", "--mount", "--propagation", "private", "sh", "-euc",
              "mount -t tmpfs -o mode=1777 tmpfs /tmp; mount -o remount,ro,bind /; "
              'exec setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --inh-caps=-all '
              '--bounding-set=-all "$@"', "sh"]


class Service:
    """
    One process of the service, on a free port, with the settings that the chart gives it and those of a secret, in
    folders as the chart mounts them.
    """

    def __init__(self, folder, *options, secret="", jar=JAR, wrapper=()):
        folder.mkdir()
        manifests = render("--set", "device.mode=cpu,secretProperties=secret", *options)
        settings = "".join(f"{key}={value}\n" for key, value in properties(manifests).items())
        for name, text in {"config": settings, "secret": secret}.items():
            (folder / name).mkdir()
            (folder / name / "application.properties").write_text(text)
        (container,) = only(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
        environment = {entry["name"]: entry["value"].replace("/etc/atelier", str(folder)) for entry in container["env"]}
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*wrapper, "java", "-Xmx512m", "-Dquarkus.http.port=0", "-Dquarkus.http.host=127.0.0.1", "-jar", jar],
                cwd=folder, stdout=log, stderr=subprocess.STDOUT,
                env=os.environ | environment)
        until(lambda: self.process.poll() is not None or self.port(), "the service listens", self.log)
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text()[-2000:])
        self.address = f"127.0.0.1:{self.port()}"

    def port(self):
        listens = re.search(r"Listening on: http://127\.0\.0\.1:(\d+)", self.log.read_text())
        return int(listens.group(1)) if listens else None

    def ready(self):
        return status(self.address, "/q/health/ready") == 200

    def leave(self):
        """Ends it as Kubernetes does, and waits. The exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def kill(self):
        self.process.kill()
        self.process.wait()


def until(condition, what, log=None, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what + (": " + log.read_text()[-2000:] if log else ""))
        time.sleep(0.1)


def request(address, path, body=None, headers=(), timeout=60):
    """Status, headers and body of the answer, over a connection of its own."""
    connection = HTTPConnection(address, timeout=timeout)
    try:
        connection.request("GET" if body is None else "POST", path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def status(address, path):
    """The status of an answer; 0 where there is none."""
    try:
        return request(address, path, timeout=5)[0]
    except OSError:
        return 0


@contextmanager
def load(address, callers):
    """Embeds sentences while it is entered; each caller sends its next when it has an answer. The list of outcomes."""
    outcomes, over = [], Event()

    def call():
        while not over.is_set():
            try:
                outcomes.append(request(address, "/v1/embeddings", EMBEDDING)[0])
            except OSError as lost:
                outcomes.append(repr(lost))

    threads = [Thread(target=call, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        over.set()
        for thread in threads:
            thread.join()


class Prometheus:
    """Scrapes addresses each second, by the name of their pod, and evaluates the rules as often."""

    def __init__(self, folder, pods, rule_file):
        folder.mkdir()
        targets = [{"targets": [address], "labels": {"namespace": "ml", "job": "atelier", "pod": pod}}
                   for pod, address in pods.items()]
        (folder / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rule_file)],
            "scrape_configs": [{"job_name": "atelier", "metrics_path": "/q/metrics", "static_configs": targets}]}))
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 "--web.listen-address=127.0.0.1:0"], stdout=log, stderr=subprocess.STDOUT)
        until(lambda: self.port(), "Prometheus listens", self.log)
        self.address = f"127.0.0.1:{self.port()}"
        until(lambda: status(self.address, "/-/ready") == 200, "Prometheus is ready", self.log)

    def port(self):
        listens = re.search(r"[Ll]istening on.*?address=127\.0\.0\.1:(\d+)", self.log.read_text())
        return int(listens.group(1)) if listens else None

    def get(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """What the expression selects now: labels and number of each series."""
        return [(series["metric"], float(series["value"][1]))
                for series in self.get("query", query=expression)["result"]]

    def kill(self):
        self.process.kill()
        self.process.wait()


class Nginx:
    """An ingress in front of services: like a controller it asks them whether they are ready, and sends to those."""

    def __init__(self, folder, settings):
        folder.mkdir()
        self.folder = folder
        self.upstreams = []
        self.port = free_port()
        (folder / "nginx.conf").write_text(f"""
            daemon off;
            user {getpwuid(os.getuid()).pw_name} {getgrgid(os.getgid()).gr_name};
            error_log stderr warn;
            pid {folder}/pid;
            events {{}}
            http {{
                access_log off;
                client_body_temp_path {folder}/body;
                proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/fastcgi;
                uwsgi_temp_path {folder}/uwsgi;
                scgi_temp_path {folder}/scgi;
                include {folder}/upstream.conf;
                {settings}
                server {{
                    listen 127.0.0.1:{self.port};
                    location / {{ proxy_pass http://atelier; }}
                }}
            }}
            """)
        self.address = f"127.0.0.1:{self.port}"
        self.log = folder / "log"
        self.process = None

    def send_to(self, addresses):
        """Takes these from now on; requests on their way end where they are."""
        if addresses == self.upstreams or not addresses:
            return
        self.upstreams = addresses
        servers = "".join(f"server {address}; " for address in addresses)
        (self.folder / "upstream.conf").write_text(f"upstream atelier {{ {servers} keepalive 16; }}\n")
        if self.process is None:
            with self.log.open("w") as log:
                self.process = subprocess.Popen(["nginx", "-c", self.folder / "nginx.conf", "-e", "stderr"],
                                                stdout=log, stderr=subprocess.STDOUT)
            until(lambda: status(self.address, "/") != 0, "nginx listens", self.log)
        else:
            self.process.send_signal(signal.SIGHUP)

    def kill(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def controller(nginx, services):
    """Keeps nginx' list in step with what the services say of themselves."""
    over = Event()

    def look():
        while not over.is_set():
            nginx.send_to([service.address for service in list(services) if service.ready()])
            over.wait(0.2)

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
