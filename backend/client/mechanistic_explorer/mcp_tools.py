"""The tools that language models are given, each a method that returns JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mechanistic_explorer import answers
from mechanistic_explorer.mcp_answers import (
    MAX_CHARS,
    answer,
    day,
    exact,
    named,
    one_line,
    predictions,
    shown,
    spans,
    table,
    token_text,
    written,
)

if TYPE_CHECKING:
    from mechanistic_explorer import Explorer

MAX_NOTE_CHARS = 4_000
INSTRUCTIONS = """\
Reads a language model layer by layer. Every number was computed by the running model from exactly the \
token ids in the answer, or the tool returns an error with its code.
The token at position t predicts the token at t + 1. Layer 0 is the residual stream after the embedding, \
layer n the stream after block n, and the last layer is the model's own output. Probabilities are in [0, 1] \
over the whole vocabulary at temperature 1; entropies and divergences are in nats; rank 1 is the most \
probable token. Leading spaces belong to tokens: "Paris" and " Paris" are two of them.
Give either `text` or the id of a stored conversation. Call `tokenise` first to learn positions and ids."""

Text = Annotated[str, Field(description="Text to read, exactly as given.")]
Conversation = Annotated[str, Field(description="Id of a stored conversation or branch instead.")]
Layers = Annotated[
    list[float] | None, Field(description="Layers to read, from 0; default all.", min_length=1)
]
TopK = Annotated[int, Field(description="Predictions of each layer.", ge=1, le=50)]
Kind = Annotated[
    Literal["logit", "tuned", "jacobian"],
    Field(description="Lens; `model_info` lists those of this model."),
]
Start = Annotated[int, Field(description="Index of the first token that is returned.", ge=0)]
Limit = Annotated[int, Field(description="Most rows that are returned.", ge=1, le=200)]


class WrongArguments(ValueError):
    """Arguments that contradict each other, or leave out what is needed."""


def source(text: str, conversation_id: str) -> dict[str, Any]:
    """The timeline as the API takes it."""
    if bool(text) == bool(conversation_id):
        raise WrongArguments("Give either text or conversation_id.")
    return {"prompt": text} if text else {"conversation_id": conversation_id}


class Tools:
    """The tools over one server. The name and docstring of each method are those of the tool."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer

    def all(self) -> list[Callable[..., str]]:
        return [
            self.model_info,
            self.examples,
            self.tokenise,
            self.find_tokens,
            self.lens,
            self.lens_of_token,
            self.attribution,
            self.attention_sources,
            self.compare,
            self.list_conversations,
            self.read_conversation,
        ]

    def _timeline(self, of: dict[str, Any]) -> list[answers.Token]:
        return self._explorer.lens(**of, layers=[0], positions=(0, 1), top_k=1).tokens

    def model_info(self) -> str:
        """Return facts about the running model: sizes, lenses, self-check, and what it cannot do."""
        info = self._explorer.model_info()
        names = "model_name source revision note architecture num_layers num_heads hidden_size"
        names += " vocab_size context_length num_parameters dtype device byte_exact"
        facts = {name: getattr(info, name) for name in names.split()}
        facts["lenses"] = [lens.kind for lens in info.lenses]
        facts["self_check_passed"] = info.self_check.passed
        facts["unavailable"] = {
            name: found["reason"]
            for name, found in info.capabilities.to_dict().items()
            if not found["available"]
        }
        return answer(facts)

    def examples(self) -> str:
        """Return prompts that show something on this model, each with what was measured."""
        found = self._explorer.examples().examples
        rows = [[each.title, each.mode, each.text, each.watch, each.note] for each in found]
        columns = ["title", "mode", "text", "token_to_watch", "what_to_see"]
        return table({}, columns, rows, "The others cannot be asked for.")

    def tokenise(
        self, text: Text = "", conversation_id: Conversation = "", start: Start = 0
    ) -> str:
        """Return the tokens of a text or a stored conversation, with their indices and ids."""
        tokens = self._timeline(source(text, conversation_id))
        rows = [
            [token.index, token.id, token_text(tokens, token.index), token.role]
            for token in tokens[start:]
        ]
        more = "Ask again with start set to the index after the last row."
        return table({"n_tokens": len(tokens)}, ["index", "id", "text", "role"], rows, more)

    def find_tokens(
        self,
        query: Annotated[str, Field(description="Text of a token.", min_length=1, max_length=256)],
        limit: Limit = 20,
    ) -> str:
        """Return the ids of tokens by their text, and how the tokenizer splits that text."""
        found = self._explorer.tokens(query, limit=min(limit, 100))
        split = zip(found.encoded_ids, found.encoded_texts, found.encoded_bytes, strict=True)
        facts = {"query": query, "split": [[i, exact(text, b)] for i, text, b in split]}
        rows = [[each.token_id, exact(each.text, each.bytes), each.exact] for each in found.matches]
        return table(facts, ["id", "text", "exact"], rows, "Ask for a longer text.")

    def lens(
        self,
        text: Text = "",
        conversation_id: Conversation = "",
        layers: Layers = None,
        positions: Annotated[
            list[int] | None,
            Field(
                description="[start, end): positions to read; default the last one.",
                min_length=2,
                max_length=2,
            ),
        ] = None,
        top_k: TopK = 5,
        kind: Kind = "logit",
        targets: Annotated[
            list[int] | None, Field(description="Token ids to follow at each layer.")
        ] = None,
    ) -> str:
        """Return what each layer predicts at positions of a text or a stored conversation.

        `next` is the token that follows in the text, with its probability and rank at that layer.
        """
        of = source(text, conversation_id)
        if positions is None:
            last = len(self._timeline(of)) - 1
            positions = [last, last + 1]
        read = self._explorer.lens(
            **of, layers=layers, positions=positions, top_k=top_k, kind=kind, targets=targets or ()
        )
        rows = [
            [
                position,
                token_text(read.tokens, position),
                layer,
                predictions(read, i, j),
                read.entropy_nats[i][j],
                read.kl_to_final_nats[i][j],
                token_text(read.tokens, position + 1),
                read.next_probability[i][j],
                read.next_rank[i][j],
                *([each.probability[i][j], each.rank[i][j]] for each in read.targets),
            ]
            for j, position in enumerate(read.positions)
            for i, layer in enumerate(read.layers)
        ]
        columns = ["position", "token", "layer", "top [id, text, probability]", "entropy_nats"]
        columns += ["kl_to_final_nats", "next", "next_probability", "next_rank"]
        columns += [
            f"{each.token_id} {exact(each.text, each.bytes)!r} [probability, rank]"
            for each in read.targets
        ]
        facts = {"model": read.model, "lens": read.kind, "n_tokens": len(read.tokens)}
        return table(facts, columns, rows, "Ask for fewer layers, positions or top_k at a time.")

    def lens_of_token(
        self,
        conversation_id: Annotated[str, Field(description="Id of a conversation or branch.")],
        index: Annotated[int, Field(description="Index of the token that was predicted.")],
        layers: Layers = None,
        top_k: TopK = 5,
        kind: Kind = "logit",
    ) -> str:
        """Return how one token of a stored conversation was predicted, layer by layer."""
        if index < 1:
            raise WrongArguments("The first token was predicted by nothing; index starts at 1.")
        read = self._explorer.lens(
            conversation_id=conversation_id,
            layers=layers,
            positions=(index - 1, index),
            top_k=top_k,
            kind=kind,
        )
        if index >= len(read.tokens):
            raise WrongArguments(
                f"The conversation has {len(read.tokens)} tokens; {index} is none."
            )
        token = read.tokens[index]
        facts = {
            "model": read.model,
            "lens": read.kind,
            "token": {"index": index, "id": token.id, "text": token_text(read.tokens, index)},
            "role": token.role,
            "read_at": [index - 1, token_text(read.tokens, index - 1)],
        }
        rows = [
            [
                layer,
                read.next_probability[i][0],
                read.next_rank[i][0],
                predictions(read, i, 0),
                read.entropy_nats[i][0],
                read.kl_to_final_nats[i][0],
            ]
            for i, layer in enumerate(read.layers)
        ]
        columns = ["layer", "probability", "rank", "top [id, text, probability]"]
        columns += ["entropy_nats", "kl_to_final_nats"]
        return table(facts, columns, rows, "Ask for fewer layers or a smaller top_k.")

    def attribution(
        self,
        text: Text = "",
        conversation_id: Conversation = "",
        position: Annotated[
            int | None, Field(description="It predicts the next token; default the last one.")
        ] = None,
        target: Annotated[
            int | None, Field(description="Token id; default the next token, else the top-1.")
        ] = None,
        foil: Annotated[
            int | Literal["best", "mean", "none"],
            Field(description="What it is compared with: a token id, or the best other token."),
        ] = "best",
        unit: Annotated[
            Literal["component", "head", "source", "neuron"],
            Field(description="source and neuron take one block apart."),
        ] = "component",
        block: Annotated[int | None, Field(description="From 1, for source and neuron.")] = None,
        head: Annotated[int | None, Field(description="With source: this head alone.")] = None,
        limit: Limit = 40,
    ) -> str:
        """Return what wrote a predicted token: signed parts that add up to its logit difference.

        Largest part first. These are direct effects, with the final norm's scale frozen.
        """
        of = source(text, conversation_id)
        tokens = self._timeline(of)
        found = self._explorer.attribution(
            **of,
            position=len(tokens) - 1 if position is None else position,
            target=target,
            foil=foil,
            unit=unit,
            block=block,
            head=head,
        )
        parts = sorted(found.parts, key=lambda part: -abs(part.contribution))
        rows = [
            [
                part.part,
                part.block,
                part.head,
                part.neuron,
                part.source,
                None if part.source is None else token_text(tokens, part.source),
                part.contribution,
            ]
            for part in parts
        ]
        facts = {
            "model": found.model,
            "read_at": [found.position, token_text(tokens, found.position)],
            "target": named(found.target),
            "foil": named(found.foil) or found.foil_kind,
            "difference": found.difference,
            "sum_of_parts": found.sum,
            "residue": found.residue,
        }
        columns = ["part", "block", "head", "neuron", "source", "source_token", "contribution"]
        used = [i for i in range(len(columns)) if any(row[i] is not None for row in rows)]
        columns = [columns[i] for i in used]
        rows = [[row[i] for i in used] for row in rows]

        def rest(n_shown: int) -> dict[str, Any]:
            return {"sum_of_cut_rows": sum(part.contribution for part in parts[n_shown:])}

        more = "Ask for a larger limit or another unit."
        return table(facts, columns, rows, more, limit=limit, rest=rest)

    def attention_sources(
        self,
        text: Text = "",
        conversation_id: Conversation = "",
        position: Annotated[
            int | None, Field(description="The token that reads; default the last one.")
        ] = None,
        kind: Annotated[
            Literal["weight", "norm", "logit"],
            Field(
                description="weight: attention weight; norm: length of what is written; logit: what"
                " that adds to the predicted token's logit less the best other token's."
            ),
        ] = "weight",
        blocks: Annotated[
            list[int] | None, Field(description="From 1; default all.", min_length=1)
        ] = None,
        skip_first_token: Annotated[
            bool, Field(description="Leave out the first token, which takes unused attention.")
        ] = False,
        limit: Limit = 40,
    ) -> str:
        """Return the earlier tokens that a token reads, by block and head, largest value first."""
        of = source(text, conversation_id)
        tokens = self._timeline(of)
        found = self._explorer.attention(
            **of,
            position=len(tokens) - 1 if position is None else position,
            kind=kind,
            blocks=blocks,
        )
        rows: list[list[Any]] = [
            [block, head, read, token_text(tokens, read), value]
            for block, heads in zip(found.blocks, found.values, strict=True)
            for head, values in enumerate(heads)
            for read, value in zip(found.sources, values, strict=True)
            if read or not skip_first_token
        ]
        rows.sort(key=lambda row: -abs(row[-1]))
        facts: dict[str, Any] = {
            "model": found.model,
            "kind": found.kind,
            "position": [found.position, token_text(tokens, found.position)],
        }
        if found.target is not None:
            facts |= {"target": named(found.target), "foil": named(found.foil) or found.foil_kind}
        columns = ["block", "head", "source", "token", "value"]
        return table(facts, columns, rows, "Ask for fewer blocks or a larger limit.", limit=limit)

    def compare(
        self,
        a_text: Text = "",
        b_text: Text = "",
        a_conversation_id: Conversation = "",
        b_conversation_id: Conversation = "",
        layers: Layers = None,
        positions: Annotated[
            list[tuple[int, int]] | None,
            Field(
                description="Pairs of positions of a and b; default the last of each.",
                min_length=1,
            ),
        ] = None,
    ) -> str:
        """Return how far the predictions of two texts or conversations are apart at each layer."""
        a, b = source(a_text, a_conversation_id), source(b_text, b_conversation_id)
        if positions is None:
            positions = [(len(self._timeline(a)) - 1, len(self._timeline(b)) - 1)]
        found = self._explorer.compare(
            a,  # type: ignore[arg-type]
            b,  # type: ignore[arg-type]
            layers=None if layers is None else [(layer, layer) for layer in layers],
            positions=positions,
        )

        def top(token_id: int, probability: float) -> list[Any]:
            key = str(token_id)
            text = exact(found.vocabulary[key], found.vocabulary_bytes.get(key))
            return [token_id, text, probability]

        rows = [
            [
                a_position,
                b_position,
                a_layer,
                found.js_nats[i][j],
                found.kl_a_to_b_nats[i][j],
                found.kl_b_to_a_nats[i][j],
                top(found.a_top_id[i][j], found.a_top_probability[i][j]),
                top(found.b_top_id[i][j], found.b_top_probability[i][j]),
            ]
            for j, (a_position, b_position) in enumerate(found.positions)
            for i, (a_layer, _) in enumerate(found.layers)
        ]
        columns = ["a_position", "b_position", "layer", "js_nats", "kl_a_to_b_nats"]
        columns += ["kl_b_to_a_nats", "a_top [id, text, probability]", "b_top"]
        facts = {"model": found.model}
        return table(facts, columns, rows, "Ask for fewer layers or pairs of positions at a time.")

    def list_conversations(
        self,
        query: Annotated[
            str, Field(description="Text in the title, the conversation or a note; default all.")
        ] = "",
        limit: Annotated[int, Field(description="Most that are returned.", ge=1, le=100)] = 20,
        offset: Annotated[int, Field(description="How many to skip.", ge=0)] = 0,
    ) -> str:
        """Return stored conversations, the last changed first."""
        found = self._explorer.list_conversations(query, limit=limit, offset=offset)
        rows = [
            [each.id, each.title, each.model.name, each.n_tokens, each.n_branches, day(each)]
            for each in found.conversations
        ]
        columns = ["id", "title", "model", "n_tokens", "n_branches", "changed_utc"]
        facts = {"total": found.total, "offset": offset}
        total = max(found.total - offset, len(rows))
        return table(facts, columns, rows, "Ask again with a larger offset.", total=total)

    def read_conversation(
        self,
        conversation_id: Annotated[str, Field(description="Id of a conversation or branch.")],
        start: Start = 0,
    ) -> str:
        """Return who wrote what in a stored conversation, with the indices of the tokens.

        `start` and `end` of a row are token indices, end excluded. Text of the role `template` was
        put there by the model's chat template.
        """
        found = self._explorer.open_conversation(conversation_id)
        facts: dict[str, Any] = {
            "title": found.title,
            "id": found.id,
            "model": found.model.name,
            "is_readable": found.is_readable,
            "n_tokens": len(found.tokens),
            "branches": [branch.id for branch in found.branches[:50]],
        }
        notes = [[note.start, note.end, note.layer, note.text] for note in found.notes]
        kept = [json.loads(line) for line in shown(notes, 50, MAX_NOTE_CHARS)]
        if kept:
            facts["notes [start, end, layer, text]"] = kept
        if len(kept) < len(notes):
            facts["notes_cut"] = f"{len(kept)} of {len(notes)} notes."
        if not found.is_readable:
            facts["text"] = found.text[:MAX_CHARS]
            facts["cut"] = (
                f"Another model runs, so there are no tokens; {len(found.text)} characters in all."
            )
            return answer(facts)
        rows, end = spans(found.tokens, start)
        after = {}
        if end < len(found.tokens):
            after["cut"] = f"Tokens up to {end - 1} are shown. Ask again with start={end}."
        columns = ["role", "start", "end", "text"]
        return written(facts, columns, [one_line(row) for row in rows], after)
