"""A simulated Mac with Anka and a simulated registry, for authors of Anka clients. See README.md."""
