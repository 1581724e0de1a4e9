"""Chat turns, in the form that the product uses for models without a chat template.

One turn is `User: {text}\\nAssistant: {reply}\\n`; a system text comes first as its own paragraph.
"""

import re
from collections.abc import Iterable

from training.corpus import stable_hash
from training.mix import SYSTEM_TEXTS

OPENING = re.compile(
    r"^(?:(?P<article>The|An?) )?(?P<subject>[A-Za-z][^.,;:(\n]{1,48}?)"
    r"(?P<aside> ?\([^)\n]{0,120}\))? (?P<verb>is|was|are|were) (?:an?|the|one) "
)
"""An article's first words when they define its subject: `Paris is the capital of France`."""

PERSON = re.compile(r"\bborn\b|\d{4} ?[–-] ?(?:[A-Z][a-z]+ \d|\d{4})")
SENTENCE_END = re.compile(r"(?<=[a-z0-9)\"][.!?]) (?=[A-Z])")
MAX_REPLY_CHARACTERS = 400
NO_SUBJECT = frozenset(
    ("In", "On", "At", "For", "From", "By", "During", "After", "When", "Since", "This", "These")
    + ("There", "It", "He", "She", "They", "His", "Her")
)
"""First words after which an opening that looks like a definition does not name its subject."""


def turn(text: str, reply: str) -> str:
    """One exchange, as the product's built-in template writes it."""
    return f"User: {text}\nAssistant: {reply}\n"


def with_system_text(dialogue: str) -> str:
    """The dialogue, opened by a system text in one of ten cases (chosen by its hash)."""
    number = stable_hash("system " + dialogue)
    if number % 10:
        return dialogue
    return f"{SYSTEM_TEXTS[number // 10 % len(SYSTEM_TEXTS)]}\n\n{dialogue}"


def named_subject(article: str, match: re.Match[str]) -> str:
    """The subject as it is written inside a sentence: `a gallon`, `metabolism`, `Paris`.

    A capital first letter stays unless the article itself also writes the word without it.
    """
    subject = match["subject"]
    if match["article"] is not None:
        return f"{match['article'].lower()} {subject}"
    lowered = subject[0].lower() + subject[1:]
    return lowered if re.search(rf"\b{re.escape(lowered)}\b", article) else subject


def article_turn(article: str) -> str | None:
    """A question about the article's subject, answered by its own first sentences.

    None when the article does not open with a definition.
    """
    match = OPENING.match(article)
    if match is None or match["subject"].split(" ")[0] in NO_SUBJECT:
        return None
    first_line = article.split("\n", 1)[0]
    sentences = SENTENCE_END.split(first_line)
    reply = sentences[0]
    for sentence in sentences[1:3]:
        if len(reply) + len(sentence) < MAX_REPLY_CHARACTERS:
            reply = f"{reply} {sentence}"
    if len(reply) > MAX_REPLY_CHARACTERS or reply[-1] not in ".!?":
        return None
    subject = named_subject(article, match)
    interrogative = "Who" if match["aside"] and PERSON.search(match["aside"]) else "What"
    questions = (
        f"{interrogative} {match['verb']} {subject}?",
        f"{interrogative} {match['verb']} {subject}?",
        f"Tell me about {subject}.",
        f"What do you know about {subject}?",
    )
    return turn(questions[stable_hash(article) % len(questions)], reply)


def article_dialogues(articles: Iterable[str]) -> list[str]:
    """Documents of one to three turns made from articles that follow each other in hash order."""
    ordered = sorted(articles, key=lambda article: stable_hash("turn " + article))
    turns = [made for made in map(article_turn, ordered) if made is not None]
    dialogues: list[str] = []
    start = 0
    while start < len(turns):
        size = 1 + stable_hash(turns[start]) % 3
        dialogues.append(with_system_text("".join(turns[start : start + size])))
        start += size
    return dialogues
