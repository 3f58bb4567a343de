"""A bench for robot policies on embedded hardware. Importing this package costs nothing: every room loads when it is used."""

__version__ = "0.1.0"
