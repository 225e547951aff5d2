"""Access to the Kubernetes API, for operator, shim and agent. It knows nothing of Anka.

`config.load_endpoint` -> `client.KubeClient` -> `reflector.Reflector` keeps a `store.Store` of a `resource.Resource`
up to date; `writer.Writer` writes and merges its own results into the store; `leader` and `heartbeat` hold Leases.
Kinds come as `Resource(..., parse=Kind.from_api, dump=Kind.to_api)`: ours are in `anka_crds.resources`.
"""
