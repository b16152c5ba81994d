"""The charter: the sharing agreement as data, and the one pure decision on it.

Default deny. The hub decides on every acceptance and a desk before it seals, with the same code
and the same signed bytes. No I/O, no state.
"""
