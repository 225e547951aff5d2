"""The instances of this Mac: one worker for each brings its VM to what the spec asks for, and reports it."""
