"""The tab Replay."""
