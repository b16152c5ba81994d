"""Figures printed next to their goals: ``python -m tests.bench NAME --json``."""
