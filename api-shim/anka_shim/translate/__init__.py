"""Between the legacy JSON and our custom resources. Pure: no I/O, no clock, no randomness.

`start` and `update` read requests into an AnkaInstanceSpec; `instance` and `node` write objects as answers.
"""
