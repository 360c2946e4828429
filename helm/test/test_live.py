"""The packaged service with the chart's settings, seen by a real Prometheus and reached through a real nginx."""

import json
import re
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import monitoring
from chart import ROOT, run
from live import EMBEDDING, JAR, RESTRICTED, Nginx, Prometheus, Service, controller, load, request, until

# Two devices, and a queue that is soon full
SMALL = ("--set", "config.devices=cpu*2,config.slots=1,config.batching.max-batch-size=2,config.batching.max-queue-size=4")
LATE = {"Request-Timeout": "0.0001"}


class LiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not JAR.is_file():
            raise FileNotFoundError(f"{JAR.relative_to(ROOT)}: mvn package -DskipTests")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    @classmethod
    def serve(cls, name, *options):
        service = Service(cls.folder / name, *options)
        cls.addClassCleanup(service.kill)
        return service


class MonitoringTest(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rules = cls.folder / "rules.yaml"
        monitoring.write(monitoring.rules(), rules)
        cls.service = cls.serve("service", *SMALL)
        address = cls.service.address
        cls.prometheus = Prometheus(cls.folder / "prometheus", {"atelier-0": address}, rules)
        cls.addClassCleanup(cls.prometheus.kill)
        until(cls.service.ready, "the service is ready", cls.service.log)
        with load(address, callers=2):
            until(cls.everything_is_seen, "every outcome is seen", cls.service.log)
        cls.scrape = request(address, "/q/metrics", headers={"Accept": "text/plain"})[2].decode()

    @classmethod
    def everything_is_seen(cls):
        """Makes each outcome happen once more. A counter shows from its first event on, and grows from its second on."""
        request(cls.service.address, "/v2/models/minilm/infer", b"{}")
        request(cls.service.address, "/v1/embeddings", EMBEDDING, LATE)
        with load(cls.service.address, callers=20):
            time.sleep(0.5)
        time.sleep(1)
        series = [cls.prometheus.query(rule["record"]) for rule in monitoring.records()]
        return all(one and one[0][1] > 0 for one in series)

    def test_the_services_own_metrics_are_well_formed(self):
        done = run("promtool", "check", "metrics", input=self.scrape)
        findings = [line for line in done.stderr.splitlines() + done.stdout.splitlines() if line.startswith("atelier_")]
        self.assertEqual(findings, [])
        self.assertNotIn("error", done.stderr.lower().replace("ft_", ""), "the scrape cannot be read")

    def test_every_metric_that_a_rule_or_a_panel_names_is_in_the_scrape(self):
        recorded = {rule["record"] for rule in monitoring.records()}
        exported = set(re.findall(r"^([a-zA-Z_:][\w:]*)[{ ]", self.scrape, re.M)) | {"up"} | recorded
        named = monitoring.named()
        self.assertGreater(len(named), 20)
        self.assertEqual({metric for metric in named - exported if not monitoring.NOT_ALWAYS.match(metric)}, set())

    def test_every_rule_is_evaluated(self):
        groups = self.prometheus.get("rules")["groups"]
        health = {rule["name"]: (rule["health"], rule.get("lastError", "")) for group in groups for rule in group["rules"]}
        self.assertEqual(set(health), {rule["alert"] for rule in monitoring.alerts()}
                         | {rule["record"] for rule in monitoring.records()})
        self.assertEqual(set(health.values()), {("ok", "")})

    def test_every_recorded_series_has_data(self):
        for rule in monitoring.records():
            with self.subTest(rule["record"]):
                ((labels, value),) = self.prometheus.query(rule["record"])
                self.assertEqual((labels["namespace"], labels["job"]), ("ml", "atelier"))
                self.assertGreater(value, 0)
                self.assertLessEqual(value, 1)

    def test_every_alert_would_see_what_it_looks_at(self):
        """Without its threshold an alert's expression selects something."""
        for alert in monitoring.alerts():
            if any(monitoring.NOT_ALWAYS.match(metric) for metric in monitoring.metrics(alert["expr"])):
                continue
            with self.subTest(alert["alert"]):
                expression = re.sub(r" (==|>=|>|<) [\d.e-]+", "", alert["expr"])
                self.assertNotEqual(expression, alert["expr"])
                self.assertTrue(self.prometheus.query(expression))

    def test_every_panel_shows_data(self):
        for title, expression in monitoring.queries():
            if any(monitoring.NOT_ALWAYS.match(metric) for metric in monitoring.metrics(expression)):
                continue
            with self.subTest(title):
                self.assertTrue(self.prometheus.query(expression), expression)

    def test_every_query_of_keda_has_a_number(self):
        """As KEDA wants it: one series, or a scalar's."""
        for name, trigger in monitoring.triggers().items():
            if name == "proxy":  # asks for metrics of a controller that is not here
                continue
            with self.subTest(name):
                ((_, value),) = self.prometheus.query(trigger["metadata"]["query"])
                self.assertGreater(value, 0)
                self.assertLess(value, 30)

    def test_the_autoscalers_numbers_are_plausible(self):
        ((_, busy),) = self.prometheus.query(
            "max_over_time((sum(rate(atelier_device_busy_seconds_total[5s])) / sum(atelier_device_slots))[1m:1s])")
        self.assertTrue(0.2 < busy <= 1.1, busy)
        ((_, slots),) = self.prometheus.query("sum(atelier_device_slots)")
        self.assertEqual(slots, 2)

    def test_zz_a_service_that_is_gone_raises_an_alarm(self):
        """The last one, since it ends the service."""
        self.service.leave()

        def pending():
            return {alert["labels"]["alertname"] for alert in self.prometheus.get("alerts")["alerts"]}

        until(lambda: {"AtelierScrapeFails", "AtelierNoReadyPod"} <= pending(), "alerts are pending", seconds=20)


class RestrictedTest(unittest.TestCase):
    @unittest.skipUnless(run(*RESTRICTED, "true").returncode == 0, "no right to make a file system of its own")
    def test_the_service_runs_as_the_chart_runs_it(self):
        """Another user, no capabilities, nothing to write to but /tmp; settings from the chart and a secret."""
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            Path(folder).chmod(0o755)
            self.assertNotEqual(run(*RESTRICTED, "touch", f"{folder}/file").returncode, 0)
            application = Path(shutil.copytree(JAR.parent, f"{folder}/application"))
            service = Service(Path(folder, "settings"), "--set", "maxBodyMiB=1,config.devices=cpu",
                              secret="atelier.devices=cpu*2\n", jar=application / JAR.name, wrapper=RESTRICTED)
            self.addCleanup(service.kill)
            until(service.ready, "the service is ready", service.log)
            body = b'{"model": "minilm", "input": "hello world"}'
            self.assertEqual(request(service.address, "/v1/embeddings", body)[0], 200)
            self.assertEqual(request(service.address, "/v1/embeddings", b" " * 1_100_000)[0], 413, "the chart's limit")
            devices = json.loads(request(service.address, "/v2/devices")[2])
            self.assertEqual(len(devices["devices"]), 2, "a secret's settings win")
            self.assertEqual(service.leave(), 0)

    def test_the_service_refuses_a_setting_that_it_does_not_know(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(RuntimeError, "atelier.device"):
            Service(Path(folder, "settings"), secret="atelier.device=cpu\n").kill()


class ProxyTest(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        page = (ROOT / "docs/operations.md").read_text()
        settings = re.search(r"```nginx\n(.*?)```", page, re.S).group(1)
        cls.services = [cls.serve(name, "--set", "shutdown.delaySeconds=3") for name in ("first", "second")]
        cls.nginx = Nginx(cls.folder / "nginx", settings)
        cls.addClassCleanup(cls.nginx.kill)
        for service in cls.services:
            until(service.ready, "the service is ready", service.log)
        cls.nginx.send_to([service.address for service in cls.services])

    def test_a_body_of_20_mb_passes(self):
        text = b'{"model": "minilm", "input": "hello world"'
        status, _, answer = request(self.nginx.address, "/v1/embeddings", text + b" " * 20_000_000 + b"}")
        self.assertEqual((status, json.loads(answer)["usage"]["total_tokens"]), (200, 4))

    def test_an_answer_of_20_mb_passes(self):
        rows, tokens = 8, 512
        ids = {"datatype": "INT64", "shape": [rows, tokens], "data": [101] * (rows * tokens)}
        names = {"input_ids": ids, "attention_mask": ids | {"data": [1] * (rows * tokens)},
                 "token_type_ids": ids | {"data": [0] * (rows * tokens)}}
        body = json.dumps({"inputs": [{"name": name, **tensor} for name, tensor in names.items()]}).encode()
        status, _, answer = request(self.nginx.address, "/v2/models/minilm/infer", body)
        self.assertEqual(status, 200, answer[:200])
        self.assertGreater(len(answer), 15_000_000)
        (output,) = json.loads(answer)["outputs"]
        self.assertEqual(len(output["data"]), rows * tokens * 384)

    def test_headers_pass_both_ways(self):
        body = b'{"model": "minilm", "input": "hello world"}'
        long = {"Authorization": "Bearer " + "x" * 16_000}
        self.assertEqual(request(self.nginx.address, "/v1/embeddings", body, long)[0], 200)
        status, headers, answer = request(self.nginx.address, "/v1/embeddings", body, LATE)
        self.assertEqual((status, json.loads(answer)["code"]), (504, "DEADLINE_EXCEEDED"))
        self.assertEqual(headers["Content-Type"], "application/problem+json")

    def test_a_rolling_restart_under_load_loses_no_request(self):
        services = list(self.services)
        with controller(self.nginx, services), load(self.nginx.address, callers=6) as outcomes:
            time.sleep(2)
            for number, name in enumerate(("third", "fourth")):
                self.assertEqual(services[number].leave(), 0)
                services[number] = self.serve(name, "--set", "shutdown.delaySeconds=3")
                until(services[number].ready, "the new one is ready", services[number].log)
                until(lambda: services[number].address in self.nginx.upstreams, "nginx has heard of it")
            time.sleep(2)
        self.services[:] = services
        self.assertGreater(len(outcomes), 200)
        self.assertEqual(set(outcomes), {200})


if __name__ == "__main__":
    unittest.main()
