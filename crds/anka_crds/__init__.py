"""The API of the Anka build cloud: models, pure rules, and the Kubernetes access layer.

`api` and `core` are pure (no I/O, no clock, no randomness); `kube` talks to the apiserver; `process` is what
every one of our processes does alike (settings, logs, health, clock).
"""
