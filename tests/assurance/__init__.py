"""Long tests of the promises, run by ``python -m tests.assurance``: see docs/assurance.md."""
