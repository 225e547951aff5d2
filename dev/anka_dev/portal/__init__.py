"""Tools for the portal's JavaScript: a server with invented rows, pictures, checks, and the libraries of others."""
