"""What people see of the whole cloud in metrics. Only the leader shows it, so that it is never counted twice."""
