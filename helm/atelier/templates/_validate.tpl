{{- /* Combinations that no schema can refuse in words: each refusal says what to do. */ -}}
{{- define "atelier.validate" -}}
{{- $errors := list }}
{{- with .Values }}
{{- range $key := list "requests.timeout=requestTimeoutSeconds" "drain.timeout=shutdown.drainSeconds" }}
{{- $part := splitList "=" $key }}
{{- $path := splitList "." (index $part 0) }}
{{- if hasKey (default dict (index $.Values.config (index $path 0))) (index $path 1) }}
{{- $errors = append $errors (printf "config.%s: set %s instead, since proxies, alerts and the grace period follow it" (index $part 0) (index $part 1)) }}
{{- end }}
{{- end }}
{{- if hasKey .config "model-repository" }}
{{- $errors = append $errors "config.model-repository: set models.source and models.path instead" }}
{{- end }}
{{- if hasKey .config "auth" }}
{{- $errors = append $errors "config.auth: set auth.existingSecret and auth.admins instead" }}
{{- end }}
{{- if and .auth.admins (not .auth.existingSecret) }}
{{- $errors = append $errors "auth.admins: without auth.existingSecret everybody may do everything; name the Secret with the API keys" }}
{{- end }}
{{- range $name, $value := .properties }}
{{- if hasPrefix "atelier." $name }}
{{- $errors = append $errors (printf "properties.%s: it belongs into config, where it is checked" $name) }}
{{- end }}
{{- if has $name (list "quarkus.shutdown.delay" "quarkus.http.limits.max-body-size" "quarkus.http.limits.max-header-size") }}
{{- $errors = append $errors (printf "properties.%s: set shutdown.delaySeconds, maxBodyMiB or maxHeaderKiB instead" $name) }}
{{- end }}
{{- end }}
{{- if lt (int .shutdown.drainSeconds) (int .requestTimeoutSeconds) }}
{{- $errors = append $errors (printf "shutdown.drainSeconds: %d is less than requestTimeoutSeconds, %d, so a request that was accepted could be cut off; raise it" (int .shutdown.drainSeconds) (int .requestTimeoutSeconds)) }}
{{- end }}
{{- $gpu := ne .device.mode "cpu" }}
{{- $devices := default "" .config.devices }}
{{- if and $gpu $devices (not (hasPrefix "gpu" $devices)) }}
{{- $errors = append $errors (printf "config.devices: %q leaves the pod's GPU idle; leave it out, or set device.mode to cpu" $devices) }}
{{- end }}
{{- if and (not $gpu) (contains "gpu" $devices) }}
{{- $errors = append $errors (printf "config.devices: %q wants a GPU, but device.mode cpu gives the pod none" $devices) }}
{{- end }}
{{- range $kind := list "requests" "limits" }}
{{- range $name, $amount := index $.Values.resources $kind }}
{{- if or (eq $name $.Values.device.gpu.resource) (hasPrefix "nvidia.com/" $name) (hasPrefix "amd.com/" $name) }}
{{- $errors = append $errors (printf "resources.%s: %s comes from device.gpu; take it out here" $kind $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- $source := .models.source }}
{{- if and (eq $source "pvc") (not .models.pvc.claimName) }}
{{- $errors = append $errors "models.pvc.claimName: name the PersistentVolumeClaim that holds the model repository" }}
{{- end }}
{{- if and (eq $source "oci") (not .models.oci.reference) }}
{{- $errors = append $errors "models.oci.reference: name the image that holds the model repository" }}
{{- end }}
{{- if and (eq $source "http") (not .models.http.files) }}
{{- $errors = append $errors "models.http.files: list what to fetch, each with url, path and sha256" }}
{{- end }}
{{- if and (eq $source "s3") (not .models.s3.uri) }}
{{- $errors = append $errors "models.s3.uri: say where the model repository is, s3://bucket/prefix" }}
{{- end }}
{{- if and (has $source (list "http" "s3")) .networkPolicy.enabled (not .networkPolicy.egress) }}
{{- $errors = append $errors (printf "networkPolicy.egress: models.source %s fetches from outside; let the pods connect to it" $source) }}
{{- end }}
{{- if and (default dict .config.tracing).enabled .networkPolicy.enabled (not .networkPolicy.egress) }}
{{- $errors = append $errors "networkPolicy.egress: config.tracing sends spans to a collector; let the pods connect to it" }}
{{- end }}
{{- /* What is not set is 25% of the API's own: a surge of one pod at least. */}}
{{- $rolling := default dict .strategy.rollingUpdate }}
{{- $noSurge := regexMatch "^0+%?$" (toString $rolling.maxSurge) }}
{{- if eq (default "" .strategy.type) "Recreate" }}
{{- if hasKey .strategy "rollingUpdate" }}
{{- $errors = append $errors "strategy.rollingUpdate: the API refuses it beside the type Recreate; take one of them out" }}
{{- end }}
{{- else if and $noSurge (regexMatch "^0+%?$" (toString $rolling.maxUnavailable)) }}
{{- $errors = append $errors "strategy.rollingUpdate.maxUnavailable: with maxSurge 0 too no pod could ever be replaced, which the API refuses; set it to 1" }}
{{- else if and $gpu .strategy (not $noSurge) }}
{{- $errors = append $errors "strategy.rollingUpdate.maxSurge: a new pod waits for a GPU that only an old pod can free, so with every GPU taken the update never ends; leave strategy empty, or set maxSurge to 0, which is 25% unless set" }}
{{- end }}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) }}
{{- $errors = append $errors "autoscaling.minReplicas: it is larger than autoscaling.maxReplicas; lower it" }}
{{- end }}
{{- if eq (int .autoscaling.minReplicas) 0 }}
{{- if ne .autoscaling.kind "keda" }}
{{- $errors = append $errors "autoscaling.minReplicas: only KEDA scales to 0; set autoscaling.kind to keda, or 1 pod at least" }}
{{- else if not .autoscaling.keda.triggers }}
{{- $errors = append $errors "autoscaling.keda.triggers: with minReplicas 0 there may be no pod to ask; add a trigger on what is in front of the pods, such as the proxy's requests" }}
{{- end }}
{{- end }}
{{- if and (eq .autoscaling.kind "keda") (not .autoscaling.keda.serverAddress) }}
{{- $errors = append $errors "autoscaling.keda.serverAddress: give Prometheus' address, such as http://prometheus-operated.monitoring:9090" }}
{{- end }}
{{- if and (ne .autoscaling.kind "none") (eq .monitoring.monitor "none") (not .monitoring.job) }}
{{- $errors = append $errors "monitoring.monitor: the autoscaler needs the metrics; set service or pod, or name in monitoring.job the job that scrapes them" }}
{{- end }}
{{- if and .kserve.enabled (eq .device.mode "dra") }}
{{- $errors = append $errors "kserve.enabled: a ServingRuntime cannot claim devices; set device.mode to gpu" }}
{{- end }}
{{- if and .ingress.enabled (not .ingress.hosts) }}
{{- $errors = append $errors "ingress.hosts: name at least one host, - host: …" }}
{{- end }}
{{- if and .gateway.enabled (not .gateway.parentRefs) }}
{{- $errors = append $errors "gateway.parentRefs: name the Gateway that the route belongs to, - name: …" }}
{{- end }}
{{- end }}
{{- if $errors }}
{{- fail (printf "\n\nThese values do not go together:\n- %s\n" (join "\n- " $errors)) }}
{{- end }}
{{- end }}
