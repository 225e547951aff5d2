"""The commands of `anka`, a module for each family; `TABLE` maps a command to its function."""
