"""What the operator writes, computed from what it sees. Pure: objects and a time in, merge patches out."""
