from app.openmp import shorten_spinning

shorten_spinning()
