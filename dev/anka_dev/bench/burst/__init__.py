"""A burst of starts on many simulated Macs, whose agents are the real ones, until every VM runs."""
