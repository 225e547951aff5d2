"""Rehearsals of the old controller's clients: what each sends, what it insists on, and how it gives up.

One module for each client, built from what is known of its source and of its traffic. They are strict on purpose: an
answer that the real client breaks on must break these, too (tests/unit/clients holds them to that).
"""
