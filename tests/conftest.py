"""Fixtures for all tests are in ``tests/support``, one module for each subject; they are only listed here."""

pytest_plugins = [
    "support.hypothesis_profile",
    "support.order",
    "support.scenario",
    "support.log_state",
    "support.cluster",
    "support.kinds",
    "support.cloud",
    "support.image",
    "support.chart",
    "support.client_stage",
    "support.agents",
    "support.real_clients",
    "support.operators",
    "support.fake_anka",
    "support.checkers",
    "support.closed_stage",
    "support.skip_budget",
]
