"""Driving a robot through its board."""
