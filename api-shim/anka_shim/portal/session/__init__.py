"""Who is logged in, and how people log in and out."""
