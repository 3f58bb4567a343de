"""What each precision of each stage costs a policy."""
