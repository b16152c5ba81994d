"""The desk: an organisation's own node, the only place with private keys and plaintext."""
