"""What to do next and what to report, as pure functions of what is wanted and what is seen."""
