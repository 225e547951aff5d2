"""Which instance runs on which node, as a pure function of what is known. No I/O, no clock, no randomness."""
