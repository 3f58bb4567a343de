"""Floor 2: finds and vets a LeRobot checkpoint, and runs it in PyTorch as the reference."""
