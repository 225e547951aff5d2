"""What the registry holds, as last read: every decision about templates is made from it."""
