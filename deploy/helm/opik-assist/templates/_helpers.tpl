{{- define "opik-assist.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 50 characters, so that the suffixes of other objects still fit into 63. */}}
{{- define "opik-assist.fullname" -}}
{{- $name := include "opik-assist.name" . }}
{{- $release := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $release .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "opik-assist.selectorLabels" -}}
app.kubernetes.io/name: {{ include "opik-assist.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "opik-assist.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{ include "opik-assist.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "opik-assist.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "opik-assist.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "opik-assist.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "opik-assist.secretName" -}}
{{- default (include "opik-assist.fullname" .) .Values.existingSecret }}
{{- end }}

{{- define "opik-assist.claimName" -}}
{{- default (include "opik-assist.fullname" .) .Values.persistence.existingClaim }}
{{- end }}

{{- define "opik-assist.port" -}}
{{- int (default 8081 .Values.config.PORT) }}
{{- end }}

{{/* The path before every route, as the service reads it: without a slash at its end. */}}
{{- define "opik-assist.prefix" -}}
{{- default "" .Values.config.URL_PREFIX | trimSuffix "/" }}
{{- end }}

{{/*
One value of `config` as the service reads it: lists with commas, maps as JSON. Helm reads every
number as a float, which would show a million as 1e+06.
*/}}
{{- define "opik-assist.setting" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if kindIs "map" . }}{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}
{{- else }}{{ toString . }}
{{- end }}
{{- end }}

{{/*
The secrets of the service as variables. Those that are not in the secret stay unset, but for a MySQL
that no file names.
*/}}
{{- define "opik-assist.secretEnv" -}}
{{- $needed := and (eq .Values.database.kind "mysql") (not .Values.config.SESSION_SERVICE_URI_FILE) }}
{{- range list "SESSION_SERVICE_URI" "SENTRY_DSN" "OPIK_INTERNAL_API_KEY" "SEGMENT_WRITE_KEY" "NEW_RELIC_LICENSE_KEY" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ include "opik-assist.secretName" $ }}
      key: {{ . }}
      optional: {{ not (and $needed (eq . "SESSION_SERVICE_URI")) }}
{{- end }}
{{- end }}

{{/*
How long a pod may take to end: both settings, then 8 s in which the last frames go out, and 5 s for
what is not ours. The defaults are those of the service.
*/}}
{{- define "opik-assist.gracePeriod" -}}
{{- $drain := .Values.config.DRAIN_SECONDS }}
{{- $shutdown := .Values.config.SHUTDOWN_SECONDS }}
{{- add (ceil (ternary 5 $drain (kindIs "invalid" $drain))) (ceil (ternary 10 $shutdown (kindIs "invalid" $shutdown))) 13 }}
{{- end }}

{{/* Refuses values that contradict each other, with what to change. */}}
{{- define "opik-assist.check" -}}
{{- $mysql := eq .Values.database.kind "mysql" }}
{{- if not .Values.config.AGENT_OPIK_URL }}
{{- fail "config.AGENT_OPIK_URL is not set: the address of Opik's backend" }}
{{- end }}
{{- if and .Values.existingSecret .Values.secrets }}
{{- fail "existingSecret and secrets are both set: use one of them" }}
{{- end }}
{{- if and $mysql (not (or .Values.existingSecret .Values.secrets.SESSION_SERVICE_URI .Values.config.SESSION_SERVICE_URI_FILE)) }}
{{- fail "database.kind is mysql: set secrets.SESSION_SERVICE_URI, existingSecret, or config.SESSION_SERVICE_URI_FILE" }}
{{- end }}
{{- if and (not $mysql) (or .Values.secrets.SESSION_SERVICE_URI .Values.config.SESSION_SERVICE_URI_FILE) }}
{{- fail "SESSION_SERVICE_URI is given: set database.kind to mysql" }}
{{- end }}
{{- if and (not $mysql) (or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1)) }}
{{- fail "several replicas need database.kind mysql" }}
{{- end }}
{{- if and (not $mysql) (eq .Values.migrations.mode "job") }}
{{- fail "migrations.mode job needs database.kind mysql" }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (not .targetCPUUtilizationPercentage) (not .targetMemoryUtilizationPercentage) }}
{{- fail "autoscaling.enabled needs a target for CPU or memory" }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.serviceMonitor.enabled needs metrics.enabled" }}
{{- end }}
{{- end }}
