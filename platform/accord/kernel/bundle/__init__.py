"""The sealed bundle ASB/1 as everybody sees it: header, manifest, framing, checks without secrets.

Nothing here decrypts; a hub imports this room and cannot open what it carries. Sealing and
opening stand in ``kernel.envelope``. The byte-level page is docs/formats/bundle.md.
"""
