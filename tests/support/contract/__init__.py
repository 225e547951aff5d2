"""Contract tests: what each endpoint is asked and must answer, as data files; see docs/contribute/development.md."""
