"""What every process of ours does alike: settings, logs, health and metrics endpoints, the clock, a graceful stop."""
