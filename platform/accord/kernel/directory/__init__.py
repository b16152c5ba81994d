"""The directory: root file, signed statements, their replay, and the six words.

Trust starts at the root file, which a desk gets from its own operator or compares by six words.
All keys of organisations come from statements in the directory log, replayed in full; what the
hub says about keys counts for nothing. Bytes in, values out; no storage, no network.
"""
