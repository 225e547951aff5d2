"""The legacy REST API of the Anka controller, served from custom resources.

One folder for each resource of the API, with the same four words in each:

- `request.py`: models of its requests. They read parameters leniently, document them, and make of them what goes into
  a custom resource. Pure.
- `answer.py`: models of its answers, and how they are built from custom resources. Pure.
- `endpoints.py`: its routes.
- `commands.py`: what it writes.

Beside them, `views.py` where answers are encoded once and kept. `http/` is what all routes share, `store/` the caches
and writes that all resources share, `replicas/` the other replicas of this shim. `routers.py` lists the resources,
and `assembly.py` puts all together.
"""
