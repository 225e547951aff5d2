"""/admin/api/v1/permission."""
