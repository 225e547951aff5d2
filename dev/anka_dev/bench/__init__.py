"""Benchmarks: what a user waits for, measured side by side with references in one run."""
