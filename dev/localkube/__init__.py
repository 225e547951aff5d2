"""A Kubernetes control plane on this machine, and a runner for its pods, without Docker: for development and tests."""
