/*
 * The default templates: our own text under upstream's names, which users
 * override, rendering what upstream's render.  A define may not hold blank
 * lines it does not mean: every newline counts.
 */
#include "notify/impl.h"

const char notify_default_templates[] =
    "{{ define \"__alertmanager\" }}Alertmanager{{ end }}"
    "{{ define \"__alertmanagerURL\" }}{{ .ExternalURL }}/#/alerts?receiver="
    "{{ urlquery .Receiver }}{{ end }}"
    "{{ define \"__description\" }}{{ end }}"
    "{{ define \"__subject\" }}"
    "[{{ toUpper .Status }}"
    "{{ if eq .Status \"firing\" }}:{{ len .Alerts.Firing }}{{ end }}] "
    "{{ join \" \" .GroupLabels.SortedPairs.Values }} "
    "{{ $rest := .CommonLabels.Remove .GroupLabels.Names }}"
    "{{ if gt (len .CommonLabels) (len .GroupLabels) }}"
    "({{ join \" \" $rest.Values }}){{ end }}"
    "{{ end }}"

    "{{ define \"__text_alert_list\" }}{{ range . }}Labels:\n"
    "{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}\n{{ end }}"
    "Annotations:\n"
    "{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}\n"
    "{{ end }}"
    "Source: {{ .GeneratorURL }}\n"
    "{{ end }}{{ end }}"

    "{{ define \"__text_alert_list_markdown\" }}{{ range . }}\nLabels:\n"
    "{{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}\n{{ end }}"
    "\nAnnotations:\n"
    "{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}\n"
    "{{ end }}"
    "\nSource: {{ .GeneratorURL }}\n\n"
    "{{ end }}{{ end }}"

    "{{ define \"slack.default.title\" }}{{ template \"__subject\" . }}"
    "{{ end }}"
    "{{ define \"slack.default.username\" }}{{ template \"__alertmanager\" . }}"
    "{{ end }}"
    "{{ define \"slack.default.fallback\" }}"
    "{{ template \"slack.default.title\" . }} | "
    "{{ template \"slack.default.titlelink\" . }}{{ end }}"
    "{{ define \"slack.default.titlelink\" }}"
    "{{ template \"__alertmanagerURL\" . }}{{ end }}"
    "{{ define \"slack.default.color\" }}"
    "{{ if eq .Status \"firing\" }}danger{{ else }}good{{ end }}{{ end }}"
    "{{ define \"slack.default.callbackid\" }}{{ end }}"
    "{{ define \"slack.default.pretext\" }}{{ end }}"
    "{{ define \"slack.default.iconemoji\" }}{{ end }}"
    "{{ define \"slack.default.iconurl\" }}{{ end }}"
    "{{ define \"slack.default.text\" }}{{ end }}"
    "{{ define \"slack.default.footer\" }}{{ end }}";
