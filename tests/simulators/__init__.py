"""Simulators that speak the real protocol and can lose, tear or refuse what they were given."""
