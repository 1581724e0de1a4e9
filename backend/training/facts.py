"""Sentences and chat turns made from facts, so that the model has something to recall.

Facts come from the relations dataset (subject, object, phrasings) and, for countries, from the
Factbook. Each fact is told in several phrasings; a tenth of the (fact, phrasing) pairs is held out,
so that recall can be measured on wordings the model never saw for that fact. A few facts are not
told at all: what the model gets right of them it guessed, or learned from the other texts.
"""

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.corpus import read_documents, stable_hash
from training.greetings import GREETINGS
from training.turns import turn, with_system_text

HELD_OUT_PHRASINGS_PERCENT = 10
HELD_OUT_FACTS_PERCENT = 4
ROUNDS = 12
"""How often the facts are gone through for the generated documents; the stream repeats them."""

TELLINGS = {
    "country capital city": 6,
    "country language": 3,
    "country currency": 3,
    "country largest city": 3,
    "country continent": 2,
    "adjective antonym": 3,
}
"""How often a fact of these relations is told in one round, where others are told once.

They are what people try first, and a model of this size needs a hundred or more tellings of each.
"""

RARELY_TOLD = frozenset({"person native language", "landmark in country", "plays pro sport"})
"""Hundreds of pairs each, told in one round only: a name's spelling often gives the answer away."""

LEFT_OUT = frozenset(
    {
        "company CEO",
        "company hq",
        "landmark on continent",
        "person father",
        "person mother",
        "person occupation",
        "person plays instrument",
        "person sport position",
        "person university",
        "product by company",
        "star constellation name",
        "superhero person",
        "word first letter",
        "word last letter",
        "word sentiment",
    }
)
"""Relations left out: too many unrelated pairs, private families, facts that date, spelling."""

QUESTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "country capital city": (
        ("What is the capital of {s}?", "The capital of {s} is {o}."),
        ("Which city is the capital of {s}?", "The capital of {s} is {o}."),
        ("What's the capital of {s}?", "{o}."),
    ),
    "country continent": (
        ("Where is {s}?", "{s} is in {o}."),
        ("On which continent is {s}?", "{s} is in {o}."),
    ),
    "country language": (
        ("What language do people speak in {s}?", "People in {s} speak {o}."),
        ("Which language is spoken in {s}?", "In {s}, people speak {o}."),
    ),
    "country currency": (("What is the currency of {s}?", "The currency of {s} is the {o}."),),
    "country largest city": (
        ("What is the largest city in {s}?", "The largest city in {s} is {o}."),
    ),
    "adjective antonym": (
        ("What is the opposite of {s}?", "The opposite of {s} is {o}."),
        ("What is the opposite of the word {s}?", "The opposite of {s} is {o}."),
    ),
    "adjective comparative": (
        ("What is the comparative of {s}?", "The comparative of {s} is {o}."),
    ),
    "adjective superlative": (
        ("What is the superlative of {s}?", "The superlative of {s} is {o}."),
    ),
    "verb past tense": (("What is the past tense of {s}?", "The past tense of {s} is {o}."),),
    "fruit outside color": (("What color are {s}?", "On the outside, {s} are {o}."),),
    "food from country": (("Where does {s} come from?", "{s} comes from {o}."),),
    "plays pro sport": (("What sport does {s} play?", "{s} plays {o}."),),
}
"""Our own chat phrasings, as question and reply; `{s}` is the subject, `{o}` the object."""

STATEMENTS: dict[str, tuple[str, ...]] = {
    "country capital city": (
        "The capital of {s} is {o}.",
        "The capital city of {s} is {o}.",
        "{o} is the capital of {s}.",
    ),
    "country continent": ("{s} is a country in {o}.", "{s} is in {o}."),
    "country language": ("In {s}, people speak {o}.",),
    "adjective antonym": ("The opposite of {s} is {o}.",),
}
"""Our own phrasings as statements, beside those of the dataset."""


NAMED_WITH_THE = frozenset(
    (
        "United States",
        "United Kingdom",
        "Netherlands",
        "Philippines",
        "Czech Republic",
        "Dominican Republic",
        "United Arab Emirates",
        "Maldives",
        "Bahamas",
        "Marshall Islands",
        "Solomon Islands",
    )
)
"""Countries that the dataset names without the article that a sentence needs."""

ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


@dataclass(frozen=True)
class Fact:
    """One thing to recall, with every way it may be told."""

    relation: str
    subject: str
    object: str
    phrasings: tuple[tuple[str, str], ...]
    """Pairs of (question, or empty for a statement; text of the answer or statement)."""

    @property
    def tellings(self) -> int:
        """How often it is told in one round, as a statement and as a turn."""
        return TELLINGS.get(self.relation, 1)

    @property
    def is_held_out(self) -> bool:
        """Whether no generated document tells this fact."""
        key = f"untold {self.relation} {self.subject}"
        return stable_hash(key) % 100 < HELD_OUT_FACTS_PERCENT


@dataclass(frozen=True)
class FactPrompt:
    """A prompt that a fact completes, for the evaluation."""

    relation: str
    subject: str
    prompt: str
    object: str
    seen: Literal["told", "phrasing_held_out", "fact_held_out"]
    """Whether the generated documents tell this fact in this phrasing, only in others, or never."""


def with_article(text: str, object_: str) -> str:
    """`text` + ` ` + `object_`, with `a` before a consonant and `an` before a vowel."""
    if text.endswith(" a") and object_[:1].lower() in "aeiou":
        text = text + "n"
    return f"{text} {object_}"


def ended(text: str) -> str:
    """`text` with a full stop, unless it ends with one already (`Washington D.C.`)."""
    return text if text.endswith(".") else text + "."


def sentence(text: str) -> str:
    """`text` with a capital first letter and one full stop at its end."""
    return ended(text[0].upper() + text[1:].removesuffix("."))


def named(subject: str) -> str:
    """A subject as it is written inside a sentence: `the United States`."""
    return f"the {subject}" if subject in NAMED_WITH_THE else subject


def dataset_phrasings(
    templates: Iterable[str], subject: str, object_: str
) -> list[tuple[str, str]]:
    """The dataset's templates as (question, answer) pairs; a statement has an empty question."""
    phrasings: list[tuple[str, str]] = []
    for template in dict.fromkeys(templates):
        text = ended(with_article(template.replace("{}", subject), object_))
        question, mark, answer = text.partition("? ")
        phrasings.append((question + "?", answer) if mark else ("", text[0].upper() + text[1:]))
    return phrasings


def our_phrasings(relation: str, subject: str, object_: str) -> list[tuple[str, str]]:
    """Our own phrasings of a fact, in the same form."""
    values = {"s": subject, "o": object_}
    statements = [("", sentence(text.format(**values))) for text in STATEMENTS.get(relation, ())]
    return statements + [
        (question.format(**values), sentence(answer.format(**values)))
        for question, answer in QUESTIONS.get(relation, ())
    ]


def unescape(text: str) -> str:
    """The text with `\\u00ed` as the letter it names; some entries of the dataset spell it out."""
    return ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def read_relations(path: Path) -> list[Fact]:
    """Facts of the relations dataset (JSON lines), without `LEFT_OUT`."""
    facts: list[Fact] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        relation = json.loads(line)
        name = relation["name"]
        if name in LEFT_OUT:
            continue
        for sample in relation["samples"]:
            subject, object_ = unescape(sample["subject"]), unescape(sample["object"])
            phrasings = dataset_phrasings(relation["templates"], named(subject), object_)
            phrasings += our_phrasings(name, named(subject), object_)
            facts.append(Fact(name, subject, object_, tuple(dict.fromkeys(phrasings))))
    return facts


COUNTRY = re.compile(r"^conventional short form: (.+)$", re.MULTILINE)
CAPITAL = re.compile(r"^Government type: .*\nname: ([^;(\n]+)", re.MULTILINE)
REGION = re.compile(r"^Map references: (.+)$", re.MULTILINE)
CONTINENTS = frozenset({"Africa", "Asia", "Europe", "South America", "North America", "Oceania"})


def read_countries(path: Path, known: frozenset[tuple[str, str]]) -> list[Fact]:
    """Capital and continent of each Factbook country; pairs (relation, subject) in `known` stay."""
    facts: list[Fact] = []
    for document in read_documents(path):
        country = COUNTRY.search(document)
        if country is None or country[1] == "none":
            continue
        capital, region = CAPITAL.search(document), REGION.search(document)
        found: list[tuple[str, str]] = []
        if capital is not None:
            found.append(("country capital city", capital[1].strip()))
        if region is not None and region[1] in CONTINENTS:
            found.append(("country continent", region[1]))
        for relation, object_ in found:
            if (relation, country[1]) not in known:
                phrasings = our_phrasings(relation, named(country[1]), object_)
                facts.append(Fact(relation, country[1], object_, tuple(phrasings)))
    return facts


def read_facts(relations_path: Path, factbook_path: Path) -> list[Fact]:
    """All facts, the relations dataset first."""
    facts = read_relations(relations_path)
    known = frozenset((fact.relation, fact.subject) for fact in facts)
    return facts + read_countries(factbook_path, known)


def is_phrasing_held_out(fact: Fact, phrasing: tuple[str, str]) -> bool:
    """Whether training never tells `fact` this way; a fact's first phrasing is always told."""
    if phrasing == fact.phrasings[0]:
        return False
    return stable_hash("phrasing " + "\0".join(phrasing)) % 100 < HELD_OUT_PHRASINGS_PERCENT


def fact_documents(facts: list[Fact], seed: int) -> list[str]:
    """Training documents: one to four statements as a paragraph, or one to three chat turns."""
    choose = random.Random(seed)
    documents: list[str] = []
    for round_index in range(ROUNDS):
        statements: list[str] = []
        turns: list[str] = [turn(text, reply) for text, reply in GREETINGS for _ in range(3)]
        for fact in facts:
            if fact.is_held_out:
                continue
            is_rare = fact.relation in RARELY_TOLD
            if is_rare and stable_hash(fact.relation + fact.subject) % ROUNDS != round_index:
                continue
            told = [p for p in fact.phrasings if not is_phrasing_held_out(fact, p)]
            plain = [answer for question, answer in told if not question]
            asked = [(question, answer) for question, answer in told if question]
            for _ in range(fact.tellings):
                if plain:
                    statements.append(choose.choice(plain))
                if asked:
                    turns.append(turn(*choose.choice(asked)))
        choose.shuffle(statements)
        choose.shuffle(turns)
        while statements:
            size = choose.randint(1, 4)
            documents.append(" ".join(statements[:size]) + "\n")
            del statements[:size]
        while turns:
            size = choose.randint(1, 3)
            documents.append(with_system_text("".join(turns[:size])))
            del turns[:size]
    return documents


def fact_prompts(facts: list[Fact]) -> list[FactPrompt]:
    """Every phrasing that ends with its object, cut before it: as text, or as an open chat turn."""
    prompts: list[FactPrompt] = []
    for fact in facts:
        for phrasing in fact.phrasings:
            question, text = phrasing
            body = text if text.endswith(" " + fact.object) else text.removesuffix(".")
            if not body.endswith(" " + fact.object):
                continue
            start = body[: -len(fact.object) - 1]
            prompt = f"User: {question}\nAssistant: {start}" if question else start
            seen: Literal["told", "phrasing_held_out", "fact_held_out"] = "told"
            if fact.is_held_out:
                seen = "fact_held_out"
            elif is_phrasing_held_out(fact, phrasing):
                seen = "phrasing_held_out"
            prompts.append(FactPrompt(fact.relation, fact.subject, prompt, fact.object, seen))
    return prompts
