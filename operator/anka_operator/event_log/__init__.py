"""The event log: what REST, kubectl and Macs did, for other systems."""
