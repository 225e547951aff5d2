"""The operator: schedules instances, keeps the state of nodes, mirrors templates, cleans up."""
