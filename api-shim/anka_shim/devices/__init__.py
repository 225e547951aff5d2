"""/api/v1/usb and /api/v1/vlan."""
