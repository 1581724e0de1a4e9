"""Work that takes longer than a person waits for an answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.models.causes import NamedToken
from app.models.patching import Direction, Heads, PatchQuestion, PositionPair, Site
from app.models.tokens import Token
from app.models.wire import (
    MAX_TOKENS,
    ErrorBody,
    LayerIndex,
    LensKind,
    ModelIdentity,
    Number,
    Wire,
)

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


class SampleText(Wire):
    """Passages of the World Factbook that ship with the program: English prose about countries."""

    source: Literal["sample"]


class OwnText(Wire):
    """A text of one's own."""

    source: Literal["text"]
    name: str = Field("own text", min_length=1, max_length=200)
    """What it is called, such as the name of its file."""
    text: str = Field(min_length=1, max_length=3_000_000)
    """Documents may end with a line `<|endoftext|>`."""


class ConversationsText(Wire):
    """What was said in the saved conversations, one branch of each."""

    source: Literal["conversations"]


FitText = Annotated[SampleText | OwnText | ConversationsText, Field(discriminator="source")]


class FitLensRequest(Wire):
    """A lens fitted to the running model, and judged on text that it was not fitted to."""

    kind: Literal["fit_lens"]
    lens: Literal["tuned", "jacobian"] = "tuned"
    """Which lens is fitted. A Jacobian lens takes as many passes for each 128 tokens as the model is wide, and one such sequence at least, whatever the time."""
    seconds: Number = Field(600.0, ge=1.0, le=86_400.0)
    """Of computing; turns that others have do not count. The verdict comes after it."""
    text: FitText = Field(default_factory=lambda: SampleText(source="sample"))
    """What it is fitted to; a fifth of it is held out."""


JobRequest = Annotated[PatchMapRequest | FitLensRequest, Field(discriminator="kind")]


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
    kind: Literal["patch_map", "fit_lens"]
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
    """A causal map."""

    kind: Literal["patch_map"]
    assumed: PatchMapAssumptions
    result: PatchMapResult
    """Of a job that is not over, what it has so far."""


class FitAssumptions(Wire):
    """All that a fit depends on, besides the model."""

    lens: LensKind
    seconds: float
    text: str
    """What the text is called."""
    fit_tokens: int
    """Of the text that is fitted; what is left over is read again."""
    held_out_tokens: int


class FitPoint(Wire):
    """Where a fit stood."""

    seconds: float
    """Of computing since it began."""
    tokens: int
    """Fitted so far."""
    values: list[float]
    """Of each layer. `tuned`: mean KL(final ‖ lens) in nats on the text that was fitted since the point before; of a large vocabulary an estimate from a sample of it. `jacobian`: how far the halves of the text are apart, as a share of their mean."""


class LayerVerdict(Wire):
    """One layer on held-out text: mean KL(final ‖ lens) in nats of the lens and of its controls."""

    layer: int
    kl_nats: float
    logit_kl_nats: float
    """The logit lens."""
    scaled_kl_nats: float
    """The logit lens with its logits times `scale`: of eight the best on this very text."""
    scale: float
    permuted_kl_nats: float
    """The fitted map of another layer."""
    in_use_kl_nats: float | None
    """The lens of this kind that the model had before; null where it had none."""
    standard_error_nats: float
    """Of the difference to the logit lens, position by position."""
    beats_controls: bool
    """Nearer to the model than each control by more than two standard errors."""


class LensVerdict(Wire):
    n_positions: int
    """Held-out positions, the same for the lens and its controls."""
    beats_controls: bool
    """At every layer below the last two."""
    is_in_use: bool
    """False where the model has a lens of this kind that is nearer to it, which stays."""
    layers: list[LayerVerdict]


class FitResult(Wire):
    curve: list[FitPoint]
    verdict: LensVerdict | None
    """Null until the fit is over."""


class FitJobInfo(JobSummary):
    """A lens being fitted."""

    kind: Literal["fit_lens"]
    assumed: FitAssumptions
    result: FitResult


AnyJob = Annotated[JobInfo | FitJobInfo, Field(discriminator="kind")]


class JobList(Wire):
    jobs: list[JobSummary]
    """The newest first, at most 100."""


class JobEvent(Wire):
    """The whole job: first event of a stream, and again when more than cells became known."""

    type: Literal["job"]
    job: AnyJob


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
    job: AnyJob


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
