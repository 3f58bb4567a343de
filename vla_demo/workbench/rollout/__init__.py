"""Acting in the twin under a board's latency."""
