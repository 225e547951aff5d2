"""What this replica has seen: /portal/v1/history, /portal/v1/timeline, /portal/v1/nodes/history. Not stored anywhere:
figures for longer come from Prometheus."""
