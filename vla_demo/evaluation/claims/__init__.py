"""What is said of the numbers: readings of a report, and what others have published, held against it."""
