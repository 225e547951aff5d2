"""The page, and the files that it loads."""
