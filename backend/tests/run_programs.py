"""Runs programs that the page exported, for its browser tests: paths come in, results go out, as lines.

Each program runs as the main one of a fork of this process, which has imported what all of them import:
the imports take longer than the rest of most programs.
"""

import json
import os
import runpy
import sys
import tempfile
import traceback

import nnsight  # noqa: F401
import torch  # noqa: F401
from transformers.models.auto import modeling_auto, tokenization_auto  # noqa: F401
from transformers.models.gpt2 import modeling_gpt2  # noqa: F401


def run(path: str) -> dict[str, object]:
    """What a program wrote, and its exit status."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        if (child := os.fork()) == 0:
            for stream in (1, 2):
                os.dup2(output.fileno(), stream)
            os._exit(status_of(path))
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "output": output.read()}


def status_of(path: str) -> int:
    """Runs a program here, and gives the exit status that it would have."""
    sys.argv = [path]
    status = 0
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(line.rstrip("\n"))) + "\n")
        sys.stdout.flush()
