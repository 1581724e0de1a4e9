"""The version of the client and of the server that it belongs to."""

__version__ = "0.1.0"
