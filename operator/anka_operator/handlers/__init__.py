"""kopf handlers, one module for each kind. All are `on.event`: kopf then writes nothing by itself (no annotations, no
finalizers), and each event is answered from the whole object, so that none of them can matter more than the last."""
