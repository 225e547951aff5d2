"""The API of the Anka build cloud.

`api` holds the models, defaults and condition reasons, `rules` what follows from them; both are pure (no I/O, no clock,
no randomness). `schema` makes the CRDs from the models. `resources` are the kinds as anka_kube serves them.
"""
