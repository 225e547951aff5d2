{{- define "anka.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* (dict "top" $ "part" "operator") */ -}}
{{- define "anka.selector" -}}
app.kubernetes.io/name: {{ .top.Chart.Name }}
app.kubernetes.io/instance: {{ .top.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "anka.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /* The objects of a file of files/base, in this release's namespaces and with its labels. */ -}}
{{- define "anka.base" -}}
{{- $top := .top }}
{{- $text := $top.Files.Get (printf "files/base/%s" .file) | required (printf "files/base/%s is missing" .file) }}
{{- $text = regexReplaceAll "\\banka-system\\b" $text $top.Release.Namespace }}
{{- $text = regexReplaceAll "\\banka-nodes\\b" $text $top.Values.namespaces.nodes }}
{{- $text = regexReplaceAll "\\banka-ci\\b" $text $top.Values.namespaces.instances }}
{{- range regexSplit "(?m)^---$" $text -1 }}
{{- $object := fromYaml . }}
{{- if $object }}
{{- $_ := set $object.metadata "labels" (merge (include "anka.labels" $top | fromYaml) ($object.metadata.labels | default dict)) }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Flags that the chart decides (.own), then the user's; a flag of the user's wins. */ -}}
{{- define "anka.flags" -}}
{{- $flags := merge (deepCopy .given) .own }}
{{- range $name, $value := $flags }}
{{- if not (kindIs "invalid" $value) }}
{{- /* A large number would be written as 1e+06. */}}
- {{ printf "--%s=%v" $name (ternary (toString (int64 (default 0 $value))) $value (and (kindIs "float64" $value) (eq (floor $value) $value))) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What both Deployments have: (dict "top" $ "part" "shim" "command" "anka-shim" "own" flags) */ -}}
{{- define "anka.deployment" -}}
{{- $top := .top }}
{{- $values := index $top.Values .part }}
{{- $name := printf "anka-%s" .part }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ $top.Release.Namespace }}
  labels:
    {{- include "anka.labels" $top | nindent 4 }}
    app.kubernetes.io/component: {{ .part }}
spec:
  replicas: {{ $values.replicas }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "anka.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "anka.selector" . | nindent 8 }}
        {{- with $top.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $top.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      {{- with $top.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $top.Values.priorityClass.name }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $top.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $top.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $top.Values.topologyKeys }}
      topologySpreadConstraints:
        {{- range . }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "anka.selector" $ | nindent 14 }}
        {{- end }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ .part }}
          image: {{ include "anka.image" $top | quote }}
          imagePullPolicy: {{ $top.Values.image.pullPolicy }}
          command: [{{ $name }}]
          args:
            {{- include "anka.flags" (dict "given" $values.flags "own" .own) | trim | nindent 12 }}
          env:
            - name: POD_IP
              valueFrom: {fieldRef: {apiVersion: v1, fieldPath: status.podIP}}
          ports:
            - name: http
              containerPort: {{ $values.port }}
              protocol: TCP
          livenessProbe:
            httpGet: {path: /livez, port: http, scheme: HTTP}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: http, scheme: HTTP}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- include "anka.confined" $top | nindent 12 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: 64Mi}
{{- end }}

{{- define "anka.confined" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}
