"""Saving instances to the registry: a part of each instance's worker, which alone touches the VM."""
