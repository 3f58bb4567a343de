"""Floor 2: any policy against recorded episodes; numbers with their definitions."""
