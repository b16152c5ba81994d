"""A witness: a small independent service that cosigns a hub's logs (C2SP tlog-witness).

It promises one thing: as of the time it signed, a tree is the largest that it has seen of that
log, and continues every tree that it cosigned before. It judges no entry and reads no bundle.
"""
