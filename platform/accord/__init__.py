"""Accord: signed, end-to-end encrypted indicator bundles through a hub that cannot read them."""

__version__ = "0.1.0"
