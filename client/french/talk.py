"""`superwhisper talk`."""

SENTENCES: dict[str, str] = {}
