"""Floor 3: cuts a checkpoint into stage graphs, proves parity, writes the package."""
