"""The command line: subcommands, and the flags of `ankacluster join`."""
