"""A stored result next to the same study, computed again: what is the same, what differs."""
