"""JSON on the wire, one module a room; strict: an unknown member or query name is refused.

Signed statements and sealed bundles travel as their own bytes and are parsed by the kernel; what
is described here is the envelope of a question or an answer.
"""
