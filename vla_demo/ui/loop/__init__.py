"""The tab Closed loop."""
