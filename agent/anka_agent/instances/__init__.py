"""The instances of this Mac: one worker for each brings its VM to what is wanted, and reports it."""
