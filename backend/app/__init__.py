"""Mechanistic Explorer: chat with a language model and see each prediction form, layer by layer."""

from app.openmp import bound_kernel_cache, shorten_spinning

__version__ = "0.1.0"

shorten_spinning()
bound_kernel_cache()
