"""Mechanistic Explorer: chat with a language model and see each prediction form, layer by layer."""

from app.openmp import shorten_spinning

__version__ = "0.1.0"

shorten_spinning()
