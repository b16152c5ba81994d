"""The hub's faces: JSON and byte routes for desks, the logs for anyone, pages for people.

A view parses, calls one verb and renders; it decides nothing and touches no table.
"""
