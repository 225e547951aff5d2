"""RBAC for Secrets: the agent of the node of an instance can read the Secrets that the instance names."""
