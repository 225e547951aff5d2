"""The scheduling controller: keeps the scheduler's state, binds instances, reports why others wait."""
