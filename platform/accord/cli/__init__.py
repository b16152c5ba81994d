"""The command ``accord``: mounts the programs' commands and keeps those that need no program."""
