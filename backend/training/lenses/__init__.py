"""Two fitted lenses for any model that the engine loads, and a comparison with the logit lens.

Run from `backend/` as `python -m training fit-tuned-lens`, `fit-jacobian-lens`, `compare-lenses`.
A fit reads the documents of its text that the comparison does not. All files go to one folder:
`tuned.safetensors`, `jacobian.safetensors`, `comparison.json`.

Layer index as in the engine: 0 is after the embedding, `n` after block `n`. Lenses are fitted for
layers 0 to `n_layers - 1`; at the last layer each is the model's own output. A residual stream `h`
is a column vector, so row `i` of a matrix gives output dimension `i`; rows of data are `h` written
sideways, and a lens applies to them as `rows @ matrix.T`.
"""
