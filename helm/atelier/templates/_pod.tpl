{{- /*
The service's container. Arguments: `root`, `name` of the container, name of its `port`, whether it mounts the `models` volume, whether it is `kserve`'s.
KServe mounts a model repository of its own, and Knative refuses a lifecycle.
*/ -}}
{{- define "atelier.container" -}}
{{- $root := .root }}
{{- with $root.Values }}
- name: {{ $.name }}
  image: {{ include "atelier.image" $root | quote }}
  imagePullPolicy: {{ .image.pullPolicy }}
  securityContext:
    {{- include "atelier.securityContext" $root | nindent 4 }}
  env:
    - name: QUARKUS_CONFIG_LOCATIONS
      value: {{ if .secretProperties }}/etc/atelier/secret/application.properties,{{ end }}/etc/atelier/config/application.properties
    - name: HOME
      value: /tmp
    {{- if ne .device.mode "cpu" }}
    - name: NVIDIA_DRIVER_CAPABILITIES
      value: compute,utility
    {{- end }}
    {{- if $.kserve }}
    - name: ATELIER_MODEL_REPOSITORY
      value: /mnt/models
    {{- end }}
    {{- if .auth.existingSecret }}
    - name: ATELIER_AUTH_API_KEYS
      value: /etc/atelier/keys
    {{- with .auth.admins }}
    - name: ATELIER_AUTH_ADMINS
      value: {{ join "," . | quote }}
    {{- end }}
    {{- end }}
    {{- with .extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: {{ $.port }}
      containerPort: 8080
  resources:
    {{- $resources := deepCopy .resources }}
    {{- if eq .device.mode "gpu" }}
    {{- $resources = merge (dict "limits" (dict .device.gpu.resource (int .device.gpu.count))) $resources }}
    {{- else if eq .device.mode "dra" }}
    {{- $resources = merge (dict "claims" (list (dict "name" "gpu"))) $resources }}
    {{- end }}
    {{- toYaml $resources | nindent 4 }}
  startupProbe:
    httpGet: {path: /q/health/started, port: {{ $.port }}}
    periodSeconds: {{ .probes.startup.periodSeconds }}
    timeoutSeconds: 5
    failureThreshold: {{ div (add (int .probes.startup.budgetSeconds) (int .probes.startup.periodSeconds) -1) (int .probes.startup.periodSeconds) }}
  readinessProbe:
    httpGet: {path: /q/health/ready, port: {{ $.port }}}
    {{- toYaml .probes.readiness | nindent 4 }}
  livenessProbe:
    httpGet: {path: /q/health/live, port: {{ $.port }}}
    {{- toYaml .probes.liveness | nindent 4 }}
  {{- if and .shutdown.preStopSeconds (not $.kserve) }}
  lifecycle:
    preStop:
      sleep:
        seconds: {{ .shutdown.preStopSeconds }}
  {{- end }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: config, mountPath: /etc/atelier/config, readOnly: true}
    {{- if .secretProperties }}
    - {name: secret, mountPath: /etc/atelier/secret, readOnly: true}
    {{- end }}
    {{- if .auth.existingSecret }}
    - {name: keys, mountPath: /etc/atelier/keys, readOnly: true}
    {{- end }}
    {{- if .shmSizeLimit }}
    - {name: shm, mountPath: /dev/shm}
    {{- end }}
    {{- if $.models }}
    - name: models
      mountPath: {{ .models.path }}
      readOnly: true
      {{- with get (get .models .models.source | default dict) "subPath" }}
      subPath: {{ . }}
      {{- end }}
    {{- end }}
    {{- with .extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}

{{- /* Volumes of the service's container but for the models. */ -}}
{{- define "atelier.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSizeLimit }}
- name: config
  configMap:
    name: {{ include "atelier.fullname" . }}
{{- with .Values.secretProperties }}
- name: secret
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.auth.existingSecret }}
- name: keys
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.shmSizeLimit }}
- name: shm
  emptyDir:
    medium: Memory
    sizeLimit: {{ . }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "atelier.modelVolume" -}}
{{- with .Values.models }}
- name: models
  {{- if eq .source "pvc" }}
  persistentVolumeClaim:
    claimName: {{ .pvc.claimName }}
    readOnly: true
  {{- else if eq .source "oci" }}
  image:
    reference: {{ .oci.reference }}
    pullPolicy: {{ .oci.pullPolicy }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .sizeLimit }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* The init container that fetches the models. */ -}}
{{- define "atelier.fetchModels" -}}
{{- with .Values.models }}
- name: models
  image: {{ get (get . .source) "image" }}
  securityContext:
    {{- include "atelier.securityContext" $ | nindent 4 }}
  {{- if eq .source "http" }}
  command: [sh, -euc]
  args:
    - |
      while read -r sha256 path url; do
        mkdir -p "$(dirname "$MODELS/$path")"
        curl --fail --silent --show-error --location --retry 5 --output "$MODELS/$path" "$url"
        printf '%s  %s\n' "$sha256" "$MODELS/$path" | sha256sum -c
      done <<'FILES'
      {{- range .http.files }}
      {{ .sha256 }} {{ .path }} {{ .url }}
      {{- end }}
      FILES
  {{- else }}
  command: [aws, s3, sync, --no-progress, {{ .s3.uri | quote }}, {{ .path | quote }}]
  {{- with .s3.existingSecret }}
  envFrom:
    - secretRef:
        name: {{ . }}
  {{- end }}
  {{- end }}
  env:
    - {name: HOME, value: /tmp}
    {{- if eq .source "http" }}
    - {name: MODELS, value: {{ .path | quote }}}
    {{- else }}
    - {name: AWS_REGION, value: {{ .s3.region | quote }}}
    {{- with .s3.endpoint }}
    - {name: AWS_ENDPOINT_URL, value: {{ . | quote }}}
    {{- end }}
    {{- end }}
  resources:
    requests: {cpu: 100m, memory: 256Mi}
    limits: {memory: 1Gi}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: models, mountPath: {{ .path }}}
{{- end }}
{{- end }}
