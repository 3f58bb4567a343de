"""Replaying a variant over a recorded episode."""
