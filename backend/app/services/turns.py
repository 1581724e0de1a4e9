"""One turn of one job on the worker thread, and what it failed with."""

from __future__ import annotations

import logging
from collections.abc import Generator

from app.errors import ExplorerError, InternalError, ModelComputationError, OutOfMemory
from app.services.job import JobStopped
from app.services.lineup import InBackground, Running

logger = logging.getLogger(__name__)


def take_turn(running: Running | InBackground) -> tuple[bool, ExplorerError | None]:
    """Whether a job is over after its next turn, and what it failed with.

    The thread outlives every failure.
    """
    job = running.job
    try:
        job.check()
        next(running.turns)
    except StopIteration:
        return True, None
    except JobStopped as stopped:
        return True, _ended(running) or stopped.reason
    except (InternalError, ModelComputationError) as failure:
        logger.exception("run %s failed", job.id)
        return True, failure
    except ExplorerError as failure:
        return True, failure
    except Exception as failure:
        if is_out_of_memory(failure):
            logger.exception("run %s ran out of memory", job.id)
            return True, OutOfMemory(
                "The machine has not enough memory for this request.",
                hint="Ask for fewer positions, layers or tokens at a time.",
            )
        logger.exception("run %s failed", job.id)
        return True, InternalError(
            "The server made a mistake while computing the answer.",
            hint="The server's log has the details under the request id.",
        )
    return False, None


def _ended(running: Running | InBackground) -> ExplorerError | None:
    """Ends a job's work between two turns, so that it gives back what it holds."""
    if isinstance(running.turns, Generator):
        try:
            running.turns.close()
        except Exception:
            logger.exception("run %s failed while it was ended", running.job.id)
            return InternalError(
                "The server made a mistake while it ended the request.",
                hint="The server's log has the details under the request id.",
            )
    return None


def is_out_of_memory(failure: Exception) -> bool:
    """Whether Python, the CPU allocator of torch or a GPU ran out of memory.

    torch is not imported here: its CPU allocator raises a plain RuntimeError, its GPU one an
    `OutOfMemoryError`.
    """
    return (
        isinstance(failure, MemoryError)
        or type(failure).__name__ == "OutOfMemoryError"
        or (isinstance(failure, RuntimeError) and "can't allocate memory" in str(failure))
    )
