"""MACAddressPool: its numbers; and instances that ask for an address which another one has."""
