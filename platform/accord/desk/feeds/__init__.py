"""Feeds of this desk for tools on the same network: TAXII 2.1 and MISP, read-only.

Invariants: a tool sees only what ``export.rules`` lets into tools; every object has its own
moment of addition, later than every one given out before, so that a tool that asks for what is new
misses nothing and gets nothing twice; what is taken back comes as a new version first and is
deleted afterwards; a cursor holds its filters and cannot be made by anyone else. No Flask here.
"""
