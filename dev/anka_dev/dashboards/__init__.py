"""Grafana dashboards of the chart, made from a description that people can read."""
