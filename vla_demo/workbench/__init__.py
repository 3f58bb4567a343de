"""Floor 4: what a user can do, one verb a file; no widgets."""
