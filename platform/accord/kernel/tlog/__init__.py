"""Transparency log arithmetic and formats (C2SP tlog-*, RFC 9162). No storage, no network."""
