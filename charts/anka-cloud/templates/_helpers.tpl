{{- define "anka.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
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
{{- $text = regexReplaceAll "\\banka-joining\\b" $text $top.Values.namespaces.joining }}
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
{{- if kindIs "bool" $value }}
- {{ printf "--%s%s" (ternary "" "no-" $value) $name | quote }}
{{- else if not (kindIs "invalid" $value) }}
{{- /* A large number would be written as 1e+06. */}}
- {{ printf "--%s=%v" $name (ternary (toString (int64 (default 0 $value))) $value (and (kindIs "float64" $value) (eq (floor $value) $value))) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* How the REST API knows who asks, as JSON: `flags` of the shim, `sources` of its volume `access`, and whether the
       operator must make the Secret (`made`), because a key of it is used. */ -}}
{{- define "anka.access" -}}
{{- $auth := .Values.auth }}
{{- $flags := dict }}
{{- $sources := list }}
{{- $made := false }}
{{- $keys := list }}
{{- if $auth.enabled }}
{{- $_ := set $flags "enable-auth" true }}
{{- $keys = append $keys (dict "of" $auth.rootToken "file" "root-token" "flag" "root-token-file") }}
{{- /* Also where there are no API keys: it seals the logins of browsers. */}}
{{- $keys = append $keys (dict "of" $auth.sealKey "file" "seal-key" "flag" "seal-key-file") }}
{{- if $auth.apiKeys.enabled }}{{ $_ := set $flags "enable-api-keys" true }}{{ end }}
{{- if $auth.authorization }}{{ $_ := set $flags "enable-authorization" true }}{{ end }}
{{- if $auth.kubernetesTokens }}{{ $_ := set $flags "enable-kubernetes-tokens" true }}{{ end }}
{{- with $auth.certificates }}
{{- with .header }}{{ $_ := set $flags "client-cert-header" . }}{{ end }}
{{- end }}
{{- with $auth.oidc }}
{{- if .providerUrl }}
{{- $_ := set $flags "oidc-provider-url" .providerUrl }}
{{- $_ := set $flags "oidc-client-id" .clientId }}
{{- $_ := set $flags "oidc-username-claim" .usernameClaim }}
{{- $_ := set $flags "oidc-groups-claim" .groupsClaim }}
{{- with .audiences }}{{ $_ := set $flags "oidc-audiences" (join "," .) }}{{ end }}
{{- with .siteUrl }}{{ $_ := set $flags "site-url" . }}{{ end }}
{{- if .clientSecret.secretName }}{{ $_ := set $flags "oidc-scopes" (join "," .scopes) }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- if or $auth.enabled $auth.peerKey.secretName }}
{{- $keys = append $keys (dict "of" $auth.peerKey "file" "peer-key" "flag" "peer-key-file") }}
{{- end }}
{{- range $keys }}
{{- $name := .of.secretName | default "anka-access" }}
{{- $key := ternary .of.key .file (not (empty .of.secretName)) }}
{{- $made = or $made (empty .of.secretName) }}
{{- $sources = append $sources (dict "secret" (dict "name" $name "items" (list (dict "key" $key "path" .file)))) }}
{{- $_ := set $flags .flag (printf "/etc/anka/access/%s" .file) }}
{{- end }}
{{- $files := list
  (dict "name" $auth.certificates.caSecret "key" "ca.crt" "file" "clients-ca.crt" "flag" "client-ca-file")
  (dict "name" $auth.certificates.crlSecret "key" "ca.crl" "file" "clients.crl" "flag" "client-crl-file")
  (dict "name" $auth.oidc.caSecret "key" "ca.crt" "file" "oidc-ca.crt" "flag" "oidc-ca-file")
  (dict "name" $auth.oidc.clientSecret.secretName "key" $auth.oidc.clientSecret.key "file" "oidc-client-secret" "flag" "oidc-client-secret-file")
  (dict "name" .Values.tls.secretName "key" "tls.crt" "file" "tls.crt" "flag" "tls-cert-file")
  (dict "name" .Values.tls.secretName "key" "tls.key" "file" "tls.key" "flag" "tls-key-file") }}
{{- range $files }}
{{- if .name }}
{{- $sources = append $sources (dict "secret" (dict "name" .name "items" (list (dict "key" .key "path" .file)))) }}
{{- $_ := set $flags .flag (printf "/etc/anka/access/%s" .file) }}
{{- end }}
{{- end }}
{{- dict "flags" $flags "sources" $sources "made" $made | toJson }}
{{- end }}

{{- /* How the REST API is reached: http or https. */ -}}
{{- define "anka.scheme" -}}
{{ ternary "https" "http" (not (empty .Values.tls.secretName)) }}
{{- end }}

{{- /* What both Deployments have: (dict "top" $ "part" "shim" "command" "anka-shim" "own" flags) */ -}}
{{- define "anka.deployment" -}}
{{- $top := .top }}
{{- $values := index $top.Values .part }}
{{- $name := printf "anka-%s" .part }}
{{- $isShim := eq .part "shim" }}
{{- $sources := ternary (include "anka.access" $top | fromJson).sources list $isShim }}
{{- $scheme := ternary (include "anka.scheme" $top | upper) "HTTP" $isShim }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ $top.Release.Namespace }}
  labels:
    {{- include "anka.labels" $top | nindent 4 }}
    app.kubernetes.io/component: {{ .part }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
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
      {{- with $top.Values.affinity }}
      affinity:
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
            {{- with $values.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: http
              containerPort: {{ $values.port }}
              protocol: TCP
          livenessProbe:
            httpGet: {path: /livez, port: http, scheme: {{ $scheme }}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: http, scheme: {{ $scheme }}}
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
            {{- if $sources }}
            - {name: access, mountPath: /etc/anka/access, readOnly: true}
            {{- end }}
            {{- with $top.Values.registry.caSecret }}
            - {name: registry-ca, mountPath: /etc/anka/registry-ca, readOnly: true}
            {{- end }}
            {{- with $top.Values.registry.credentials.secretName }}
            - {name: registry-credentials, mountPath: /etc/anka/registry, readOnly: true}
            {{- end }}
            {{- if and (eq .part "operator") $top.Values.eventLog.headersSecret }}
            - {name: event-log, mountPath: /etc/anka/event-log, readOnly: true}
            {{- end }}
            {{- with $values.volumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: 64Mi}
        {{- with $sources }}
        - name: access
          projected:
            sources:
              {{- toYaml . | nindent 14 }}
        {{- end }}
        {{- with $top.Values.registry.caSecret }}
        - name: registry-ca
          secret: {secretName: {{ . | quote }}, items: [{key: ca.crt, path: ca.crt}]}
        {{- end }}
        {{- with $top.Values.registry.credentials.secretName }}
        - name: registry-credentials
          secret: {secretName: {{ . | quote }}, defaultMode: 0444}
        {{- end }}
        {{- if and (eq .part "operator") $top.Values.eventLog.headersSecret }}
        - name: event-log
          secret: {secretName: {{ $top.Values.eventLog.headersSecret | quote }}, items: [{key: headers, path: headers}]}
        {{- end }}
        {{- with $values.volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}

{{- /* How operator and shim log in at the registry, as flags. */ -}}
{{- define "anka.registry.flags" -}}
{{- $registry := .Values.registry }}
{{- with $registry.caSecret }}
registry-ca-file: /etc/anka/registry-ca/ca.crt
{{- end }}
{{- with $registry.credentials }}
{{- if .secretName }}
{{- if eq .kind "rootToken" }}
registry-root-token-file: /etc/anka/registry/root-token
{{- else if eq .kind "apiKey" }}
registry-api-key-id: {{ .apiKeyId | quote }}
registry-api-key-file: /etc/anka/registry/api-key.pem
{{- else }}
registry-cert-file: /etc/anka/registry/tls.crt
registry-key-file: /etc/anka/registry/tls.key
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "anka.confined" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{- /* Where pods of a part may connect to, as rules of a NetworkPolicy: (dict "top" $ "part" "shim"). */ -}}
{{- define "anka.egress" -}}
{{- $egress := .top.Values.networkPolicy.egress }}
- ports:
    {{- range $egress.dnsPorts }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- if ne .part "operator" }}
- ports: [{port: {{ .top.Values.shim.port }}, protocol: TCP}]
  to:
    - podSelector:
        matchLabels:
          {{- include "anka.selector" (dict "top" .top "part" "shim") | nindent 10 }}
{{- end }}
{{- if ne .part "test" }}
{{- include "anka.egress.rule" (dict "ports" $egress.apiPorts "to" $egress.apiTo) }}
{{- with .top.Values.registry.internalUrl | default .top.Values.registry.url }}
{{- include "anka.egress.rule" (dict "ports" ($egress.registryPorts | default (list (include "anka.port" .))) "to" $egress.registryTo) }}
{{- end }}
{{- if and (eq .part "operator") .top.Values.eventLog.url }}
{{- include "anka.egress.rule" (dict "ports" (list (include "anka.port" .top.Values.eventLog.url)) "to" $egress.eventLogTo) }}
{{- end }}
{{- if and (eq .part "shim") .top.Values.auth.oidc.providerUrl }}
{{- include "anka.egress.rule" (dict "ports" (list (include "anka.port" .top.Values.auth.oidc.providerUrl)) "to" $egress.oidcTo) }}
{{- end }}
{{- with $egress.more }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The port of a URL. */ -}}
{{- define "anka.port" -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" (urlParse .).host) | default (ternary "443" "80" (hasPrefix "https:" .)) }}
{{- end }}

{{- define "anka.egress.rule" }}
- ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- /* A quantity of Kubernetes, such as 1Gi or 1.5G, in bytes. */ -}}
{{- define "anka.bytes" -}}
{{- $unit := regexFind "[A-Za-z]*$" (toString .) }}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- mulf (trimSuffix $unit (toString .) | float64) (index $units $unit | default 0) | int64 }}
{{- end }}

{{- /* The shim's flags that half of its memory limit is for, as JSON: a quarter of the limit for bodies, an eighth for the
       16 KiB of each request that do not count there, an eighth for the 64 KiB that a connection may hold. The other half
       is for everything else. No flags without a limit. */ -}}
{{- define "anka.limits" -}}
{{- with (.Values.shim.resources.limits | default dict).memory }}
{{- $bytes := include "anka.bytes" . | int64 }}
{{- dict
  "max-bodies-bytes" (div $bytes 4)
  "max-in-flight" (min 2000 (div $bytes 131072))
  "max-connections" (min 1000 (div $bytes 524288)) | toJson }}
{{- else }}{}{{ end }}
{{- end }}
