"""The tests, a package so that a stray `tests` of some dependency (several wheels ship one) never stands in for it."""
