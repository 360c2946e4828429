{{- /* Requests that failed through no fault of their caller. 429 has an alert of its own. */ -}}
{{- define "atelier.failed" -}}
outcome=~"engine_failure|not_ready|deadline_exceeded"
{{- end }}

{{- /* Arguments: the root, a window. */ -}}
{{- define "atelier.expr.errorRatio" -}}
{{- $selector := include "atelier.selector" (index . 0) -}}
sum by (namespace, job) (rate(atelier_requests_total{ {{- $selector }},{{ include "atelier.failed" . -}} }[{{ index . 1 }}])) / sum by (namespace, job) (rate(atelier_requests_total{ {{- $selector }},outcome!="cancelled"}[{{ index . 1 }}]))
{{- end }}

{{- define "atelier.recordingRules" -}}
{{- $selector := include "atelier.selector" . -}}
- record: atelier:queue_seconds:avg1m
  expr: max by (namespace, job, pod) (avg_over_time(atelier_queue_predicted_wait_seconds{ {{- $selector -}} }[1m]))
- record: atelier:device_busy:ratio1m
  expr: sum by (namespace, job, pod) (rate(atelier_device_busy_seconds_total{ {{- $selector -}} }[1m])) / sum by (namespace, job, pod) (atelier_device_slots{ {{- $selector -}} })
- record: atelier:requests_refused:ratio_rate5m
  expr: sum by (namespace, job) (rate(atelier_requests_total{ {{- $selector }},outcome="overloaded"}[5m])) / sum by (namespace, job) (rate(atelier_requests_total{ {{- $selector -}} }[5m]))
{{- range list "5m" "30m" "1h" "2h" "6h" "1d" "3d" }}
- record: atelier:requests_failed:ratio_rate{{ . }}
  expr: {{ include "atelier.expr.errorRatio" (list $ .) }}
{{- end }}
{{- end }}

{{- define "atelier.alerts" -}}
{{- $selector := include "atelier.selector" . -}}
{{- $rules := .Values.monitoring.rules -}}
{{- $budget := subf 1 (divf $rules.objectivePercent 100) -}}
- alert: AtelierNoReadyPod
  severity: critical
  for: 2m
  expr: max by (namespace, job) (atelier_ready{ {{- $selector -}} }) == 0{{ if .Values.autoscaling.minReplicas }} or absent(atelier_ready{ {{- $selector -}} }){{ end }}
  summary: 'No pod of {{`{{ $labels.job }}`}} takes requests'
  description: 'Every request is refused. No pod is ready, or none is scraped.'
- alert: AtelierScrapeFails
  severity: warning
  for: 5m
  expr: up{ {{- $selector -}} } == 0
  summary: '{{`{{ $labels.pod }}`}} does not answer Prometheus'
  description: 'What this pod does is not seen, and the autoscaler does not count it.'
- alert: AtelierRestarts
  severity: critical
  for: 0m
  expr: changes(process_start_time_seconds{ {{- $selector -}} }[30m]) >= 3
  summary: '{{`{{ $labels.pod }}`}} was started {{`{{ $value }}`}} times more in half an hour'
  description: 'The container ends again and again, by itself or by its liveness probe.'
- alert: AtelierDeviceQuarantined
  severity: critical
  for: 1m
  expr: atelier_device_up{ {{- $selector -}} } == 0 and on (namespace, job, pod, device) sum by (namespace, job, pod, device) (atelier_device_quarantined_total{ {{- $selector -}} }) > 0
  summary: '{{`{{ $labels.device }}`}} of {{`{{ $labels.pod }}`}} is out of service'
  description: 'The device hung, lost its context or computed wrongly, and has not given a right golden answer since.'
- alert: AtelierDeviceRelapses
  severity: warning
  for: 0m
  expr: sum by (namespace, job, pod, device, reason) (increase(atelier_device_quarantined_total{ {{- $selector -}} }[6h])) >= 2
  summary: '{{`{{ $labels.device }}`}} of {{`{{ $labels.pod }}`}} is quarantined again and again ({{`{{ $labels.reason }}`}})'
  description: 'The device comes back and fails again. Its requests are computed twice or late.'
- alert: AtelierBreakerOpen
  severity: warning
  for: 1m
  expr: avg_over_time(ft_circuitbreaker_state_current{ {{- $selector }},state="closed"}[5m]) < 0.5
  summary: 'The circuit breaker of {{`{{ $labels.method }}`}} in {{`{{ $labels.pod }}`}} is open'
  description: 'Executions fail or exceed their limit, so the device gets hardly any.'
- alert: AtelierErrorBudgetBurnsFast
  severity: critical
  for: 0m
  expr: >-
    (atelier:requests_failed:ratio_rate1h{ {{- $selector -}} } > {{ mulf 14.4 $budget }} and atelier:requests_failed:ratio_rate5m{ {{- $selector -}} } > {{ mulf 14.4 $budget }})
    or (atelier:requests_failed:ratio_rate6h{ {{- $selector -}} } > {{ mulf 6 $budget }} and atelier:requests_failed:ratio_rate30m{ {{- $selector -}} } > {{ mulf 6 $budget }})
  summary: '{{`{{ $value | humanizePercentage }}`}} of the requests to {{`{{ $labels.job }}`}} fail'
  description: 'At this rate the errors allowed in 30 days are used up within 5 days at most.'
- alert: AtelierErrorBudgetBurnsSlowly
  severity: warning
  for: 15m
  expr: >-
    (atelier:requests_failed:ratio_rate1d{ {{- $selector -}} } > {{ mulf 3 $budget }} and atelier:requests_failed:ratio_rate2h{ {{- $selector -}} } > {{ mulf 3 $budget }})
    or (atelier:requests_failed:ratio_rate3d{ {{- $selector -}} } > {{ $budget }} and atelier:requests_failed:ratio_rate6h{ {{- $selector -}} } > {{ $budget }})
  summary: '{{`{{ $value | humanizePercentage }}`}} of the requests to {{`{{ $labels.job }}`}} fail'
  description: 'At this rate the errors allowed in 30 days are used up before these are over.'
- alert: AtelierQueueWait
  severity: warning
  for: 5m
  expr: max by (namespace, job, model) (avg_over_time(atelier_queue_predicted_wait_seconds{ {{- $selector -}} }[5m])) > {{ mulf $rules.queueWaitShare .Values.requestTimeoutSeconds }}
  summary: 'A request for {{`{{ $labels.model }}`}} waits {{`{{ $value | humanizeDuration }}`}}'
  description: 'The wait takes more than {{ $rules.queueWaitShare }} of the {{ .Values.requestTimeoutSeconds }} s that a request has.'
- alert: AtelierRefuses
  severity: warning
  for: 10m
  expr: atelier:requests_refused:ratio_rate5m{ {{- $selector -}} } > {{ $rules.refusedShare }}
  summary: '{{`{{ $value | humanizePercentage }}`}} of the requests to {{`{{ $labels.job }}`}} are refused with 429'
  description: 'More is asked than the devices do.'
- alert: AtelierGpuMemory
  severity: warning
  for: 10m
  expr: max by (namespace, job, pod, device) (atelier_gpu_memory_used_bytes{ {{- $selector -}} } / atelier_gpu_memory_total_bytes{ {{- $selector -}} }) > {{ $rules.gpuMemoryShare }}
  summary: '{{`{{ $value | humanizePercentage }}`}} of the memory of {{`{{ $labels.device }}`}} in {{`{{ $labels.pod }}`}} is in use'
  description: 'The next larger batch or model may find no memory.'
- alert: AtelierGpuHot
  severity: warning
  for: 10m
  expr: max by (namespace, job, pod, device) (atelier_gpu_temperature_celsius{ {{- $selector -}} }) > {{ $rules.gpuCelsius }}
  summary: '{{`{{ $labels.device }}`}} in {{`{{ $labels.pod }}`}} has {{`{{ $value }}`}} degrees'
  description: 'A GPU that is too hot slows down, then ends.'
- alert: AtelierGpuMemoryErrors
  severity: warning
  for: 0m
  expr: sum by (namespace, job, pod, device) (increase(atelier_gpu_ecc_errors_total{ {{- $selector }},type="uncorrected"}[1h])) > 0
  summary: 'The memory of {{`{{ $labels.device }}`}} in {{`{{ $labels.pod }}`}} has errors that cannot be corrected'
  description: 'What was computed there may be wrong or have failed.'
- alert: AtelierGpuXid
  severity: warning
  for: 0m
  expr: >-
    sum by (namespace, job, pod, device, xid) (increase(atelier_gpu_xid_events_total{ {{- $selector -}} }[15m])) > 0
    or sum by (namespace, job, pod, device, xid) (atelier_gpu_xid_events_total{ {{- $selector -}} } unless atelier_gpu_xid_events_total{ {{- $selector -}} } offset 15m)
  summary: 'The driver reports Xid {{`{{ $labels.xid }}`}} of {{`{{ $labels.device }}`}} in {{`{{ $labels.pod }}`}}'
  description: 'A fault of the GPU, of its driver, or of a program on it.'
{{- end }}
