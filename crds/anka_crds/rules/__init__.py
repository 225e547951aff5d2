"""Pure rules of the cloud: lifecycle, conditions, naming. No I/O, no clock, no randomness."""
