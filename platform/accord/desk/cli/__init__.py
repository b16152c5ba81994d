"""The commands of a desk."""
