"""What to do next and what to report, as pure functions of the spec and of what is observed."""
