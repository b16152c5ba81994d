"""What members write to each other about records: requests, answers, sightings, notices.

Each is the payload of a sealed, signed bundle of its own kind; this room says what its lines are
and that they fit the header. Closed codes where codes do; short text where it must be. There is no
place for a file, a customer or a victim. Who may write to whom is the charter's business; who was
asked is known to hub and desk. Format: docs/formats/correspondence.md.
"""
