"""Tests on real pretrained weights, which only a folder named by EXPLORER_TEST_MODELS switches on.

It holds `gemma/hf` (Gemma 3 270M) and `qwen/hf` (Qwen2.5-Coder-0.5B-Instruct). Without it nothing
here is collected. One model is in memory at a time; Qwen takes some 5 GB.
"""

import os

FOLDER = os.environ.get("EXPLORER_TEST_MODELS")

collect_ignore_glob = [] if FOLDER else ["test_*.py"]
