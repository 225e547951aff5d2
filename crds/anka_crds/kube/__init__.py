"""The one Kubernetes access layer: operator, shim and agent share it.

`config.load_endpoint` -> `client.KubeClient` -> `reflector.Reflector` keeps a `store.Store` of a `resource.Resource`
up to date; `writer.Writer` writes and merges its own results into the store; `leader` and `heartbeat` hold Leases.
It knows nothing of our own kinds: those come as `Resource(..., parse=Kind.from_api, dump=Kind.to_api)`.
"""
