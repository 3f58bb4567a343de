"""The tab Robot."""
