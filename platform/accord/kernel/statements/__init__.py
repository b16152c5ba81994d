"""Signed statements that are no bundles: a recipient's acknowledgement, a month's tally."""
