"""Floor 2: LeRobot dataset v3, read and written."""
