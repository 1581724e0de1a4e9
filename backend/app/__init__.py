"""Mechanistic Explorer: chat with a language model and see each prediction form, layer by layer."""

__version__ = "0.1.0"
