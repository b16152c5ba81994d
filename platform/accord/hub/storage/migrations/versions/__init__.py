"""One file a revision, in order; a published one never changes."""
