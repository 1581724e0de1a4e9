"""A method for each operation of the API.

Made from openapi.json by `python client/generate.py`; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mechanistic_explorer import answers, requests
from mechanistic_explorer.http import Connection
from mechanistic_explorer.jobs import Job
from mechanistic_explorer.streams import ChatStream, JobEvents


class Operations(Connection):
    """The operations of the API, each by its `operationId`."""

    def chat(
        self,
        messages: str | Sequence[requests.ChatMessage | answers.ChatMessage],
        *,
        interventions: Sequence[requests.Intervention | answers.Intervention] | None = None,
        mode: Literal["chat", "completion"] = "chat",
        conversation_id: str | None = None,
        from_index: int | None = None,
        continue_with: Sequence[int] = (),
        bos: bool | None = None,
        sampling: requests.SamplingRequest | None = None,
        lens: requests.LensRequest | None = None,
    ) -> answers.ChatResponse:
        """Continues a conversation with the model and tells how each token was predicted.

        With `stream: true` the answer is `text/event-stream`: one `start`, while the model is busy
        with others `queued` (the place in the queue, and the seconds until the model is expected to
        begin), then `token` and `lens` events, then exactly one `done` or `error`; a stream without
        either was cut. Lines that begin with a colon keep the connection alive and mean nothing.
        Both forms hold the same numbers.

        `conversation_id` continues the stored token ids exactly. `from_index` says how many of
        them: all continue the same timeline, fewer make a new branch. The messages are saved before
        the model runs, as a turn that is `interrupted` until it ends. A reply that its client
        leaves, stream or JSON, is kept as `cancelled`, one that the server ends (a deadline, a
        shutdown, a failure) as `interrupted`, both with the tokens that were sent.

        `messages`: In a new conversation the whole history, the user's message last; with
        `conversation_id` only what is new. Empty only together with `from_index`, to regenerate.

        `interventions`: In the order in which they act. Null: those that the stored branch was
        written under, none for any other timeline; an empty list: none.

        `mode`: `chat` renders messages by the model's template; `completion` sends the last message
        as raw text.

        `from_index`: How many of the stored tokens are continued. All of them continue the same
        timeline; fewer make a new branch with an id of its own, and the old one stays as it was. A
        client that sends the length it shows can never continue behind tokens that it has not seen.

        `continue_with`: Ids that the reply begins with, whatever the model would have chosen; with
        `from_index` and no messages. They come as tokens of the reply, with the model's own scores.

        `bos`: Whether a new conversation starts with the beginning-of-sequence token; null does
        what the model's tokenizer does.
        """
        return self._call(
            "POST",
            "/api/chat",
            answers.ChatResponse,
            body={
                "interventions": interventions,
                "messages": self._messages(messages),
                "mode": mode,
                "conversation_id": conversation_id,
                "from_index": from_index,
                "continue_with": continue_with,
                "bos": bos,
                "sampling": sampling,
                "lens": lens,
            },
        )

    def chat_stream(
        self,
        messages: str | Sequence[requests.ChatMessage | answers.ChatMessage],
        *,
        interventions: Sequence[requests.Intervention | answers.Intervention] | None = None,
        mode: Literal["chat", "completion"] = "chat",
        conversation_id: str | None = None,
        from_index: int | None = None,
        continue_with: Sequence[int] = (),
        bos: bool | None = None,
        sampling: requests.SamplingRequest | None = None,
        lens: requests.LensRequest | None = None,
    ) -> ChatStream:
        """Continues a conversation with the model and tells how each token was predicted.

        With `stream: true` the answer is `text/event-stream`: one `start`, while the model is busy
        with others `queued` (the place in the queue, and the seconds until the model is expected to
        begin), then `token` and `lens` events, then exactly one `done` or `error`; a stream without
        either was cut. Lines that begin with a colon keep the connection alive and mean nothing.
        Both forms hold the same numbers.

        `conversation_id` continues the stored token ids exactly. `from_index` says how many of
        them: all continue the same timeline, fewer make a new branch. The messages are saved before
        the model runs, as a turn that is `interrupted` until it ends. A reply that its client
        leaves, stream or JSON, is kept as `cancelled`, one that the server ends (a deadline, a
        shutdown, a failure) as `interrupted`, both with the tokens that were sent.

        As a stream; closing it stops the model.

        `messages`: In a new conversation the whole history, the user's message last; with
        `conversation_id` only what is new. Empty only together with `from_index`, to regenerate.

        `interventions`: In the order in which they act. Null: those that the stored branch was
        written under, none for any other timeline; an empty list: none.

        `mode`: `chat` renders messages by the model's template; `completion` sends the last message
        as raw text.

        `from_index`: How many of the stored tokens are continued. All of them continue the same
        timeline; fewer make a new branch with an id of its own, and the old one stays as it was. A
        client that sends the length it shows can never continue behind tokens that it has not seen.

        `continue_with`: Ids that the reply begins with, whatever the model would have chosen; with
        `from_index` and no messages. They come as tokens of the reply, with the model's own scores.

        `bos`: Whether a new conversation starts with the beginning-of-sequence token; null does
        what the model's tokenizer does.
        """
        return ChatStream(
            self._stream(
                "POST",
                "/api/chat",
                body={
                    "stream": True,
                    "interventions": interventions,
                    "messages": self._messages(messages),
                    "mode": mode,
                    "conversation_id": conversation_id,
                    "from_index": from_index,
                    "continue_with": continue_with,
                    "bos": bos,
                    "sampling": sampling,
                    "lens": lens,
                },
            )
        )

    def lens(
        self,
        prompt: str | None = None,
        *,
        interventions: Sequence[requests.Intervention | answers.Intervention] | None = None,
        token_ids: Sequence[int] | None = None,
        conversation_id: str | None = None,
        messages: str | Sequence[requests.ChatMessage | answers.ChatMessage] | None = None,
        bos: bool | None = None,
        kind: Literal["logit", "tuned", "jacobian"] = "logit",
        layers: Sequence[float] | None = None,
        half_layers: bool = False,
        positions: Sequence[int] | None = None,
        top_k: int = 5,
        targets: Sequence[int] = (),
        include_tokens: bool = True,
    ) -> answers.LensReadResponse:
        """Reads a text, token ids or a stored conversation layer by layer, without generating.

        The answer is in columns, `[layer][position]`, as a heatmap needs it. Position `t` predicts
        the token at `t + 1`; `next_probability` and `next_rank` are of the token that really
        follows, and null at the end of the timeline. Layer `n - 0.5` is the stream inside block
        `n`, after attention and before the MLP; reading it runs its positions through the model
        again. Work that is over the limit of one request is refused with the numbers: read fewer
        `positions` or `layers` at a time.

        `interventions`: In the order in which they act. Null: those that the stored branch was
        written under, none for any other timeline; an empty list: none.

        `messages`: A history, the user's message last: rendered by the model's template up to where
        the reply begins, as `/api/chat` does for a new conversation.

        `bos`: For `prompt` and `messages`: whether it starts with the beginning-of-sequence token;
        null does what the tokenizer does.

        `kind`: One of those that `/api/model_info` lists for the model.

        `layers`: Null reads every whole layer. Half layers are named by numbers such as 6.5.

        `half_layers`: With `layers` null: half layers as well, each before the layer that its block
        ends with.

        `positions`: [start, end): the positions that are read; null reads all.

        `targets`: Token ids whose probability and rank are wanted at every layer and position.

        `include_tokens`: False leaves `tokens` empty: shorter and sooner, for a reader that already
        holds the timeline.
        """
        return self._call(
            "POST",
            "/api/lens",
            answers.LensReadResponse,
            body={
                "interventions": interventions,
                "prompt": prompt,
                "token_ids": token_ids,
                "conversation_id": conversation_id,
                "messages": self._messages(messages),
                "bos": bos,
                "kind": kind,
                "layers": layers,
                "half_layers": half_layers,
                "positions": positions,
                "top_k": top_k,
                "targets": targets,
                "include_tokens": include_tokens,
            },
        )

    def compare(
        self,
        a: str | requests.CompareSide,
        b: str | requests.CompareSide,
        *,
        layers: Sequence[Sequence[float]] | None = None,
        half_layers: bool = False,
        positions: Sequence[Sequence[int]] | None = None,
        targets: Sequence[int] = (),
        include_tokens: bool = True,
    ) -> answers.CompareResponse:
        """Compares what the model predicts in two timelines, without generating.

        The answer is in columns, `[layer pair][position pair]`: both KL divergences and the Jensen-
        Shannon divergence of the two next-token distributions, the most probable token of each
        side, and probability and rank of the `targets` on both. Position `t` predicts the token at
        `t + 1`. Work that is over the limit of one request is refused with the numbers.

        `layers`: Pairs of layers, of `a` and of `b`; null compares every whole layer with itself.
        Half layers are named by numbers such as 6.5.

        `half_layers`: With `layers` null: half layers as well.

        `positions`: Pairs of positions, of `a` and of `b`, in any order; null pairs equal indices
        up to the end of the shorter timeline. Position `t` predicts the token at `t + 1`.

        `targets`: Token ids whose probability and rank are wanted on both sides.

        `include_tokens`: False leaves `a_tokens` and `b_tokens` empty, for a reader that already
        holds the timelines.
        """
        return self._call(
            "POST",
            "/api/compare",
            answers.CompareResponse,
            body={
                "a": self._timeline(a),
                "b": self._timeline(b),
                "layers": layers,
                "half_layers": half_layers,
                "positions": positions,
                "targets": targets,
                "include_tokens": include_tokens,
            },
        )

    def attribution(
        self,
        prompt: str | None = None,
        *,
        position: int,
        token_ids: Sequence[int] | None = None,
        conversation_id: str | None = None,
        messages: str | Sequence[requests.ChatMessage | answers.ChatMessage] | None = None,
        bos: bool | None = None,
        target: int | None = None,
        foil: int | Literal["best", "mean", "none"] = "best",
        unit: Literal["component", "head", "source", "neuron"] = "component",
        block: int | None = None,
        head: int | None = None,
        top_k: int = 20,
    ) -> answers.AttributionResponse:
        """Takes the logit of one predicted token apart, into signed parts that add up to it.

        By default the logit of the target less that of the most probable other token, into the
        embedding and what each block's attention and MLP wrote (`unit` opens these to heads, source
        tokens and neurons). The scale of the final norm is frozen at this token, so the parts are
        direct effects and their `sum` is `difference`; `residue` is rounding. Where parts do not
        add up on a model, the answer is `identity_failed`. Costs one decode step where the timeline
        is held.

        `position`: Where the stream is read; it predicts the token at `position + 1`.

        `messages`: A history, the user's message last: rendered by the model's template up to where
        the reply begins, as `/api/chat` does for a new conversation.

        `bos`: For `prompt` and `messages`: whether it starts with the beginning-of-sequence token;
        null does what the tokenizer does.

        `target`: Null: the token that follows in the timeline, else the most probable one.

        `foil`: What the target is compared with: the most probable other token, the mean of all
        logits, nothing, or a token id.

        `unit`: `component`: the embedding and each block's attention and MLP. `head`: attention by
        heads. `source`: the attention of one `block` by the tokens that it read. `neuron`: the MLP
        of one `block` by its neurons.

        `block`: From 1; needed for `source` and `neuron`.

        `head`: With `source`: this head alone; null adds up all heads of the block.

        `top_k`: With `neuron`: how many, the largest by absolute value; the others are one `rest`.
        """
        return self._call(
            "POST",
            "/api/attribution",
            answers.AttributionResponse,
            body={
                "prompt": prompt,
                "token_ids": token_ids,
                "conversation_id": conversation_id,
                "messages": self._messages(messages),
                "bos": bos,
                "position": position,
                "target": target,
                "foil": foil,
                "unit": unit,
                "block": block,
                "head": head,
                "top_k": top_k,
            },
        )

    def attention(
        self,
        prompt: str | None = None,
        *,
        position: int,
        token_ids: Sequence[int] | None = None,
        conversation_id: str | None = None,
        messages: str | Sequence[requests.ChatMessage | answers.ChatMessage] | None = None,
        bos: bool | None = None,
        target: int | None = None,
        foil: int | Literal["best", "mean", "none"] = "best",
        blocks: Sequence[int] | None = None,
        kind: Literal["weight", "norm", "logit"] = "weight",
        direction: Literal["reads", "read_by"] = "reads",
    ) -> answers.AttentionResponse:
        """Reads what one token attends to, in every block and head.

        `weight` is the model's own attention; `norm` and `logit` say what is done with it.
        Attention says where a head looks, not what it uses. Costs one decode step where the
        timeline is held.

        `position`: Where the stream is read; it predicts the token at `position + 1`.

        `messages`: A history, the user's message last: rendered by the model's template up to where
        the reply begins, as `/api/chat` does for a new conversation.

        `bos`: For `prompt` and `messages`: whether it starts with the beginning-of-sequence token;
        null does what the tokenizer does.

        `target`: Null: the token that follows in the timeline, else the most probable one.

        `foil`: What the target is compared with: the most probable other token, the mean of all
        logits, nothing, or a token id.

        `blocks`: Null reads every block.

        `kind`: `weight`: attention weights. `norm`: the length of what each source writes, weight
        times value through the output projection (Kobayashi et al. 2020). `logit`: what it adds to
        the logit of the target less that of the foil.

        `direction`: `reads`: what the token at `position` reads. `read_by`: how much each token
        from `position` to the end of the text reads it, `weight` only.
        """
        return self._call(
            "POST",
            "/api/attention",
            answers.AttentionResponse,
            body={
                "prompt": prompt,
                "token_ids": token_ids,
                "conversation_id": conversation_id,
                "messages": self._messages(messages),
                "bos": bos,
                "position": position,
                "target": target,
                "foil": foil,
                "blocks": blocks,
                "kind": kind,
                "direction": direction,
            },
        )

    def writes(
        self,
        prompt: str | None = None,
        *,
        position: int,
        block: int,
        token_ids: Sequence[int] | None = None,
        conversation_id: str | None = None,
        messages: str | Sequence[requests.ChatMessage | answers.ChatMessage] | None = None,
        bos: bool | None = None,
        top_k: int = 10,
    ) -> answers.WritesResponse:
        """Lists the tokens that the attention and the MLP of one block promoted and suppressed at a
        token.

        What each added to the residual stream goes through the final norm, with the scale that it
        has at this token, and the unembedding. A contribution is to the token's logit less the mean
        over the vocabulary, as in `/api/attribution` with `foil: "mean"`. Where a block is not
        split on a model, the answer is `identity_failed`. Costs one decode step where the timeline
        is held.

        `position`: Where the stream is read; it predicts the token at `position + 1`.

        `block`: From 1.

        `messages`: A history, the user's message last: rendered by the model's template up to where
        the reply begins, as `/api/chat` does for a new conversation.

        `bos`: For `prompt` and `messages`: whether it starts with the beginning-of-sequence token;
        null does what the tokenizer does.

        `top_k`: How many tokens are listed of each write in each direction.
        """
        return self._call(
            "POST",
            "/api/writes",
            answers.WritesResponse,
            body={
                "prompt": prompt,
                "token_ids": token_ids,
                "conversation_id": conversation_id,
                "messages": self._messages(messages),
                "bos": bos,
                "position": position,
                "block": block,
                "top_k": top_k,
            },
        )

    def dose(
        self,
        prompt: str | None = None,
        *,
        strengths: Sequence[float],
        targets: Sequence[int],
        interventions: Sequence[requests.Intervention | answers.Intervention] | None = None,
        token_ids: Sequence[int] | None = None,
        conversation_id: str | None = None,
        messages: str | Sequence[requests.ChatMessage | answers.ChatMessage] | None = None,
        bos: bool | None = None,
        position: int | None = None,
        control: bool = True,
    ) -> answers.DoseResponse:
        """Probability and rank of tokens over the strength of what is added to the stream.

        Each of the `strengths` replaces that of every `add`. At 0 the numbers are those of the
        plain run. `control` is the same under a random direction of the same length, at the same
        layers and positions: what a direction does should be more than that. Only the tokens from
        the first one that is touched are run again.

        `strengths`: Each replaces the strength of every `add` among the interventions.

        `targets`: The tokens whose probability is wanted.

        `interventions`: In the order in which they act. Null: those that the stored branch was
        written under, none for any other timeline; an empty list: none.

        `messages`: A history, the user's message last: rendered by the model's template up to where
        the reply begins, as `/api/chat` does for a new conversation.

        `bos`: For `prompt` and `messages`: whether it starts with the beginning-of-sequence token;
        null does what the tokenizer does.

        `position`: Where it is read; it predicts the token at `position + 1`. Null: the last
        position.

        `control`: Whether a random direction of the same length is measured beside them: same
        layers, positions and strengths.
        """
        return self._call(
            "POST",
            "/api/dose",
            answers.DoseResponse,
            body={
                "interventions": interventions,
                "prompt": prompt,
                "token_ids": token_ids,
                "conversation_id": conversation_id,
                "messages": self._messages(messages),
                "bos": bos,
                "strengths": strengths,
                "targets": targets,
                "position": position,
                "control": control,
            },
        )

    def patch(
        self,
        clean: str | requests.TimelineSource | answers.TimelineSource,
        corrupt: str | requests.TimelineSource | answers.TimelineSource,
        *,
        layer: int,
        positions: Sequence[Sequence[int]],
        clean_length: int | None = None,
        corrupt_length: int | None = None,
        site: Literal["resid", "attn", "mlp", "head"] = "resid",
        direction: Literal["denoise", "noise"] = "denoise",
        answer: int | None = None,
        foil: int | None = None,
        heads: Sequence[int] | None = None,
    ) -> answers.PatchResponse:
        """Puts states of one run into another and tells how far that carries its answer over.

        The metric is the logit of an answer less that of a foil, read at the last position; `score`
        is 0 at the run that is changed and 1 at the run that the states come from. Only later
        blocks at the patched and later positions are run again. Where both runs answer alike there
        is no score: the answer is `undefined_effect`.

        `layer`: For `resid` a layer, 0 (embed) to the number of layers; for the others a block,
        from 1.

        `positions`: Pairs of positions, of `clean` and of `corrupt`, all patched at once.

        `clean_length`: Only so many tokens of `clean`, such as those up to its reply; null reads
        all. The metric is read at the last one.

        `site`: `resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or
        MLP puts out. `head`: what a head gives to the output projection.

        `direction`: `denoise`: states of the clean run are put into the corrupt one (are they
        enough?). `noise`: states of the corrupt run are put into the clean one (are they needed?).

        `answer`: Null: the most probable token at the end of the clean text.

        `foil`: Null: the most probable token at the end of the corrupt text.

        `heads`: With `head`: which, patched together; null patches all heads of the block.
        """
        return self._call(
            "POST",
            "/api/patch",
            answers.PatchResponse,
            body={
                "clean": self._timeline(clean),
                "corrupt": self._timeline(corrupt),
                "clean_length": clean_length,
                "corrupt_length": corrupt_length,
                "site": site,
                "direction": direction,
                "answer": answer,
                "foil": foil,
                "layer": layer,
                "positions": positions,
                "heads": heads,
            },
        )

    def create_job(
        self, request: requests.PatchMapRequest | requests.FitLensRequest
    ) -> answers.JobCreated:
        """Starts a job: a causal map, `patch_map`, or a lens fitted to the running model, `fit_lens`.

        It runs in the turns of the model that replies leave, needs no open connection, and is kept:
        in the database, with the saved conversation if it is about one. Four jobs of one client may
        wait. What is wrong with the request is refused now; what only the model can tell
        (`undefined_effect`) ends the job.
        """
        return self._call("POST", "/api/jobs", answers.JobCreated, body=request)

    def patch_map(
        self,
        clean: str | requests.TimelineSource | answers.TimelineSource,
        corrupt: str | requests.TimelineSource | answers.TimelineSource,
        *,
        clean_length: int | None = None,
        corrupt_length: int | None = None,
        site: Literal["resid", "attn", "mlp", "head"] = "resid",
        direction: Literal["denoise", "noise"] = "denoise",
        answer: int | None = None,
        foil: int | None = None,
        layers: Sequence[int] | None = None,
        positions: Sequence[Sequence[int]] | None = None,
        heads: Sequence[int] | None = None,
    ) -> Job:
        """A causal map: every layer at every pair of positions, patched one by one. Starts the job.

        `clean_length`: Only so many tokens of `clean`, such as those up to its reply; null reads
        all. The metric is read at the last one.

        `site`: `resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or
        MLP puts out. `head`: what a head gives to the output projection.

        `direction`: `denoise`: states of the clean run are put into the corrupt one (are they
        enough?). `noise`: states of the corrupt run are put into the clean one (are they needed?).

        `answer`: Null: the most probable token at the end of the clean text.

        `foil`: Null: the most probable token at the end of the corrupt text.

        `layers`: Layers for `resid`, blocks for the others; null is all that have the site.

        `positions`: Pairs of positions, of `clean` and of `corrupt`. Null aligns both texts: common
        tokens, and what stands between them in order. A token without a counterpart has no cell.

        `heads`: With `head`: which heads of each block, one row each; null is all.
        """
        return Job(
            self._call(
                "POST",
                "/api/jobs",
                answers.JobCreated,
                body={
                    "kind": "patch_map",
                    "clean": self._timeline(clean),
                    "corrupt": self._timeline(corrupt),
                    "clean_length": clean_length,
                    "corrupt_length": corrupt_length,
                    "site": site,
                    "direction": direction,
                    "answer": answer,
                    "foil": foil,
                    "layers": layers,
                    "positions": positions,
                    "heads": heads,
                },
            ).id,
            self,
        )

    def fit_lens(
        self,
        *,
        lens: Literal["tuned", "jacobian"] = "tuned",
        seconds: float = 600.0,
        text: requests.SampleText | requests.OwnText | requests.ConversationsText | None = None,
    ) -> Job:
        """A lens fitted to the running model, and judged on text that it was not fitted to. Starts the
        job.

        `lens`: Which lens is fitted. A Jacobian lens takes as many passes for each 128 tokens as
        the model is wide, and one such sequence at least, whatever the time.

        `seconds`: Of computing; turns that others have do not count. The verdict comes after it.

        `text`: What it is fitted to; a fifth of it is held out.
        """
        return Job(
            self._call(
                "POST",
                "/api/jobs",
                answers.JobCreated,
                body={"kind": "fit_lens", "lens": lens, "seconds": seconds, "text": text},
            ).id,
            self,
        )

    def list_jobs(self) -> answers.JobList:
        """The newest hundred jobs, without what they found."""
        return self._call("GET", "/api/jobs", answers.JobList)

    def get_job(self, job_id: str) -> answers.JobInfo | answers.FitJobInfo:
        """A job: its state, what it assumed, and what it has found so far.

        `job_id`: Of `POST /api/jobs`.
        """
        return self._call(
            "GET", f"/api/jobs/{self._part(job_id)}", answers.JobInfo | answers.FitJobInfo
        )

    def delete_job(self, job_id: str) -> answers.JobInfo | answers.FitJobInfo:
        """Cancels a job within one pass; it keeps what it found. One that is over is deleted.

        `job_id`: Of `POST /api/jobs`.
        """
        return self._call(
            "DELETE", f"/api/jobs/{self._part(job_id)}", answers.JobInfo | answers.FitJobInfo
        )

    def pause_job(self, job_id: str) -> answers.JobInfo | answers.FitJobInfo:
        """Stops a job within one pass; it keeps what it found and its place in the list.

        `job_id`: Of `POST /api/jobs`.
        """
        return self._call(
            "POST", f"/api/jobs/{self._part(job_id)}/pause", answers.JobInfo | answers.FitJobInfo
        )

    def resume_job(self, job_id: str) -> answers.JobInfo | answers.FitJobInfo:
        """Lets a paused job go on with what is left.

        `job_id`: Of `POST /api/jobs`.
        """
        return self._call(
            "POST", f"/api/jobs/{self._part(job_id)}/resume", answers.JobInfo | answers.FitJobInfo
        )

    def job_events(self, job_id: str) -> JobEvents:
        """Follows a job. Leaving changes nothing; a client that comes again first gets the whole job.

        `job_id`: Of `POST /api/jobs`.
        """
        return JobEvents(self._stream("GET", f"/api/jobs/{self._part(job_id)}/events"))

    def tokens(self, query: str, *, limit: int = 20) -> answers.TokenSearchResponse:
        """Token ids that match a text, with and without the leading space, exact matches first.

        `encoded_ids` tells how the tokenizer splits the text: more than one id means that the text
        is not one token of this model.

        `query`: Text of the token, without regard to a leading space.

        `limit`: Most matches that are returned.
        """
        return self._call(
            "GET",
            "/api/tokens",
            answers.TokenSearchResponse,
            query={"query": query, "limit": limit},
        )

    def token(self, token_id: int) -> answers.VocabularyToken:
        """What one token id stands for.

        `token_id`: Id of the token.
        """
        return self._call("GET", f"/api/tokens/{self._part(token_id)}", answers.VocabularyToken)

    def list_conversations(
        self, query: str = "", *, limit: int = 50, offset: int = 0
    ) -> answers.ConversationList:
        """Saved conversations, the last written first, with how many there are in all.

        `query`: Text that the title, the conversation or a note contains, without regard to case.

        `limit`: Most that are returned.

        `offset`: How many are left out first.
        """
        return self._call(
            "GET",
            "/api/conversations",
            answers.ConversationList,
            query={"query": query, "limit": limit, "offset": offset},
        )

    def import_conversation(
        self, file: requests.ConversationFile | answers.ConversationFile
    ) -> answers.ConversationSummary:
        """Keeps an exported conversation, under new ids.

        The ids of its tokens are checked against the model's vocabulary when it is opened, since
        the model that it was held with need not be the one that runs.
        """
        return self._call(
            "POST", "/api/conversations/import", answers.ConversationSummary, body=file
        )

    def open_conversation(
        self, conversation_id: str, *, include_tokens: bool = True
    ) -> answers.SavedConversation:
        """A conversation at one of its branches, with its tokens.

        `is_readable` is false where another model runs than the one it was held with: `tokens` is
        then empty, `model` says which one is missing, and `text` is what was written.

        `conversation_id`: Id of the conversation, or of any of its branches.

        `include_tokens`: False leaves `tokens` empty, for a reader that already holds them.
        """
        return self._call(
            "GET",
            f"/api/conversations/{self._part(conversation_id)}",
            answers.SavedConversation,
            query={"include_tokens": include_tokens},
        )

    def change_conversation(
        self,
        conversation_id: str,
        *,
        title: str | None = None,
        branch_name: str | None = None,
        pins: requests.PinnedPlaces | answers.PinnedPlaces | None = None,
        notes: Sequence[requests.Note | answers.Note] | None = None,
        annotations_revision: int | None = None,
    ) -> answers.ConversationSummary:
        """Changes the title of the conversation, or name, pins and notes of this branch.

        Pins and notes are lists that are replaced. Who has read a list and sends it back changed
        names the `annotations_revision` that came with it: then nobody's pin or note is overwritten
        unseen.

        `conversation_id`: Id of the conversation, or of any of its branches.

        `branch_name`: Name of this branch; an empty one takes the name away.

        `pins`: Replaces the pins of this branch.

        `notes`: Replaces the notes of this branch.

        `annotations_revision`: The revision of pins and notes that this changes. When another
        request was faster, nothing is changed and the answer is `annotations_changed`. Null
        replaces whatever is there.
        """
        return self._call(
            "PATCH",
            f"/api/conversations/{self._part(conversation_id)}",
            answers.ConversationSummary,
            body={
                "title": title,
                "branch_name": branch_name,
                "pins": pins,
                "notes": notes,
                "annotations_revision": annotations_revision,
            },
        )

    def delete_conversation(self, conversation_id: str) -> answers.Deleted:
        """Deletes a conversation with all its branches. For a day it can be restored.

        `conversation_id`: Id of the conversation, or of any of its branches.
        """
        return self._call(
            "DELETE", f"/api/conversations/{self._part(conversation_id)}", answers.Deleted
        )

    def restore_conversation(self, conversation_id: str) -> answers.ConversationSummary:
        """Brings a deleted conversation back.

        `conversation_id`: Id of the conversation, or of any of its branches.
        """
        return self._call(
            "POST",
            f"/api/conversations/{self._part(conversation_id)}/restore",
            answers.ConversationSummary,
        )

    def duplicate_conversation(self, conversation_id: str) -> answers.ConversationSummary:
        """Copies a conversation with all its branches, under new ids.

        `conversation_id`: Id of the conversation, or of any of its branches.
        """
        return self._call(
            "POST",
            f"/api/conversations/{self._part(conversation_id)}/duplicate",
            answers.ConversationSummary,
        )

    def export_conversation(self, conversation_id: str) -> answers.ConversationFile:
        """A conversation with all its branches, pins and notes as one JSON file, to import elsewhere.

        What is larger than an import may be is refused.

        `conversation_id`: Id of the conversation, or of any of its branches.
        """
        return self._call(
            "GET",
            f"/api/conversations/{self._part(conversation_id)}/export",
            answers.ConversationFile,
        )

    def delete_branch(self, branch_id: str) -> answers.Deleted:
        """Deletes one branch of a conversation that has several. For a day it can be restored.

        `branch_id`: Id of the branch.
        """
        return self._call("DELETE", f"/api/branches/{self._part(branch_id)}", answers.Deleted)

    def restore_branch(self, branch_id: str) -> answers.ConversationSummary:
        """Brings a deleted branch back.

        `branch_id`: Id of the branch.
        """
        return self._call(
            "POST", f"/api/branches/{self._part(branch_id)}/restore", answers.ConversationSummary
        )

    def model_info(self) -> answers.ModelInfo:
        """Which model runs, where it came from, its sizes, chat template and self-check.

        Answers 503 `model_loading` or `model_failed` while there is none.
        """
        return self._call("GET", "/api/model_info", answers.ModelInfo)

    def models(self) -> answers.ModelList:
        """The models on this machine that can be chosen, described without loading them."""
        return self._call("GET", "/api/models", answers.ModelList)

    def change_model(
        self, model: str, *, revision: str | None = None, unload_first: bool = False
    ) -> answers.ModelChosen:
        """Loads another model, while the one that runs goes on; `GET /api/health` tells how far it is.

        What can be told without loading is refused now. Once the model has passed its self-check,
        running replies end first, those that take too long with `model_switched`, and then it
        answers in the other's place. One that cannot be had leaves the former one running, and
        health says why.

        `model`: The `key` of a listed model, `embedded`, a model id of the Hugging Face hub, or the
        path of a folder; paths and models that are not on this machine yet only where no other
        machine can reach the server.

        `revision`: Commit, tag or branch of a hub model.

        `unload_first`: Frees the running model before the other is loaded, for a machine that does
        not hold both. Nothing can be computed meanwhile; where the other one cannot be had, the
        former is loaded again.
        """
        return self._call(
            "PUT",
            "/api/model",
            answers.ModelChosen,
            body={"model": model, "revision": revision, "unload_first": unload_first},
        )

    def examples(self) -> answers.Examples:
        """Worked examples that hold on the running model, each with what was measured of it.

        They are measured when they are first asked for, which runs some twenty short texts through
        the model, and are kept until the server ends.
        """
        return self._call("GET", "/api/examples", answers.Examples)

    def opening(self) -> answers.Opening:
        """The worked example that a first visit opens with, answered before the model is loaded."""
        return self._call("GET", "/api/examples/opening", answers.Opening)

    def stats(self) -> answers.Stats:
        """How often the model ran, and how much of what it computed is kept.

        Reading a stored conversation leaves `forward_passes` as it is: its residual streams are
        there, and decoding them runs no block. Answers 503 `model_loading` or `model_failed` while
        there is no model.
        """
        return self._call("GET", "/api/stats", answers.Stats)

    def health(self) -> answers.Health:
        """Whether the server can answer requests that need the model, and what it waits for.

        200 when ready, 503 otherwise, with the same body.
        """
        return self._call("GET", "/api/health", answers.Health, also=(503,))
