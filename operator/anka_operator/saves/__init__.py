"""SaveImage: assignment to a Mac, and its end."""
