"""Sealing and opening of bundles: the only room that holds content keys and plaintext.

A hub may not import ``envelope.opening`` (import contract). The byte-level page is
docs/formats/bundle.md.
"""
