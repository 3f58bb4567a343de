"""The tab Trap."""
