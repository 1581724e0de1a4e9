"""The one door to nnsight: everything that needs it imports it from here.

nnsight 0.8.1, imported plainly, mounts `.save` on `object`. anyio builds its asyncio backend lazily
and refuses classes with an attribute it does not know, so every sync endpoint and every
StreamingResponse of the server then answers 500. Two guards, either of which is enough: the mount
is switched off by a configuration file of ours, and anyio's backend is built before the import.
Values are saved with `nnsight.save(x)`, never `x.save()`.

Nothing of nnsight's remote service is used: no call passes `remote=`, and no API key is read.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import anyio._backends._asyncio  # noqa: F401  (must be complete before nnsight is imported)

if "nnsight" in sys.modules:
    raise ImportError("nnsight was imported before app.engine.runtime, which has to configure it")
os.environ["NNSIGHT_CONFIG"] = str(Path(__file__).with_name("nnsight.yaml"))

import nnsight  # type: ignore[import-untyped]
from nnsight.intervention.interleaver import (  # type: ignore[import-untyped]
    OutOfOrderError,
)
from nnsight.modeling.language import LanguageModel  # type: ignore[import-untyped]
from nnsight.schema.config import CONFIG  # type: ignore[import-untyped]

if hasattr(object, "save"):
    raise ImportError(f"nnsight {nnsight.__version__} mounted `.save` on every object")

# `-v` anywhere on our command line turns nnsight's debug mode on, and an NDIF key in the
# environment would be held for a service that is never called.
CONFIG.APP.DEBUG = False
CONFIG.API.APIKEY = None

# LanguageModel is the name by which nnsight is known; that it is now an alias of
# TransformersModel needs no warning at each load.
warnings.filterwarnings(
    "ignore", message="LanguageModel is deprecated", category=nnsight.NNsightDeprecationWarning
)

__all__ = ["LanguageModel", "OutOfOrderError", "nnsight"]
