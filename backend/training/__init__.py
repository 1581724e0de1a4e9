"""The embedded model, from text to shipped folder.

Run from `backend/` as `python -m training <step>`: `prepare` splits and tokenizes a corpus, `train`
fits the model, `evaluate` measures it on text it never saw, `export` writes the folder that the
server loads. These steps read and write one `--work` directory, so a step can be repeated alone.

`training.lenses` has the steps that fit and compare lenses of any model.
"""

from app.openmp import shorten_spinning

shorten_spinning()
