"""Floor 2: graph in, graph out."""
