"""The cloud as the shim sees it: caches kept by watches, encoded answers made from them, and the few writes."""
