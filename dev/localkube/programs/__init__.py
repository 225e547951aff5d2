"""The programs of a control plane and of its tests: found on this machine, downloaded, or built."""
