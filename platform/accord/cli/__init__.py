"""The command ``accord``: mounts the programs' commands and holds those that need only the kernel."""
