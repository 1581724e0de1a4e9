"""Where lenses fitted to a model are kept in the data folder."""

import hashlib


def lens_folder_name(source: str, revision: str) -> str:
    """A name for the model of this source and revision; the name of the model itself is no part of it."""
    return hashlib.sha256(f"{source} {revision}".encode()).hexdigest()[:32]
