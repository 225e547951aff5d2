"""What every process needs: settings, logs, health and metrics endpoints, the clock, background tasks."""
