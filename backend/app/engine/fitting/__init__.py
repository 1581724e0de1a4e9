"""Fits lenses to the loaded model: the tuned and the Jacobian lens, their text, files and verdict."""
