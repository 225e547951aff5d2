"""The operator: schedules instances, judges nodes, mirrors templates, cleans up. Reads the API, writes the API."""
