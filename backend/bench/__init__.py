"""How fast the engine is, side by side with how others do the same: `make bench`.

Every figure is measured through the real server, over HTTP, against a reference that runs in the
same minutes on the same machine, because a time alone says nothing on a machine that others share.
`docs/performance.md` explains each figure, what bounds it and how far from that bound it is.
"""

from app.openmp import shorten_spinning

shorten_spinning()
