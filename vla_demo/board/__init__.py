"""Floor 2: the board: a process that drives an arm with an exported policy, guarded, and the link to it. Never torch."""
