"""Rows of the answers that are tables, with the names of the API; texts are exact."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from mechanistic_explorer import answers

Row = dict[str, Any]


@functools.singledispatch
def rows_of(result: object) -> list[Row]:
    """The table as dictionaries, one for each row."""
    raise TypeError(f"{type(result).__name__} is no table")


def text_at(tokens: Sequence[answers.Token], index: int) -> str | None:
    """Text of the token at an index; None past the end, and where the tokens were left out."""
    return tokens[index].text if index < len(tokens) else None


def top_columns(ids: Sequence[int], probabilities: Sequence[float], words: dict[str, str]) -> Row:
    row: Row = {}
    for k, (token_id, probability) in enumerate(zip(ids, probabilities, strict=True), start=1):
        row[f"top_{k}"] = words[str(token_id)]
        row[f"top_{k}_id"] = token_id
        row[f"top_{k}_probability"] = probability
    return row


@rows_of.register
def lens_rows(result: answers.LensReadResponse) -> list[Row]:
    """A row for each layer and position."""
    rows = []
    for i, (layer, label) in enumerate(zip(result.layers, result.labels, strict=True)):
        for j, position in enumerate(result.positions):
            row: Row = {
                "layer": layer,
                "label": label,
                "position": position,
                "token": text_at(result.tokens, position),
                "next_token": text_at(result.tokens, position + 1),
                "next_probability": result.next_probability[i][j],
                "next_rank": result.next_rank[i][j],
                "entropy_nats": result.entropy_nats[i][j],
                "kl_to_final_nats": result.kl_to_final_nats[i][j],
            }
            row |= top_columns(
                result.top_ids[i][j], result.top_probabilities[i][j], result.vocabulary
            )
            for target in result.targets:
                row[f"target_{target.token_id}_probability"] = target.probability[i][j]
                row[f"target_{target.token_id}_rank"] = target.rank[i][j]
            rows.append(row)
    return rows


@rows_of.register
def compare_rows(result: answers.CompareResponse) -> list[Row]:
    """A row for each pair of layers and pair of positions."""
    rows = []
    for i, (a_layer, b_layer) in enumerate(result.layers):
        for j, (a_position, b_position) in enumerate(result.positions):
            row: Row = {
                "a_layer": a_layer,
                "b_layer": b_layer,
                "a_position": a_position,
                "b_position": b_position,
                "a_token": text_at(result.a_tokens, a_position),
                "b_token": text_at(result.b_tokens, b_position),
                "kl_a_to_b_nats": result.kl_a_to_b_nats[i][j],
                "kl_b_to_a_nats": result.kl_b_to_a_nats[i][j],
                "js_nats": result.js_nats[i][j],
                "a_top": result.vocabulary[str(result.a_top_id[i][j])],
                "a_top_id": result.a_top_id[i][j],
                "a_top_probability": result.a_top_probability[i][j],
                "b_top": result.vocabulary[str(result.b_top_id[i][j])],
                "b_top_id": result.b_top_id[i][j],
                "b_top_probability": result.b_top_probability[i][j],
            }
            for target in result.targets:
                for name in ("a_probability", "a_rank", "b_probability", "b_rank"):
                    row[f"target_{target.token_id}_{name}"] = getattr(target, name)[i][j]
            rows.append(row)
    return rows


@rows_of.register
def attribution_rows(result: answers.AttributionResponse) -> list[Row]:
    """A row for each part, the largest contribution first."""
    ordered = sorted(result.parts, key=lambda part: -abs(part.contribution))
    return [part.to_dict() for part in ordered]


@rows_of.register
def attention_rows(result: answers.AttentionResponse) -> list[Row]:
    """A row for each block, head and source."""
    return [
        {"block": block, "head": head, "source": source, "value": value}
        for block, heads in zip(result.blocks, result.values, strict=True)
        for head, values in enumerate(heads)
        for source, value in zip(result.sources, values, strict=True)
    ]


@rows_of.register
def writes_rows(result: answers.WritesResponse) -> list[Row]:
    """A row for each token that a part of the block promotes or suppresses."""
    return [
        {
            "part": write.part,
            "effect": effect,
            "token_id": token.token_id,
            "text": token.text,
            "contribution": token.contribution,
        }
        for write in result.writes
        for effect, tokens in (("promoted", write.promoted), ("suppressed", write.suppressed))
        for token in tokens
    ]


@rows_of.register
def dose_rows(result: answers.DoseResponse) -> list[Row]:
    """A row for each strength and token, of the intervention and of its control."""
    runs = [("intervention", result.tokens), ("control", result.control or [])]
    return [
        {
            "run": run,
            "strength": strength,
            "token_id": token.token_id,
            "text": token.text,
            "probability": token.probability[i],
            "logprob": token.logprob[i],
            "rank": token.rank[i],
        }
        for run, tokens in runs
        for i, strength in enumerate(result.strengths)
        for token in tokens
    ]


@rows_of.register
def patch_rows(result: answers.PatchResponse) -> list[Row]:
    """A row for each of the most probable tokens of each run."""
    predictions = result.predictions
    runs = [
        ("clean", result.clean, predictions.clean),
        ("corrupt", result.corrupt, predictions.corrupt),
    ]
    return [
        {
            "run": run,
            "logit_difference": metric,
            "token_id": token.token_id,
            "text": token.text,
            "probability": token.probability,
        }
        for run, metric, tokens in [*runs, ("patched", result.patched, predictions.patched)]
        for token in tokens
    ]


@rows_of.register
def job_rows(result: answers.JobInfo) -> list[Row]:
    """Of a causal map: a row for each layer (and head) and pair of positions."""
    found, assumed = result.result, result.assumed
    rows = []
    for i, (layer, head) in enumerate(zip(found.layers, found.heads, strict=True)):
        for j, (clean, corrupt) in enumerate(found.positions):
            row: Row = {"layer": layer}
            if head is not None:
                row["head"] = head
            row |= {
                "clean_position": clean,
                "corrupt_position": corrupt,
                "clean_token": text_at(assumed.clean.tokens, clean),
                "corrupt_token": text_at(assumed.corrupt.tokens, corrupt),
                "logit_difference": found.cells[i][j],
                "score": found.scores[i][j],
                "estimate": found.estimate[i][j] if found.estimate else None,
            }
            rows.append(row)
    return rows


@rows_of.register
def fit_rows(result: answers.FitJobInfo) -> list[Row]:
    """Of a lens that was fitted: a row for each layer, the lens and its controls on held-out text."""
    verdict = result.result.verdict
    return [] if verdict is None else [dict(vars(layer)) for layer in verdict.layers]


def token_row(token: answers.Token) -> Row:
    row = {name: value for name, value in vars(token).items() if name not in ("bytes", "lens")}
    if token.lens:
        top = token.lens[-1].predictions[:1]
        row["top_1"] = top[0].text if top else None
        row["top_1_probability"] = top[0].probability if top else None
    return row


@rows_of.register
def chat_rows(result: answers.ChatResponse) -> list[Row]:
    """A row for each token of the reply."""
    return [token_row(token) for token in result.tokens]


@rows_of.register
def conversation_rows(result: answers.SavedConversation) -> list[Row]:
    """A row for each token of the branch."""
    return [token_row(token) for token in result.tokens]


def flat(row: Row) -> Row:
    """The name of the model in place of its identity, as one value."""
    identity = row.get("model")
    if isinstance(identity, dict):
        row["model"] = identity.get("name")
    row.pop("model_identity", None)
    return row


@rows_of.register
def conversations_rows(result: answers.ConversationList) -> list[Row]:
    """A row for each conversation."""
    return [flat(found.to_dict()) for found in result.conversations]


@rows_of.register
def jobs_rows(result: answers.JobList) -> list[Row]:
    """A row for each job; `error` is its code."""
    rows = [flat(job.to_dict()) for job in result.jobs]
    for row in rows:
        row["error"] = row["error"]["code"] if row["error"] else None
    return rows


@rows_of.register
def match_rows(result: answers.TokenSearchResponse) -> list[Row]:
    """A row for each token that was found."""
    return [
        {"token_id": match.token_id, "text": match.text, "exact": match.exact}
        for match in result.matches
    ]


@rows_of.register
def model_rows(result: answers.ModelList) -> list[Row]:
    """A row for each model that can be chosen."""
    return [
        {
            "key": model.key,
            "running": model.key == result.running,
            "source": model.source,
            "architecture": model.architecture,
            "num_parameters": model.num_parameters,
            "context_length": model.context_length,
            "disk_bytes": model.disk_bytes,
            "memory_bytes": model.memory_bytes,
            "fits": model.fits,
            "problem": model.problem,
        }
        for model in result.models
    ]
