"""Work that outlives the agent process, and its records on the disk of the Mac."""
