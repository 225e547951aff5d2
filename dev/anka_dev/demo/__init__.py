"""``make demo``: the whole build cloud on this machine, with two simulated Macs, in one command."""
