"""What logging in costs REST: each credential beside no authentication, in one run."""
