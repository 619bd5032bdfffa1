"""A code location that does not load."""

raise RuntimeError("the shop is closed")
