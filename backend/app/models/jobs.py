"""Work that takes longer than a person waits for an answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.models.causes import NamedToken
from app.models.patching import Direction, Heads, PatchQuestion, PositionPair, Site
from app.models.tokens import Token
from app.models.wire import MAX_TOKENS, ErrorBody, LayerIndex, ModelIdentity, Wire

JobState = Literal["waiting", "running", "paused", "done", "error", "cancelled", "lost"]


class PatchMapRequest(PatchQuestion):
    """A causal map: every layer at every pair of positions, patched one by one."""

    kind: Literal["patch_map"]
    layers: list[LayerIndex] | None = Field(None, min_length=1, max_length=1024)
    """Layers for `resid`, blocks for the others; null is all that have the site."""
    positions: list[PositionPair] | None = Field(None, min_length=1, max_length=MAX_TOKENS)
    """Pairs of positions, of `clean` and of `corrupt`. Null aligns both texts: common tokens, and what stands between them in order. A token without a counterpart has no cell."""
    heads: Heads | None = None
    """With `head`: which heads of each block, one row each; null is all."""

    @model_validator(mode="after")
    def heads_of_heads(self) -> PatchMapRequest:
        if self.heads is not None and self.site != "head":
            raise ValueError(f"heads is for the site head, not for {self.site}")
        return self


JobRequest = PatchMapRequest


class JobCreated(Wire):
    id: str


class MapSide(Wire):
    """One of the two texts of a map."""

    conversation_id: str | None
    """Where it is a saved conversation."""
    tokens: list[Token]


class PatchMapAssumptions(Wire):
    """All that the numbers of a map depend on, besides the model."""

    clean: MapSide
    corrupt: MapSide
    site: Site
    direction: Direction
    metric: Literal["logit_difference"]
    """The logit of `answer` less that of `foil` at the last position."""


class PatchMapResult(Wire):
    """A map as far as it is computed, in rows `[layer][pair]`."""

    layers: list[int]
    """Layer or block of each row."""
    heads: list[int | None]
    """Head of each row; null for other sites."""
    positions: list[tuple[int, int]]
    answer: NamedToken | None
    """Null until both texts were run."""
    foil: NamedToken | None
    clean: float | None
    """The metric of the clean run."""
    corrupt: float | None
    cells: list[list[float | None]]
    """The metric of the run patched there; null where it is not computed yet."""
    scores: list[list[float | None]]
    """The same as `score` of `/api/patch`: 0 at the run that is changed, 1 at the other."""
    estimate: list[list[float]] | None
    """What attribution patching (one backward pass) guesses the scores to be: an estimate, which orders the cells and is no result."""
    no_estimate: str | None
    """Why there is none."""
    rank_correlation: float | None
    """Spearman's, of the estimate with the scores of the cells that were run; null for fewer than three."""
    n_cells: int
    n_done: int
    computed_tokens: int
    """Tokens run through blocks for the cells so far."""


class JobSummary(Wire):
    id: str
    kind: Literal["patch_map"]
    state: JobState
    """`waiting` for its turn, `running`, `paused` by a person; `done`, `error`, `cancelled`, or `lost`: interrupted by the server's end without a checkpoint to go on from."""
    progress: float
    """In [0, 1], by the work that it takes."""
    seconds_left: float | None
    """Guessed from the pace so far; null where there is none."""
    created_at_ms: int
    updated_at_ms: int
    model: str
    model_identity: ModelIdentity
    conversation_id: str | None
    """The saved conversation that it is kept with."""
    title: str
    error: ErrorBody | None


class JobInfo(JobSummary):
    assumed: PatchMapAssumptions
    result: PatchMapResult
    """Of a job that is not over, what it has so far."""


class JobList(Wire):
    jobs: list[JobSummary]
    """The newest first, at most 100."""


class JobEvent(Wire):
    """The whole job: first event of a stream, and again when both texts were run."""

    type: Literal["job"]
    job: JobInfo


class ProgressEvent(Wire):
    type: Literal["progress"]
    state: JobState
    progress: float
    seconds_left: float | None


class MapCell(Wire):
    row: int
    pair: int
    value: float
    """As in `cells` of the result."""
    score: float


class CellsEvent(Wire):
    """Cells that were computed since the event before."""

    type: Literal["cells"]
    cells: list[MapCell]


class JobDoneEvent(Wire):
    """Last event of a job that came to its end."""

    type: Literal["done"]
    job: JobInfo


class JobErrorEvent(Wire):
    """Last event of a job that failed, or was lost. With the code `draining` it is the last of a stream
    only: the server ends, and the job goes on when it is back."""

    type: Literal["error"]
    error: ErrorBody


class JobCancelledEvent(Wire):
    type: Literal["cancelled"]


JobStreamEvent = Annotated[
    JobEvent | ProgressEvent | CellsEvent | JobDoneEvent | JobErrorEvent | JobCancelledEvent,
    Field(discriminator="type"),
]
