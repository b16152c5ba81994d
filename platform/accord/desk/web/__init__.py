"""The desk's loopback pages: sign-in, inbox, one bundle, search. Views parse, call, render."""

from accord.desk.web.pages import PageServices, page_routes

__all__ = ["PageServices", "page_routes"]
