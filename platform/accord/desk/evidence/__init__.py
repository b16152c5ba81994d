"""Evidence files: one record with everything that proves it, for a court or anybody else.

``service`` makes a file, ``report`` its readable part. ``verify.py`` is put into each file as it
is: a checker that stands alone, imports nothing of Accord and is imported by nothing here.
"""
