"""Prometheus metrics. Only the leader reports on the cloud, so that nothing is counted twice."""
