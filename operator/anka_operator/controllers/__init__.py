"""Level-triggered loops: each looks at everything that is its own, does what is due, and may be killed anywhere."""
