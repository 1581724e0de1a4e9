"""Sample turns, written by the product's own engine: on the page the same seed gives the same text."""

from dataclasses import dataclass

from app.engine.engine import NnsightEngine
from app.engine.types import Message, Sampling, Step

CHAT_PROMPTS: tuple[str, ...] = (
    "Hello!",
    "What is the capital of France?",
    "What is the opposite of hot?",
    "What is a volcano?",
    "Tell me about the Moon.",
    "Do you like movies?",
    "What language do people speak in Brazil?",
    "Who was Albert Einstein?",
    "Can you recommend a good restaurant?",
    "I am sad.",
)
"""Chosen before the model was trained; the card prints the answers to all of them."""


@dataclass(frozen=True)
class Turn:
    """One message and the reply to it, as generated."""

    user: str
    assistant: str
    temperature: float
    top_p: float
    seed: int


def chat_turn(
    engine: NnsightEngine, text: str, *, temperature: float, top_p: float, seed: int
) -> Turn:
    """The reply to `text` in a new conversation, at most 64 tokens."""
    prompt = engine.vocabulary.encode_prompt(
        engine.template.start([Message("user", text)]), bos=engine.facts.adds_bos
    )
    sampling = Sampling(
        max_new_tokens=64,
        temperature=temperature,
        top_k=0,
        top_p=top_p,
        seed=seed,
        stop=engine.facts.chat_template.stop,
    )
    steps = engine.generate(prompt.ids, sampling)
    reply = b"".join(
        engine.vocabulary.token_bytes(step.token_id) for step in steps if isinstance(step, Step)
    )
    text_of_reply = reply.decode("utf-8", errors="replace").strip()
    return Turn(text, text_of_reply, temperature, top_p, seed)
