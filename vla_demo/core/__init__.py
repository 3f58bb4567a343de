"""Floor 0: the nouns every room shares and the pure rules about them. Imports numpy and the standard library only."""
