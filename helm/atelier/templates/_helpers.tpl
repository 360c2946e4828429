{{- define "atelier.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "atelier.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "atelier.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "atelier.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "atelier.selectorLabels" -}}
app.kubernetes.io/name: {{ include "atelier.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "atelier.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "atelier.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "atelier.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "atelier.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "atelier.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "atelier.scaled" -}}
{{- if ne .Values.autoscaling.kind "none" }}true{{ end }}
{{- end }}

{{- /* Devices in a pod, of which each may need its own time to end. */ -}}
{{- define "atelier.deviceCount" -}}
{{- if eq .Values.device.mode "gpu" }}
{{- .Values.device.gpu.count }}
{{- else if eq .Values.device.mode "dra" }}
{{- .Values.device.dra.count }}
{{- else }}
{{- $count := 0 }}
{{- range splitList "," (default "cpu" .Values.config.devices) }}
{{- $count = add $count (regexFind "[0-9]+$" . | default "1" | int) }}
{{- end }}
{{- $count }}
{{- end }}
{{- end }}

{{- /* The longest end of a pod, with 5 s to spare: docs/operations.md has the sum of the service's part. */ -}}
{{- define "atelier.gracePeriodSeconds" -}}
{{- with .Values.shutdown }}
{{- add .preStopSeconds .delaySeconds .drainSeconds (mul 5 (add 1 (include "atelier.deviceCount" $ | int))) 5 }}
{{- end }}
{{- end }}

{{- /* Nested settings as lines of properties. Arguments: the prefix, the map. */ -}}
{{- define "atelier.flatten" -}}
{{- $prefix := index . 0 }}
{{- range $key, $value := index . 1 }}
{{- $name := printf "%s.%s" $prefix $key }}
{{- if kindIs "map" $value }}
{{- include "atelier.flatten" (list $name $value) }}
{{- else if kindIs "string" $value }}
{{ $name }}={{ $value | replace "\\" "\\\\" }}
{{- else }}
{{ $name }}={{ toJson $value }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What config and properties become, and what follows from other values. */ -}}
{{- define "atelier.properties" -}}
{{- $config := deepCopy .Values.config }}
{{- if not $config.devices }}
{{- $_ := set $config "devices" (ternary "cpu" "gpu" (eq .Values.device.mode "cpu")) }}
{{- end }}
{{- if ne .Values.models.source "embedded" }}
{{- $_ := set $config "model-repository" .Values.models.path }}
{{- end }}
{{- $config = merge (dict "requests" (dict "timeout" (printf "%dS" (int .Values.requestTimeoutSeconds))) "drain" (dict "timeout" (printf "%dS" (int .Values.shutdown.drainSeconds)))) $config }}
{{- include "atelier.flatten" (list "atelier" $config) | trim }}
quarkus.shutdown.delay={{ int .Values.shutdown.delaySeconds }}S
quarkus.http.limits.max-body-size={{ int .Values.maxBodyMiB }}M
quarkus.http.limits.max-header-size={{ int .Values.maxHeaderKiB }}K
{{- range $name, $value := .Values.properties }}
{{ $name }}={{ $value | toString | replace "\\" "\\\\" }}
{{- end }}
{{- end }}

{{- /* Every container's: what the level `restricted` asks for, and a root that cannot be written to. */ -}}
{{- define "atelier.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- with .Values.security.runAsUser }}
runAsUser: {{ . | int64 }}
{{- end }}
{{- with .Values.security.runAsGroup }}
runAsGroup: {{ . | int64 }}
{{- end }}
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "atelier.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.security.fsGroup }}
fsGroup: {{ . | int64 }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "atelier.job" -}}
{{- default (include "atelier.fullname" .) .Values.monitoring.job }}
{{- end }}

{{- /* Matchers of this release's series. */ -}}
{{- define "atelier.selector" -}}
{{- printf "namespace=%q,job=%q" .Release.Namespace (include "atelier.job" .) }}
{{- end }}

{{- /* Mean over the pods of the wait to expect, each pod's worst model. */ -}}
{{- define "atelier.expr.queueSeconds" -}}
avg(max by (namespace, pod) (avg_over_time(atelier_queue_predicted_wait_seconds{ {{- include "atelier.selector" . -}} }[1m])))
{{- end }}

{{- /* Share of their slots' time that the devices were busy. */ -}}
{{- define "atelier.expr.busyRatio" -}}
sum(rate(atelier_device_busy_seconds_total{ {{- include "atelier.selector" . -}} }[1m])) / sum(atelier_device_slots{ {{- include "atelier.selector" . -}} })
{{- end }}

{{- /* Up at once but at most doubled a minute, down one pod a minute after a calm. */ -}}
{{- define "atelier.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - {type: Percent, value: 100, periodSeconds: 60}
    - {type: Pods, value: 1, periodSeconds: 60}
  selectPolicy: Max
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.scaleDownSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: 60}
{{- end }}
