"""Rules and dashboard are right, each alert fires when it should and only then, and has its page."""

import re
import shutil
import tempfile
import unittest
from pathlib import Path

import monitoring
import yaml
from chart import CHART, ROOT, VARIANTS, of_kind, only, render, run, variant

RUNBOOKS = ROOT / "docs/runbooks"
CASES = ROOT / "helm/test/rules_test.yaml"


class RulesTest(unittest.TestCase):
    def promtool(self, *arguments, groups):
        with tempfile.TemporaryDirectory() as folder:
            rules = Path(folder, "rules.yaml")
            monitoring.write(groups, rules)
            shutil.copy(CASES, folder)
            return run("promtool", *arguments, cwd=folder)

    def test_every_variants_rules_are_right(self):
        checked = 0
        for name in VARIANTS:
            for rule in of_kind(variant(name), "PrometheusRule"):
                done = self.promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml",
                                     groups=rule["spec"]["groups"])
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                checked += 1
        self.assertGreater(checked, 1)

    def test_alerts_fire_when_they_should(self):
        done = self.promtool("test", "rules", "rules_test.yaml", groups=monitoring.rules())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(self):
        cases = [case for test in yaml.safe_load(CASES.read_text())["tests"] for case in test["alert_rule_test"]]
        names = {alert["alert"] for alert in monitoring.alerts()}
        self.assertEqual({case["alertname"] for case in cases if case["exp_alerts"]}, names)
        self.assertEqual({case["alertname"] for case in cases if not case["exp_alerts"]}, names)

    def test_each_alert_has_its_page(self):
        names = {alert["alert"] for alert in monitoring.alerts()}
        self.assertEqual({page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}, names)
        for name in names:
            page = (RUNBOOKS / f"{name}.md").read_text()
            self.assertTrue(page.startswith(f"# {name}\n"), name)
            self.assertEqual(re.findall("^## (.*)$", page, re.M), ["What it means", "What to look at", "What to do"], name)
            self.assertIn(f"[{name}]({name}.md)", (RUNBOOKS / "README.md").read_text())

    def test_the_page_of_restarts_tells_what_does_not_count_there(self):
        """rules_test.yaml shows that it is so."""
        page = (RUNBOOKS / "AtelierRestarts.md").read_text()
        meaning = re.search("## What it means\n(.*?)\n## ", page, re.S).group(1)
        self.assertIn("before its first scrape", meaning)
        self.assertIn("[AtelierScrapeFails](AtelierScrapeFails.md)", meaning)
        self.assertIn("[AtelierNoReadyPod](AtelierNoReadyPod.md)", meaning)

    def test_the_pages_name_only_what_there_is(self):
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        settings = set(re.findall(r"`(atelier\.[\w.-]+)`", (ROOT / "docs/configuration.md").read_text()))
        panels = {panel["title"] for panel in monitoring.panels()}
        for page in RUNBOOKS.glob("*.md"):
            with self.subTest(page.stem):
                text = page.read_text()
                for setting in re.findall(r"`(atelier\.[\w.-]+)`", text):
                    self.assertIn(setting, settings)
                for panel in re.findall(r"\*([A-Z][\w, ]+)\*", text):
                    self.assertIn(panel, panels)
                for value in re.findall(r"`([a-z]\w+(?:\.\w+)+)`", text):
                    if value.split(".")[0] in values and not value.endswith((".yaml", ".md")):
                        node = values
                        for key in value.split("."):
                            self.assertIn(key, node, value)
                            node = node[key]

    def test_what_no_scrape_of_a_test_has_is_what_the_page_of_metrics_names(self):
        page = (ROOT / "docs/operations.md").read_text()
        documented = set(re.findall(r"^\| `(atelier_\w+)` \|", page, re.M))
        exempt = {metric for metric in monitoring.named() if monitoring.NOT_ALWAYS.match(metric)}
        self.assertIn("atelier_device_quarantined_total", exempt)
        self.assertGreater(len(exempt), 5)
        self.assertEqual(exempt - documented, set())

    def test_alerts_can_be_left_out_and_labelled(self):
        rule = only(variant("everything"), "PrometheusRule")
        left = {entry["alert"]: entry for group in rule["spec"]["groups"] for entry in group["rules"] if "alert" in entry}
        self.assertEqual({alert["alert"] for alert in monitoring.alerts()} - set(left), {"AtelierScrapeFails"})
        for name, alert in left.items():
            self.assertEqual(alert["labels"]["team"], "ml")
            self.assertEqual(alert["annotations"]["runbook_url"], f"https://runbooks.example.com/atelier/{name}.md")

    def test_no_pod_is_no_alarm_where_there_may_be_none(self):
        expression = {alert["alert"]: alert["expr"] for alert in monitoring.alerts()}["AtelierNoReadyPod"]
        self.assertIn("absent(", expression)
        to_zero = render("--values", VARIANTS["keda"], "--set", "monitoring.rules.enabled=true")
        self.assertNotIn("absent(", str(only(to_zero, "PrometheusRule")))


def parse(expressions):
    """What promtool says to expressions, as if each were recorded."""
    recorded = [{"record": f"expression:{number}", "expr": expression} for number, expression in enumerate(expressions)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "expressions.yaml")
        monitoring.write([{"name": "expressions", "rules": recorded}], file)
        return run("promtool", "check", "rules", file)


class DashboardTest(unittest.TestCase):
    def test_every_expression_is_right(self):
        queries = [expression for _, expression in monitoring.queries()]
        self.assertGreater(len(queries), 30)
        done = parse(queries)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_panel_says_what_it_shows_and_takes_the_chosen_data_source(self):
        for panel in monitoring.panels():
            with self.subTest(panel["title"]):
                self.assertTrue(panel["description"])
                self.assertEqual(panel["datasource"]["uid"], "${datasource}")
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"], "${datasource}")
                    selectors = re.findall(r"\w+\{([^}]*)\}", target["expr"])
                    self.assertTrue(selectors)
                    for selector in selectors:
                        self.assertIn('namespace="$namespace",job="$job"', selector)

    def test_panels_have_places_of_their_own(self):
        taken = set()
        for panel in monitoring.dashboard()["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(place["x"] + place["w"], 24)
            taken |= cells

    def test_it_has_the_rows_that_somebody_on_call_needs(self):
        self.assertEqual([panel["title"] for panel in monitoring.dashboard()["panels"] if panel["type"] == "row"],
                         ["Is it well?", "Traffic", "Errors by outcome", "Latency by stage", "Batch sizes",
                          "Queue and predicted wait", "Devices and GPU memory", "Restarts and the process"])

    def test_every_row_has_panels(self):
        rows = {}
        for panel in sorted(monitoring.dashboard()["panels"], key=lambda panel: panel["gridPos"]["y"]):
            if panel["type"] == "row":
                below = rows[panel["title"]] = []
            else:
                below.append(panel)
        self.assertEqual([title for title, panels in rows.items() if not panels], [])
        stages = {metric for panel in rows["Latency by stage"] for target in panel["targets"]
                  for metric in monitoring.metrics(target["expr"])}
        self.assertLessEqual({"atelier_queue_duration_seconds_bucket", "atelier_execution_duration_seconds_bucket",
                              "atelier_execution_stage_seconds_total"}, stages)

    def test_every_panel_has_a_number_of_its_own(self):
        numbers = [panel["id"] for panel in monitoring.dashboard()["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_the_config_map_carries_it_whole(self):
        config = next(manifest for manifest in of_kind(variant("gpu"), "ConfigMap") if "atelier.json" in manifest["data"])
        self.assertEqual(yaml.safe_load(config["data"]["atelier.json"]), monitoring.dashboard())
        self.assertEqual(config["metadata"]["labels"]["grafana_dashboard"], "1")


class AutoscalerTest(unittest.TestCase):
    """The autoscalers look at what the recording rules record."""

    def test_keda_asks_for_the_mean_of_what_is_recorded_for_each_pod(self):
        recorded = {rule["record"]: rule["expr"] for rule in monitoring.records()}
        queue, busy, proxy = monitoring.triggers().values()
        self.assertIn("avg_over_time(atelier_queue_predicted_wait_seconds", recorded["atelier:queue_seconds:avg1m"])
        self.assertEqual(monitoring.metrics(queue["metadata"]["query"]),
                         monitoring.metrics(recorded["atelier:queue_seconds:avg1m"]))
        self.assertEqual(monitoring.metrics(busy["metadata"]["query"]),
                         monitoring.metrics(recorded["atelier:device_busy:ratio1m"]))
        self.assertEqual([queue["metadata"]["threshold"], busy["metadata"]["threshold"]], ["0.05", "0.7"])
        self.assertEqual(proxy["name"], "proxy")
        self.assertEqual(queue["metadata"]["ignoreNullValues"], "true")

    def test_kedas_queries_are_right(self):
        queries = [trigger["metadata"]["query"] for trigger in monitoring.triggers().values()]
        self.assertEqual(len(queries), 3)
        done = parse(queries)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_keda_is_told_what_the_values_say(self):
        values = yaml.safe_load(VARIANTS["keda"].read_text())["autoscaling"]
        spec = only(variant("keda"), "ScaledObject")["spec"]
        expected = {"minReplicaCount": values["minReplicas"], "maxReplicaCount": values["maxReplicas"],
                    "pollingInterval": values["keda"]["pollingInterval"],
                    "cooldownPeriod": values["keda"]["cooldownPeriod"]}
        self.assertEqual({name: spec[name] for name in expected}, expected)
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        self.assertEqual(behavior["scaleDown"]["stabilizationWindowSeconds"], values["scaleDownSeconds"])
        *own, proxy = spec["triggers"]
        self.assertEqual([proxy], values["keda"]["triggers"], "as it was given")
        self.assertEqual([trigger["type"] for trigger in own], ["prometheus"] * 2)
        for trigger in own:
            self.assertEqual(trigger["metadata"]["serverAddress"], values["keda"]["serverAddress"])
            self.assertEqual(trigger["authenticationRef"], values["keda"]["authenticationRef"])
        self.assertEqual([trigger["metadata"]["activationThreshold"] for trigger in own], ["0", "0.02"],
                         "golden checks alone keep no pod")
        kept = only(render("--values", VARIANTS["keda"], "--set", "autoscaling.minReplicas=3"), "ScaledObject")
        self.assertEqual(kept["spec"]["minReplicaCount"], 3)

    def test_an_outage_of_prometheus_takes_no_pod_away(self):
        scaled = only(render("--values", VARIANTS["keda"], "--set", "autoscaling.minReplicas=1"), "ScaledObject")
        self.assertEqual([trigger["metadata"].get("ignoreNullValues") for trigger in scaled["spec"]["triggers"]],
                         ["false", "false", None])

    def test_the_page_configures_the_adapter_for_what_the_hpa_asks(self):
        page = (ROOT / "docs/autoscaling.md").read_text()
        adapter = yaml.safe_load(re.search(r"```yaml\n(rules:.*?)```", page, re.S).group(1))
        given = {rule["name"]["as"] for rule in adapter["rules"]["custom"]}
        hpa = only(variant("hpa"), "HorizontalPodAutoscaler")
        self.assertEqual({metric["pods"]["metric"]["name"] for metric in hpa["spec"]["metrics"]}, given)
        recorded = {rule["record"] for rule in monitoring.records(variant("hpa"))}
        for rule in adapter["rules"]["custom"]:
            self.assertLessEqual(monitoring.metrics(rule["seriesQuery"]), recorded)
        targets = yaml.safe_load((CHART / "values.yaml").read_text())["autoscaling"]
        self.assertEqual([metric["pods"]["target"]["averageValue"] for metric in hpa["spec"]["metrics"]],
                         [f"{targets[name] * 1000:.0f}m" for name in ("queueSeconds", "busyRatio")])


if __name__ == "__main__":
    unittest.main()
