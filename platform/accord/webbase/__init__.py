"""Web habits that hub and desk share: the app factory, sessions, problems, pages, strict API.

Faces import this room; rooms with rules never do. It decides nothing about who may do what: it
finds out who is asking, and refuses every route that does not say what it is for.
"""
