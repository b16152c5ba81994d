"""Evidence: one record with everything that proves it, in one file that a stranger can check.

``archive`` is the container, ``statement`` what the desk that made the file signs, ``timestamp``
an authority's token, ``verification`` the whole check. Nothing here opens or seals a bundle. The
page is docs/formats/evidence.md; ``desk/evidence/verify.py`` is the same check written apart.
"""
