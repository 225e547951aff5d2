"""What the old controller's settings are here, and its environment file as values of the chart."""
