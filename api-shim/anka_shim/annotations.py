"""Annotations and labels that the API shim writes on the objects that it creates."""

from anka_crds.api.meta import GROUP

SLOT = f"{GROUP}/request-slot"
REQUEST = f"{GROUP}/request-hash"
ATTEMPT = f"{GROUP}/request-attempt"
"""Annotations of instances that a request starts only once, however often it is sent (vm/idempotency_key.py)."""

SCRIPT_BYTES = f"{GROUP}/script-bytes"
"""Annotation of instances whose script is in a Secret of ours: how much of it is on their account."""

PERMISSION_GROUP = f"{GROUP}/permission-group"
"""On a SaveImage: the permission group of its instance, which may be gone when somebody asks."""
INSTANCE_ID = f"{GROUP}/instance-id"
"""Label of a SaveImage: the instance_id in the request."""

CREATED_BY = {"app.kubernetes.io/created-by": "anka-shim"}
"""Label of every object."""
