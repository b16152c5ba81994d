"""What travels between desk, hub and peer: paths, media types, signed requests, schemas, problems.

Both ends import this room, so that neither can drift from the other. It opens no connection and
knows no framework; what is signed inside a bundle or statement belongs to the kernel.
"""
