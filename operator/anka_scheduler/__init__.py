"""Which instance runs on which node, as a pure function of the cluster's state. No I/O, no clock, no randomness."""
