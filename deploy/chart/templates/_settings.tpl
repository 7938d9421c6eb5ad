{{- define "countersign.settings" -}}
{{- $settings := .Values.settings -}}
{{- with .Values.gatewayApi -}}
{{- if .enabled -}}
{{- $settings = merge (dict "COUNTERSIGN_SIGV4_EXTERNAL_URL" (printf "https://%s" .host) "COUNTERSIGN_LIMIT_TRUSTED_PROXIES" .proxies) $settings -}}
{{- end -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{- define "countersign.database-ca.volume" -}}
{{- with .Values.databaseCa }}
- name: database-ca
  configMap:
    name: {{ . }}
{{- end }}
{{- end -}}

{{- define "countersign.database-ca.mount" -}}
{{- if .Values.databaseCa }}
- name: database-ca
  mountPath: /etc/countersign/database
  readOnly: true
{{- end }}
{{- end -}}
