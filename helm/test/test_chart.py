"""The chart renders, is valid and keeps its promises in every variant; what is wrong is refused with what to do."""

import hashlib
import json
import os
import re
import tempfile
import unittest
from copy import deepcopy
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree

import yaml
from cluster import Cluster
from chart import (CHART, HELM, KUBERNETES, ROOT, VARIANTS, containers, objects, of_kind, only, pods, properties, render,
                   run, template, validate, variant)

import generate

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


class RenderTest(unittest.TestCase):
    def test_every_variant_lints_and_renders_alike_with_both_helms_for_the_newest_minors(self):
        for name, values in VARIANTS.items():
            for kubernetes in KUBERNETES:
                texts = []
                for major, helm in HELM.items():
                    with self.subTest(variant=name, kubernetes=kubernetes, helm=major):
                        linted = run(helm, "lint", "--strict", CHART, "--values", values, "--kube-version", kubernetes)
                        self.assertEqual(linted.returncode, 0, linted.stdout + linted.stderr)
                        texts.append(variant(name, major=major, kubernetes=kubernetes))
                by_name = [sorted(manifests, key=identity) for manifests in texts]
                self.assertEqual(*by_name)

    def test_it_packages(self):
        with tempfile.TemporaryDirectory() as folder:
            for helm in HELM.values():
                packed = run(helm, "package", CHART, "--destination", folder)
                self.assertEqual(packed.returncode, 0, packed.stderr)

    def test_the_notes_warn_of_what_will_bite(self):
        def notes(*options):
            shown = run(HELM[4], "install", "release", CHART, "--dry-run=client", "--namespace", "ml", *options)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            return shown.stdout.split("NOTES:\n")[1]

        gpu = notes()
        self.assertIn("/v1/embeddings -d", gpu)
        self.assertIn("Where no node offers one, pods stay Pending", gpu)
        self.assertIn("'NODE:.metadata.name,GPUS:.status.allocatable.nvidia\\.com/gpu'", gpu)
        self.assertIn("with one pod an update interrupts the service", gpu)
        self.assertIn("nothing scrapes the metrics", gpu)
        self.assertNotIn("proxies cut", gpu)
        self.assertNotIn("Bearer", gpu)
        self.assertIn("curl -H 'Authorization: Bearer KEY' localhost:8080/v1/embeddings",
                      notes("--set", "auth.existingSecret=keys"))
        self.assertNotIn("Pending", notes("--set", "device.mode=cpu"))
        proxied = ("--set", "ingress.enabled=true,ingress.hosts[0].host=a.example.com")
        self.assertIn("allow 64 MiB and 35 s", notes(*proxied))
        self.assertNotIn("proxies cut", notes(*proxied, "--set", "ingress.controller=ingress-nginx"))
        self.assertIn("no field for the size of bodies", notes("--values", VARIANTS["gateway"]))
        self.assertIn("does not know keda.sh", notes("--values", VARIANTS["keda"]))
        hpa = notes("--values", VARIANTS["hpa"])
        self.assertIn("custom.metrics.k8s.io", hpa)
        self.assertNotIn("this release has none", hpa)
        without = notes("--values", VARIANTS["hpa"], "--set", "monitoring.rules.enabled=false")
        self.assertIn("Set monitoring.rules.enabled, unless rules of your own record atelier:queue_seconds:avg1m and "
                      "atelier:device_busy:ratio1m.", without)
        self.assertIn("the pod monitor needs", notes("--values", VARIANTS["keda"]))

    def test_the_notes_look_at_the_cluster(self):
        def notes(major, nodes, *options, more=()):
            with Cluster(nodes, more) as environment:
                shown = run(HELM[major], "install", "release", CHART, "--dry-run=server", "--disable-openapi-validation",
                            "--namespace", "ml", *options, env=os.environ | environment)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            return shown.stdout.split("NOTES:\n")[1]

        look = ("--set", "checkNodes=true")
        for major in HELM:
            with self.subTest(helm=major):
                none = "no node offers nvidia.com/gpu"
                self.assertIn(none, notes(major, [{"cpu": "8"}], *look))
                self.assertIn(none, notes(major, [{"cpu": "8", "nvidia.com/gpu": "0"}], *look))
                self.assertNotIn(none, notes(major, [{"cpu": "8"}, {"nvidia.com/gpu": "1"}], *look))
                self.assertNotIn(none, notes(major, None), "without the right to list nodes it installs all the same")
                self.assertIn("Set monitoring.monitor to service", notes(major, [], more=["monitoring.coreos.com/v1"]))


class ValidityTest(unittest.TestCase):
    """Fabric8's model, the official client's and kubernetes-models, together."""

    UNKNOWN_TO_FABRIC8 = "ScaledObject"
    KEDA = {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "advanced",
            "triggers"}

    def test_every_manifest_is_valid(self):
        manifests, origins = [], []
        for name in VARIANTS:
            for manifest in variant(name):
                if manifest["kind"] == "ServingRuntime":  # no model knows it; its pod they know
                    self.assertEqual(set(manifest["spec"]) - {"supportedModelFormats", "protocolVersions", "multiModel",
                                                              "annotations"} - POD_FIELDS, set())
                    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": manifest["metadata"],
                                "spec": {key: value for key, value in manifest["spec"].items() if key in POD_FIELDS}}
                if manifest["kind"] == "ScaledObject":
                    self.assertLessEqual(set(manifest["spec"]), self.KEDA)
                manifests.append(manifest)
                origins.append(f"{name}: {identity(manifest)}")
        self.assertGreater(len(manifests), 60)
        findings = [finding.split("\t") for finding in validate(manifests)]
        self.assertEqual([f"{origins[int(number)]}: {finding}" for number, _, finding in findings
                          if (finding, manifests[int(number)]["kind"]) != ("unknown kind", self.UNKNOWN_TO_FABRIC8)], [])

    def test_planted_mistakes_are_found(self):
        deployment = only(variant("gpu"), "Deployment")
        monitor = only(variant("gpu"), "ServiceMonitor")
        scaled = only(variant("keda"), "ScaledObject")
        route = only(variant("gateway"), "HTTPRoute")
        claim = only(variant("dra"), "ResourceClaimTemplate")
        pod = ("spec", "template", "spec")
        container = pod + ("containers", 0)
        planted = {
            "terminationGracePeriodSecond": (deployment, pod, {"terminationGracePeriodSecond": 90}),
            "imagePullpolicy": (deployment, container, {"imagePullpolicy": "Always"}),
            "Sometimes": (deployment, container, {"imagePullPolicy": "Sometimes"}),
            "sleeps": (deployment, container + ("lifecycle", "preStop"), {"sleeps": {"seconds": 5}}),
            "a container without a name": (deployment, container, {"name": None}),
            "no selector": (deployment, ("spec",), {"selector": None}),
            "two replicas in words": (deployment, ("spec",), {"replicas": "two"}),
            "endpoint": (monitor, ("spec",), {"endpoint": []}),
            "a monitor of nothing": (monitor, ("spec",), {"selector": None}),
            "nothing to scale": (scaled, ("spec",), {"scaleTargetRef": None}),
            "requests": (route, ("spec", "rules", 0, "timeouts"), {"requests": "35s"}),
            "exact": (claim, ("spec", "spec", "devices", "requests", 0), {"exact": {}}),
        }
        broken = []
        for original, path, change in planted.values():
            copy = deepcopy(original)
            node = copy
            for step in path:
                node = node[step]
            for key, value in change.items():
                node.pop(key) if value is None else node.update({key: value})
            broken.append(copy)
        findings = [finding.split("\t") for finding in validate(broken)]
        found = {int(number) for number, _, finding in findings if finding != "unknown kind"}
        self.assertEqual([name for number, name in enumerate(planted) if number not in found], [])


class RefusalTest(unittest.TestCase):
    def refusals(self, options):
        """What each Helm says."""
        for major in HELM:
            with self.subTest(options, helm=major), self.assertRaises(ValueError) as refusal:
                template("--set", options, major=major)
            yield str(refusal.exception)

    def test_the_schema_refuses_what_is_unknown_or_out_of_range(self):
        for option, words in {
            "replicas=2": "additional propert.*replicas",
            "device.mode=tpu": "gpu.*dra.*cpu",
            "device.gpu.count=0": "device.gpu.count.*(minimum|greater than or equal to).* 1",
            "device.gpu.resource=gpu": "device.gpu.resource.*pattern",
            "config.batching.max-batchsize=8": "config.batching.*additional propert.*max-batchsize",
            "config.batching.max-batch-size=70000": "max-batch-size.*(maximum|less than or equal to).*65,?536",
            "config.requests.timeout=soon": "config.requests.timeout.*pattern",
            "config.strict-readiness=often": "strict-readiness.*boolean",
            "config.tracing.endpoint=collector:4318": "config.tracing.endpoint.*pattern",
            "config.tracing.sample-ratio=2": "sample-ratio.*(maximum|less than or equal to).*1",
            "models.http.files[0].url=https://example.com/m": "sha256",
            "image.digest=latest": "image.digest.*sha256",
            "autoscaling.kind=both": "autoscaling.kind.*none.*hpa.*keda",
            "security.runAsUser=0": "runAsUser.*(minimum|greater than or equal to).* 1",
        }.items():
            for refusal in self.refusals(option):  # the one writes paths with dots, the other with slashes
                self.assertRegex(refusal.replace("/", "."), re.compile(words, re.IGNORECASE))

    def test_combinations_are_refused_with_what_to_do(self):
        monitored = "monitoring.monitor=pod,autoscaling.keda.serverAddress=http://prometheus,autoscaling.kind=keda"
        for options, words in {
            "shutdown.drainSeconds=20": "a request that was accepted could be cut off; raise it",
            "config.requests.timeout=10S": "set requestTimeoutSeconds instead",
            "config.drain.timeout=10S": "set shutdown.drainSeconds instead",
            "config.model-repository=/m": "set models.source and models.path instead",
            "config.auth.admins=ops": "set auth.existingSecret and auth.admins instead",
            "auth.admins[0]=ops": "name the Secret with the API keys",
            "config.devices=auto": "leave it out, or set device.mode to cpu",
            "device.mode=cpu,config.devices=gpu": "device.mode cpu gives the pod none",
            "properties.atelier\\.slots=2": "it belongs into config",
            "properties.quarkus\\.shutdown\\.delay=2S": "set shutdown.delaySeconds",
            "resources.limits.nvidia\\.com/gpu=2": "comes from device.gpu; take it out",
            "config.tracing.enabled=true,networkPolicy.enabled=true": "let the pods connect to it",
            "models.source=pvc": "name the PersistentVolumeClaim",
            "models.source=oci": "name the image",
            "models.source=http": "list what to fetch",
            "models.source=s3": "s3://bucket/prefix",
            "models.source=s3,models.s3.uri=s3://b/p,networkPolicy.enabled=true": "let the pods connect to it",
            "strategy.rollingUpdate.maxSurge=1": "the update never ends; leave strategy empty",
            "strategy.type=RollingUpdate": "the update never ends; leave strategy empty",
            "strategy.rollingUpdate.maxUnavailable=0": "the update never ends; leave strategy empty",
            "strategy.rollingUpdate.maxUnavailable=1": "set maxSurge to 0, which is 25% unless set",
            "device.mode=dra,strategy.type=RollingUpdate": "the update never ends; leave strategy empty",
            "strategy.rollingUpdate.maxSurge=0,strategy.rollingUpdate.maxUnavailable=0": "no pod could ever be replaced",
            "device.mode=cpu,strategy.rollingUpdate.maxSurge=0%,strategy.rollingUpdate.maxUnavailable=0%":
                "no pod could ever be replaced, which the API refuses; set it to 1",
            "strategy.type=Recreate,strategy.rollingUpdate.maxSurge=0": "beside the type Recreate; take one of them out",
            "device.mode=cpu,strategy.type=Recreate,strategy.rollingUpdate.maxUnavailable=1": "take one of them out",
            "autoscaling.minReplicas=5": "larger than autoscaling.maxReplicas; lower it",
            "autoscaling.minReplicas=0": "only KEDA scales to 0",
            f"{monitored},autoscaling.minReplicas=0": "add a trigger on what is in front of the pods",
            "autoscaling.kind=keda,monitoring.monitor=pod": "give Prometheus' address",
            "autoscaling.kind=hpa": "the autoscaler needs the metrics; set service or pod",
            "kserve.enabled=true,device.mode=dra": "cannot claim devices; set device.mode to gpu",
            "ingress.enabled=true": "name at least one host",
            "gateway.enabled=true": "name the Gateway",
        }.items():
            for refusal in self.refusals(options):
                self.assertIn(words, refusal)

    def test_strategies_that_end_are_left_alone(self):
        for options in ("device.mode=cpu,strategy.rollingUpdate.maxSurge=1", "device.mode=cpu,strategy.type=RollingUpdate",
                        "device.mode=cpu,strategy.rollingUpdate.maxUnavailable=0", "strategy.type=Recreate",
                        "strategy.rollingUpdate.maxSurge=0", "strategy.rollingUpdate.maxSurge=0%",
                        "strategy.type=RollingUpdate,strategy.rollingUpdate.maxSurge=0,"
                        "strategy.rollingUpdate.maxUnavailable=50%"):
            with self.subTest(options):
                self.assertTrue(template("--set", options))

    def test_every_mistake_is_named_at_once(self):
        for refusal in self.refusals("models.source=pvc,ingress.enabled=true"):
            self.assertIn("models.pvc.claimName", refusal)
            self.assertIn("ingress.hosts", refusal)


class PromiseTest(unittest.TestCase):
    """What holds in every variant."""

    def each_service(self):
        """Every container of the service: Deployment's and ServingRuntime's."""
        for name in VARIANTS:
            manifests = variant(name)
            for kind in ("Deployment", "ServingRuntime"):
                for manifest in of_kind(manifests, kind):
                    spec = manifest["spec"]
                    pod = spec["template"]["spec"] if kind == "Deployment" else spec
                    with self.subTest(variant=name, kind=kind):
                        yield name, manifests, pod, pod["containers"][0]

    def test_a_pod_has_one_gpu_unless_it_serves_on_cpus(self):
        for name, manifests, pod, container in self.each_service():
            gpus = sum(map(extended_resources, containers(pod)))
            self.assertEqual(extended_resources(container), gpus, "the service's own")
            claims = [claim for each in containers(pod) for claim in each.get("resources", {}).get("claims", [])]
            self.assertEqual(claims, container["resources"].get("claims", []), "the service's own")
            for claim in claims:
                self.assertIn({"name": claim["name"], "resourceClaimTemplateName": only(
                    manifests, "ResourceClaimTemplate")["metadata"]["name"]}, pod["resourceClaims"])
                (request,) = only(manifests, "ResourceClaimTemplate")["spec"]["spec"]["devices"]["requests"]
                gpus += request["exactly"]["count"]
            self.assertEqual(gpus, 0 if name == "cpu" else 1)
            self.assertRegex(properties(manifests)["atelier.devices"], "^cpu" if name == "cpu" else "^gpu$")

    def test_the_tests_pod_takes_no_gpu(self):
        for name in VARIANTS:
            spec = only(variant(name), "Pod")["spec"]
            with self.subTest(name):
                self.assertEqual([extended_resources(container) for container in containers(spec)], [0])
                self.assertNotIn("resourceClaims", spec)
                self.assertNotIn("claims", str(spec))

    def test_more_gpus_are_a_value_and_lengthen_the_end(self):
        two = only(render("--set", "device.gpu.count=2"), "Deployment")["spec"]["template"]["spec"]
        self.assertEqual(two["containers"][0]["resources"]["limits"]["nvidia.com/gpu"], 2)
        one = only(render(), "Deployment")["spec"]["template"]["spec"]
        self.assertEqual(two["terminationGracePeriodSeconds"] - one["terminationGracePeriodSeconds"], 5)

    def test_the_grace_period_is_longer_than_the_longest_end(self):
        for name, manifests, pod, container in self.each_service():
            settings = properties(manifests)
            devices = int(re.search(r"\d*$", settings["atelier.devices"]).group() or 1)
            end = (container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                   + seconds(settings["quarkus.shutdown.delay"]) + seconds(settings["atelier.drain.timeout"])
                   + 5 * (1 + devices))
            self.assertGreaterEqual(seconds(settings["atelier.drain.timeout"]),
                                    seconds(settings["atelier.requests.timeout"]))
            if "terminationGracePeriodSeconds" in pod:
                self.assertGreater(pod["terminationGracePeriodSeconds"], end)

    def test_a_pod_that_leaves_waits_for_the_routers_first(self):
        for name in VARIANTS:
            (container,) = only(variant(name), "Deployment")["spec"]["template"]["spec"]["containers"]
            with self.subTest(name):
                self.assertEqual(container["lifecycle"],
                                 {"preStop": {"sleep": {"seconds": value(name, "shutdown", "preStopSeconds")}}})
        self.assertEqual(value("ingress", "shutdown", "preStopSeconds"), 10, "one that is not the default")

    def test_the_autoscaler_alone_counts_the_pods(self):
        for name, manifests, *_ in self.each_service():
            scalers = of_kind(manifests, "HorizontalPodAutoscaler") + of_kind(manifests, "ScaledObject")
            deployment = only(manifests, "Deployment")
            self.assertEqual("replicas" in deployment["spec"], not scalers)
            self.assertEqual(bool(scalers), name in ("hpa", "keda"))
            for scaler in scalers:
                self.assertEqual(scaler["spec"]["scaleTargetRef"]["name"], deployment["metadata"]["name"])

    def test_an_update_ends_when_every_gpu_is_taken(self):
        for name, manifests, *_ in self.each_service():
            strategy = only(manifests, "Deployment")["spec"]["strategy"]
            expected = ({"type": "Recreate"} if name == "everything"
                        else {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
                        if name == "cpu"
                        else {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
            self.assertEqual(strategy, expected)

    def test_every_container_is_restricted(self):
        for name in VARIANTS:
            manifests = variant(name)
            for origin, pod in pods(manifests):
                with self.subTest(variant=name, pod=origin):
                    self.assertIs(pod["automountServiceAccountToken"], False)
                    self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
                    self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertLessEqual({next(iter(volume.keys() - {"name"})) for volume in pod.get("volumes", [])},
                                         {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "image"})
            self.assertEqual(len(list(pods(manifests))), 2, "the service's pod and the test's")
            runtimes = [runtime["spec"] for runtime in of_kind(manifests, "ServingRuntime")]
            for container in (container for pod in [*(pod for _, pod in pods(manifests)), *runtimes]
                              for container in containers(pod)):
                with self.subTest(variant=name, container=container["name"]):
                    context = container["securityContext"]
                    self.assertIs(context["runAsNonRoot"], True)
                    self.assertIs(context["allowPrivilegeEscalation"], False)
                    self.assertIs(context["readOnlyRootFilesystem"], True)
                    self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                    self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
            for account in of_kind(manifests, "ServiceAccount"):
                self.assertIs(account["automountServiceAccountToken"], False)

    def test_pods_share_nothing_with_their_node(self):
        for name in VARIANTS:
            manifests = variant(name)
            specs = [spec for _, spec in pods(manifests)] + [m["spec"] for m in of_kind(manifests, "ServingRuntime")]
            for spec in specs:
                with self.subTest(name):
                    self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & spec.keys())
                    self.assertNotIn("hostPort", str(spec))
                    if name != "everything":
                        self.assertNotIn("runtimeClassName", spec)
        self.assertEqual(only(variant("everything"), "Deployment")["spec"]["template"]["spec"]["runtimeClassName"], "nvidia")

    def test_models_lie_where_the_service_looks_for_them(self):
        digest = "0123456789abcdef" * 4
        for name, path, volume, sub_path in (
            ("gpu", "/srv/models", {"persistentVolumeClaim": {"claimName": "models", "readOnly": True}}, "production"),
            ("mig", "/models", {"image": {"reference": f"registry.example.com/ml/models@sha256:{digest}",
                                          "pullPolicy": "Always"}}, "repository"),
            ("http", "/models", {"emptyDir": {"sizeLimit": "20Gi"}}, None),
            ("everything", "/models", {"emptyDir": {"sizeLimit": "100Gi"}}, None),
        ):
            with self.subTest(name):
                manifests = variant(name)
                pod = only(manifests, "Deployment")["spec"]["template"]["spec"]
                (container,) = pod["containers"]
                self.assertEqual(properties(manifests)["atelier.model-repository"], path)
                self.assertNotIn("ATELIER_MODEL_REPOSITORY", {entry["name"] for entry in container["env"]}, "would win")
                (mount,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == path]
                self.assertIs(mount["readOnly"], True)
                self.assertEqual(mount.get("subPath"), sub_path)
                self.assertEqual([{key: of for key, of in each.items() if key != "name"}
                                  for each in pod["volumes"] if each["name"] == mount["name"]], [volume])
                fetchers = [each for each in pod.get("initContainers", []) if each["name"] == "models"]
                self.assertEqual(len(fetchers), int("emptyDir" in volume))
                for fetcher in fetchers:
                    (shared,) = [each for each in fetcher["volumeMounts"] if each["name"] == mount["name"]]
                    self.assertEqual(shared, {"name": mount["name"], "mountPath": path}, "the same folder, to write to")
                    self.assertEqual(pod["initContainers"][0], fetcher)

    def test_models_in_the_image_need_no_volume(self):
        for name, path in (("keda", "/opt/models"), ("cpu", None)):
            with self.subTest(name):
                manifests = variant(name)
                pod = only(manifests, "Deployment")["spec"]["template"]["spec"]
                self.assertEqual(properties(manifests).get("atelier.model-repository"), path)
                self.assertNotIn("initContainers", pod)
                self.assertEqual([volume["name"] for volume in pod["volumes"]], ["tmp", "config"])
                self.assertEqual([mount["name"] for mount in pod["containers"][0]["volumeMounts"]], ["tmp", "config"])

    def test_a_bucket_is_fetched_as_the_values_say(self):
        fetcher = only(variant("everything"), "Deployment")["spec"]["template"]["spec"]["initContainers"][0]
        self.assertEqual(fetcher["image"], "registry.example.com/aws-cli:2")
        self.assertEqual(fetcher["command"], ["aws", "s3", "sync", "--no-progress", "s3://models/production", "/models"])
        self.assertNotIn("args", fetcher)
        self.assertEqual({entry["name"]: entry["value"] for entry in fetcher["env"]},
                         {"HOME": "/tmp", "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "https://minio.example.com"})
        self.assertEqual(fetcher["envFrom"], [{"secretRef": {"name": "s3"}}])
        amazon = render("--set", "models.source=s3,models.s3.uri=s3://b/p,models.path=/data")
        (fetcher,) = only(amazon, "Deployment")["spec"]["template"]["spec"]["initContainers"]
        self.assertEqual(fetcher["command"][-2:], ["s3://b/p", "/data"])
        self.assertNotIn("envFrom", fetcher)
        self.assertEqual([entry["name"] for entry in fetcher["env"]], ["HOME", "AWS_REGION"])

    def test_a_file_is_fetched_into_the_repository(self):
        (fetcher,) = only(variant("http"), "Deployment")["spec"]["template"]["spec"]["initContainers"]
        self.assertEqual(fetcher["image"], "registry.example.com/curl:8")
        self.assertIn({"name": "MODELS", "value": "/models"}, fetcher["env"])

    def test_kserve_runs_the_container_with_a_repository_of_its_own(self):
        runtime = only(variant("everything"), "ServingRuntime")["spec"]
        (container,) = runtime["containers"]
        self.assertEqual(container["name"], "kserve-container")
        self.assertEqual(runtime["protocolVersions"], ["v2"])
        self.assertIs(runtime["multiModel"], False)
        self.assertEqual(runtime["supportedModelFormats"], value("everything", "kserve", "modelFormats"))
        self.assertEqual([entry["value"] for entry in container["env"] if entry["name"] == "ATELIER_MODEL_REPOSITORY"],
                         ["/mnt/models"])
        self.assertNotIn("models", {mount["name"] for mount in container["volumeMounts"]})
        self.assertNotIn("lifecycle", container, "Knative refuses it")
        self.assertNotIn("initContainers", runtime)
        self.assertEqual(runtime["annotations"],
                         {"prometheus.kserve.io/port": "8080", "prometheus.kserve.io/path": "/q/metrics"})
        (service,) = only(variant("everything"), "Deployment")["spec"]["template"]["spec"]["containers"]
        self.assertEqual([container["image"], container["ports"][0]["containerPort"]],
                         [service["image"], service["ports"][0]["containerPort"]])

    def test_prometheus_finds_the_metrics_under_the_job_that_rules_and_triggers_ask_for(self):
        seen = set()
        for name in VARIANTS:
            manifests = variant(name)
            (container,) = only(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
            service = only(manifests, "Service")
            labels = only(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
            for kind, endpoints, ports, found in (
                ("ServiceMonitor", "endpoints", service["spec"]["ports"], service["metadata"]["labels"]),
                ("PodMonitor", "podMetricsEndpoints", container["ports"], labels),
            ):
                for monitor in of_kind(manifests, kind):
                    with self.subTest(variant=name, kind=kind):
                        seen.add(kind)
                        self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), found.items())
                        (endpoint,) = monitor["spec"][endpoints]
                        self.assertIn(endpoint["port"], {port["name"] for port in ports})
                        self.assertEqual(endpoint["path"], "/q/metrics")
                        self.assertEqual(endpoint["interval"], value(name, "monitoring", "interval"))
                        (job,) = [relabeling["replacement"] for relabeling in endpoint["relabelings"]
                                  if relabeling["targetLabel"] == "job"]
                        asked = [rule for group in of_kind(manifests, "PrometheusRule") for rule in group["spec"]["groups"]]
                        asked += [trigger["metadata"]["query"] for scaled in of_kind(manifests, "ScaledObject")
                                  for trigger in scaled["spec"]["triggers"] if trigger["name"] != "proxy"]
                        self.assertTrue(asked)
                        self.assertEqual(set(re.findall(r'namespace="(.*?)",job="(.*?)"', str(asked))),
                                         {(monitor["metadata"]["namespace"], job)})
        self.assertEqual(seen, {"ServiceMonitor", "PodMonitor"})

    def test_the_port_leads_to_the_container(self):
        for name, manifests, pod, container in self.each_service():
            self.assertEqual([port["containerPort"] for port in container["ports"]], [8080])
            if "terminationGracePeriodSeconds" in pod:
                (port,) = only(manifests, "Service")["spec"]["ports"]
                self.assertIn(port["targetPort"], {each["name"] for each in container["ports"]})

    def test_a_network_policy_lets_in_callers_and_the_test_and_out_to_dns(self):
        manifests = variant("everything")
        (container,) = only(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
        policy = only(manifests, "NetworkPolicy")["spec"]
        self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
        (ingress,) = policy["ingress"]
        self.assertEqual(ingress["ports"], [{"port": container["ports"][0]["name"], "protocol": "TCP"}])
        *callers, test = ingress["from"]
        self.assertEqual(callers, value("everything", "networkPolicy", "from"))
        peer = test["podSelector"]["matchLabels"]
        self.assertLessEqual(peer.items(), only(manifests, "Pod")["metadata"]["labels"].items())
        self.assertEqual(test.keys(), {"podSelector"}, "in the namespace of the release")
        dns, *further = policy["egress"]
        self.assertEqual(dns, {"ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]})
        self.assertEqual(further, value("everything", "networkPolicy", "egress"))
        anybody = only(render("--set", "networkPolicy.enabled=true"), "NetworkPolicy")["spec"]
        self.assertNotIn("from", anybody["ingress"][0])
        self.assertEqual(anybody["egress"], [dns])

    def test_the_keys_are_mounted_where_the_service_looks_for_them(self):
        (pod,) = [pod for _, pod in pods(variant("everything")) if "volumes" in pod]
        (container,) = [container for container in pod["containers"] if container["name"] == "atelier"]
        environment = {entry["name"]: entry.get("value") for entry in container["env"]}
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        mount = mounts[environment["ATELIER_AUTH_API_KEYS"]]
        self.assertIs(mount["readOnly"], True)
        self.assertIn({"name": mount["name"], "secret": {"secretName": "atelier-keys"}}, pod["volumes"])
        self.assertEqual(environment["ATELIER_AUTH_ADMINS"], "ops,deploy")
        self.assertNotIn("ATELIER_AUTH", str(variant("gpu")))

    def test_each_probe_asks_its_own_question(self):
        for name, manifests, pod, container in self.each_service():
            self.assertEqual([container[probe]["httpGet"]["path"] for probe in PROBES],
                             ["/q/health/started", "/q/health/ready", "/q/health/live"])
            ports = {port["name"] for port in container["ports"]}
            self.assertEqual({container[probe]["httpGet"]["port"] for probe in PROBES}, ports)
        startup = only(variant("everything"), "Deployment")["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
        self.assertEqual(startup["failureThreshold"] * startup["periodSeconds"], 3610, "3605, rounded up")

    def test_proxies_allow_what_the_service_allows(self):
        annotations = only(variant("ingress"), "Ingress")["metadata"]["annotations"]
        settings = properties(variant("ingress"))
        self.assertEqual(settings["quarkus.http.limits.max-body-size"], "256M")
        self.assertEqual(annotations["nginx.ingress.kubernetes.io/proxy-body-size"], "256m")
        self.assertEqual(annotations, {"cert-manager.io/cluster-issuer": "letsencrypt"} | {
            f"nginx.ingress.kubernetes.io/proxy-{name}": text for name, text in {
                "body-size": "256m", "read-timeout": "125", "send-timeout": "125",
                "next-upstream": "error non_idempotent http_503", "next-upstream-tries": "2"}.items()})
        self.assertEqual(seconds(settings["atelier.requests.timeout"]) + 5, 125)
        self.assertEqual(only(variant("everything"), "Ingress")["metadata"]["annotations"], {
            f"nginx.org/{name}": text for name, text in {
                "client-max-body-size": "64m", "proxy-read-timeout": "35s", "proxy-send-timeout": "35s",
                "proxy-next-upstream": "error non_idempotent http_503", "proxy-next-upstream-tries": "2"}.items()})
        (rule,) = only(variant("gateway"), "HTTPRoute")["spec"]["rules"]
        self.assertEqual(rule["timeouts"], {"request": "35s", "backendRequest": "35s"})
        self.assertEqual(rule["filters"][0]["urlRewrite"]["path"]["replacePrefixMatch"], "/")

    def test_routes_lead_to_the_service(self):
        for name in ("gateway", "everything"):
            manifests = variant(name)
            service = only(manifests, "Service")
            (rule,) = only(manifests, "HTTPRoute")["spec"]["rules"]
            with self.subTest(name):
                self.assertEqual(rule["backendRefs"], [{"name": service["metadata"]["name"],
                                                        "port": service["spec"]["ports"][0]["port"]}])
        self.assertEqual(value("gateway", "service", "port"), 8000, "one that is not the default")
        for name in ("ingress", "everything"):
            manifests = variant(name)
            service = only(manifests, "Service")
            paths = [path for rule in only(manifests, "Ingress")["spec"]["rules"] for path in rule["http"]["paths"]]
            with self.subTest(name):
                self.assertTrue(paths)
                for path in paths:
                    self.assertEqual(path["backend"], {"service": {"name": service["metadata"]["name"], "port": {
                        "name": service["spec"]["ports"][0]["name"]}}})

    def test_numbers_are_written_out(self):
        self.assertEqual(properties(variant("gpu"))["atelier.batching.max-queue-size"], "1000000")

    def test_a_change_of_the_settings_restarts_the_pods(self):
        def checksum(*options):
            pod = only(render(*options), "Deployment")["spec"]["template"]
            return pod["metadata"]["annotations"]["checksum/config"]

        self.assertNotEqual(checksum(), checksum("--set", "config.slots=2"))

    def test_selectors_find_the_service_and_not_the_test(self):
        for name, manifests, *_ in self.each_service():
            labels = only(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
            test = only(manifests, "Pod")["metadata"]["labels"]
            selectors = [only(manifests, "Service")["spec"]["selector"],
                         only(manifests, "Deployment")["spec"]["selector"]["matchLabels"]]
            selectors += [policy["spec"]["podSelector"]["matchLabels"] for policy in of_kind(manifests, "NetworkPolicy")]
            budgets = of_kind(manifests, "PodDisruptionBudget")
            spreads = only(manifests, "Deployment")["spec"]["template"]["spec"].get("topologySpreadConstraints", [])
            self.assertEqual([len(budgets), len(spreads)], [0, 0] if name == "http" else [1, 1])
            selectors += [budget["spec"]["selector"]["matchLabels"] for budget in budgets]
            selectors += [spread["labelSelector"]["matchLabels"] for spread in spreads]
            for selector in selectors:
                self.assertLessEqual(selector.items(), labels.items())
                self.assertFalse(selector.items() <= test.items())

    def test_nothing_of_the_operators_is_there_unless_asked_for(self):
        self.assertEqual({manifest["apiVersion"] for manifest in render()}, {"v1", "apps/v1", "policy/v1"})


class ValuesTest(unittest.TestCase):
    def test_every_value_has_an_effect(self):
        """Each value is set by a variant or by hand, and putting its default back changes what is rendered."""
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        by_hand = {("device", "gpu", "count"): "--set=device.gpu.count=2",
                   ("device", "dra", "count"): "--set=device.mode=dra,device.dra.count=2"}
        without_effect = []
        for path, _ in generate.leaves(yaml.compose((CHART / "values.yaml").read_text())):
            if path in by_hand:
                option = by_hand[path]
                self.assertNotEqual(template(option), template(re.sub(",?[^=,]*count=2", "", option)), path)
            elif path == ("checkNodes",):
                pass  # test_the_notes_look_at_the_cluster
            elif not any(changes(name, path, at(defaults, path)) for name in VARIANTS):
                without_effect.append(".".join(path))
        self.assertEqual(without_effect, [])

    def test_the_readme_and_the_schema_are_up_to_date(self):
        self.assertEqual(generate.README.read_text(), generate.readme(), "run helm/test/generate.py")
        self.assertEqual(generate.SCHEMA.read_text(), generate.schema(), "run helm/test/generate.py")

    def test_the_schema_knows_every_value_and_no_other(self):
        def known(schema, path=()):
            for key, value in schema.get("properties", {}).items():
                if value.get("additionalProperties") is False and path + (key,) != ("config",):
                    yield from known(value, path + (key,))
                else:
                    yield path + (key,)

        schema = set(known(json.loads(generate.SCHEMA.read_text()))) - {("global",)}
        values = {path for path, _ in generate.leaves(yaml.compose((CHART / "values.yaml").read_text()))}
        free = {("strategy", "type"), ("strategy", "rollingUpdate", "maxSurge"),
                ("strategy", "rollingUpdate", "maxUnavailable"),
                ("autoscaling", "keda", "authenticationRef", "name"),
                ("autoscaling", "keda", "authenticationRef", "kind")}
        self.assertEqual(schema - free, values - {("strategy",), ("autoscaling", "keda", "authenticationRef")})

    def test_the_chart_is_the_projects_version(self):
        pom = ElementTree.parse(ROOT / "pom.xml").find("{http://maven.apache.org/POM/4.0.0}version").text
        self.assertEqual(yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"], pom)

    def test_the_pages_links_lead_somewhere(self):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", generate.README.read_text()):
            self.assertTrue((CHART / link).exists(), link)


class FetchTest(unittest.TestCase):
    """The init container's script, run for real against a server of files."""

    def fetch(self, sha256):
        with tempfile.TemporaryDirectory() as folder:
            served, models = Path(folder, "served"), Path(folder, "models")
            served.mkdir()
            (served / "model.onnx").write_bytes(b"a model")
            handler = partial(Quiet, directory=served)
            with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
                Thread(target=server.serve_forever, daemon=True).start()
                url = f"http://127.0.0.1:{server.server_port}/model.onnx"
                pod = only(render("--set", "models.source=http", "--set-json", f'models.http.files=[{{"url": "{url}", '
                                  f'"path": "m/1/model.onnx", "sha256": "{sha256}"}}]'), "Deployment")
                (container,) = pod["spec"]["template"]["spec"]["initContainers"]
                done = run(*container["command"], *container["args"], env=os.environ | {"MODELS": str(models)})
                server.shutdown()
            arrived = models / "m/1/model.onnx"
            return done.returncode, arrived.read_bytes()

    def test_a_file_arrives_where_it_belongs(self):
        self.assertEqual(self.fetch(hashlib.sha256(b"a model").hexdigest()), (0, b"a model"))

    def test_a_file_that_is_not_what_was_asked_for_stops_the_start(self):
        self.assertNotEqual(self.fetch(hashlib.sha256(b"another").hexdigest())[0], 0)


POD_FIELDS = {"containers", "volumes", "imagePullSecrets", "nodeSelector", "tolerations", "affinity"}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def identity(manifest):
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def seconds(duration):
    return int(duration.removesuffix("S"))


def extended_resources(container):
    """How many of what a device plugin gives."""
    resources = container.get("resources", {})
    amounts = resources.get("requests", {}) | resources.get("limits", {})
    return sum(int(amount) for resource, amount in amounts.items() if "/" in resource)


def value(name, *path):
    """What the variant sets, or the chart."""
    set_there = at(yaml.safe_load(VARIANTS[name].read_text()), path)
    return at(yaml.safe_load((CHART / "values.yaml").read_text()), path) if set_there is None else set_there


def at(tree, path):
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree


def changes(name, path, default):
    """Whether the variant sets the value, and is rendered otherwise with the default."""
    values = yaml.safe_load(VARIANTS[name].read_text())
    parent = at(values, path[:-1])
    if not isinstance(parent, dict) or path[-1] not in parent or parent[path[-1]] == default:
        return False
    del parent[path[-1]]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        try:
            return objects(template("--values", file.name)) != variant(name)
        except ValueError:  # what follows from it does not fit any more: it has an effect
            return True


if __name__ == "__main__":
    unittest.main()
