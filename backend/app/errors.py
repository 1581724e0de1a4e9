"""Every failure the product knows, with the stable `code` that scripts and the page rely on.

    ExplorerError
    ├── InvalidRequest        the request cannot be answered as it stands
    │   ├── ContextExceeded       prompt plus reply do not fit the model's context
    │   ├── LayerOutOfRange       a layer index outside 0..n_layers
    │   ├── PositionOutOfRange    a token index outside the timeline
    │   ├── UnknownToken          a token id that the model's vocabulary does not have
    │   ├── EmptyPrompt           nothing to read: no text and no token ids
    │   ├── LensUnavailable       a lens that was not fitted to the model
    │   ├── IdentityFailed        parts that do not add up on this model, so none is given
    │   ├── UnsupportedIntervention   a change of the computation that cannot act here
    │   ├── UndefinedEffect       two runs that answer alike, so nothing lies between them
    │   └── NotOnNdif             a model on NDIF is not asked for this
    ├── NotFound              the address names nothing
    │   ├── ConversationNotFound  never existed, or was deleted
    │   └── JobNotFound           never existed, or was deleted
    ├── MethodNotAllowed      the address exists, but not for this method
    ├── Conflict              the thing is in use in a way that excludes this request
    │   ├── JobElsewhere          another server of the same database runs the job
    │   ├── ModelMismatch         a saved conversation of another model than the one that runs
    │   └── AnnotationsChanged    pins or notes are no longer those that a change was made to
    ├── PayloadTooLarge       the request body is over the limit
    ├── Forbidden             the caller's Host or Origin is not ours
    ├── Unauthorized          a token is required and was not given
    ├── QueueFull             too many requests wait for the model
    ├── Unavailable           not now, perhaps later
    │   ├── ModelLoading          the model is still being loaded
    │   ├── ModelFailed           the model could not be loaded, so nothing can be computed
    │   ├── ModelSwitched         the server changes to another model than the one it was asked of
    │   ├── QueueTimeout          the request waited too long for the model
    │   ├── NdifUnavailable       the NDIF server does not answer, or takes no job now
    │   ├── NdifLost              the connection to it ended before the job did
    │   └── Draining              the server is shutting down
    ├── DeadlineExceeded      the request ran longer than the server allows
    ├── JobLost               the server ended, and the job had nothing to go on from
    ├── ReaderTooSlow         the client did not read its stream, so the reply was ended
    ├── StorageFailed         saved conversations cannot be read or written
    ├── OutOfMemory           the machine has not enough memory for this request
    ├── ModelLoadError        a model cannot be had: missing, broken or unsafe files, no network
    │   ├── ModelNotFound         neither a folder, nor cached, nor on the hub
    │   ├── ModelTooLarge         the machine has not enough memory for it, or not beside another
    │   ├── HubUnreachable        the hub did not answer and the cache does not hold the model
    │   └── UnsupportedArchitecture   parts not found, or the self-check failed
    ├── NdifRefused           NDIF does not accept this server's key
    ├── NdifVersion           NDIF runs versions that do not fit this server's
    ├── NdifFailed            the job failed on NDIF
    ├── ModelComputationError the model computed something that is not a number
    └── InternalError         a defect of ours; the log has the traceback under the request id

No HTTP here: `app/api/errors.py` maps each code to a status.
"""

from __future__ import annotations


class ExplorerError(Exception):
    """A failure with a stable code, a message that names thing and value, and a way out."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.param = param
        self.retry_after_s = retry_after_s


class InvalidRequest(ExplorerError):
    """The request cannot be answered as it stands."""

    code = "invalid_request"


class ContextExceeded(InvalidRequest):
    """Prompt plus reply do not fit the model's context."""

    code = "context_exceeded"


class LayerOutOfRange(InvalidRequest):
    """A layer index outside 0..n_layers."""

    code = "layer_out_of_range"


class PositionOutOfRange(InvalidRequest):
    """A token index outside the timeline."""

    code = "position_out_of_range"


class UnknownToken(InvalidRequest):
    """A token id that the model's vocabulary does not have."""

    code = "unknown_token"


class EmptyPrompt(InvalidRequest):
    """There is nothing to read: no text and no token ids."""

    code = "empty_prompt"


class LensUnavailable(InvalidRequest):
    """A lens that was not fitted to the model that runs."""

    code = "lens_unavailable"


class IdentityFailed(InvalidRequest):
    """Parts of this model do not add up to what it computed, so none is given; the message says where."""

    code = "identity_failed"


class UnsupportedIntervention(InvalidRequest):
    """An intervention that cannot act on this model or in this place; it is never left out in silence."""

    code = "unsupported_intervention"


class UndefinedEffect(InvalidRequest):
    """Clean and corrupt run have the same logit difference, so a patched run has no score between them."""

    code = "undefined_effect"


class NotOnNdif(InvalidRequest):
    """Not asked of a model that runs on NDIF; the message says what is."""

    code = "not_on_ndif"


class NotFound(ExplorerError):
    """The address names nothing."""

    code = "not_found"


class ConversationNotFound(NotFound):
    """The conversation never existed, or was deleted."""

    code = "conversation_not_found"


class JobNotFound(NotFound):
    """The job never existed, or was deleted."""

    code = "job_not_found"


class MethodNotAllowed(ExplorerError):
    """The address exists, but not for this method."""

    code = "method_not_allowed"


class Conflict(ExplorerError):
    """The thing is in use in a way that excludes this request."""

    code = "conflict"


class JobElsewhere(Conflict):
    """Another server that shares the database runs the job, so it cannot be changed through this one."""

    code = "job_elsewhere"


class ModelMismatch(Conflict):
    """A saved conversation of another model than the one that runs; its ids would be misread."""

    code = "model_mismatch"


class AnnotationsChanged(Conflict):
    """The pins or notes of a branch are no longer those that a change was made to."""

    code = "annotations_changed"


class PayloadTooLarge(ExplorerError):
    """The request body is over the limit."""

    code = "payload_too_large"


class Forbidden(ExplorerError):
    """The caller's Host or Origin is not one that this server serves."""

    code = "forbidden"


class Unauthorized(ExplorerError):
    """A token is required and was not given, or is wrong."""

    code = "unauthorized"


class QueueFull(ExplorerError):
    """Too many requests wait for the model."""

    code = "queue_full"


class Unavailable(ExplorerError):
    """Not now, perhaps later."""

    code = "unavailable"


class ModelLoading(Unavailable):
    """The model is still being loaded."""

    code = "model_loading"


class ModelFailed(Unavailable):
    """The model could not be loaded, so nothing can be computed."""

    code = "model_failed"


class ModelSwitched(Unavailable):
    """The server changes to another model, so what was asked of the former one ends."""

    code = "model_switched"


class QueueTimeout(Unavailable):
    """The request waited too long for the model, which others kept busy; nothing was computed."""

    code = "queue_timeout"


class NdifUnavailable(Unavailable):
    """The NDIF server does not answer, or cannot take a job now."""

    code = "ndif_unavailable"


class NdifLost(Unavailable):
    """The connection to NDIF ended before the job did; what was found by then was shown."""

    code = "ndif_lost"


class NdifRefused(ExplorerError):
    """NDIF does not accept the key of this server."""

    code = "ndif_refused"


class NdifVersion(ExplorerError):
    """NDIF runs versions of nnsight or transformers that do not fit this server's."""

    code = "ndif_version"


class NdifFailed(ExplorerError):
    """The job failed on NDIF; the message has the last line of why."""

    code = "ndif_failed"


class Draining(Unavailable):
    """The server is shutting down and takes no new work."""

    code = "draining"


class DeadlineExceeded(ExplorerError):
    """The request ran longer than the server allows."""

    code = "deadline_exceeded"


class JobLost(ExplorerError):
    """The server ended while the job ran, and it keeps nothing to go on from."""

    code = "job_lost"


class ReaderTooSlow(ExplorerError):
    """The client did not read its stream, so the reply was ended to keep the model free for others."""

    code = "reader_too_slow"


class StorageFailed(ExplorerError):
    """Saved conversations cannot be read or written; what was asked for was not saved."""

    code = "storage_failed"


class OutOfMemory(ExplorerError):
    """The machine has not enough memory for this request."""

    code = "out_of_memory"


class ModelLoadError(ExplorerError):
    """A model cannot be had: missing, broken or unsafe files."""

    code = "model_load_failed"


class ModelNotFound(ModelLoadError):
    """The name is neither a folder, nor a cached model, nor a model on the hub."""

    code = "model_not_found"


class ModelTooLarge(ModelLoadError):
    """The model needs more memory than the machine has, or than is free beside the one that runs."""

    code = "model_too_large"


class HubUnreachable(ModelLoadError):
    """The hub did not answer and the local cache does not hold the model."""

    code = "hub_unreachable"


class UnsupportedArchitecture(ModelLoadError):
    """The decoder's parts were not found, or the self-check found wrong numbers."""

    code = "unsupported_architecture"


class ModelComputationError(ExplorerError):
    """The model computed something that is not a number; the message names the layer."""

    code = "model_non_finite"


class InternalError(ExplorerError):
    """A defect of ours; the log has the traceback under the request id."""

    code = "internal_error"
