"""The whole story on one computer: real processes, real HTTP on loopback, generated sample data."""
