import json
import re
from pathlib import Path

from training.facts import (
    fact_documents,
    fact_prompts,
    is_phrasing_held_out,
    named,
    our_phrasings,
    read_relations,
    with_article,
)
from training.turns import article_turn


def write_relations(path: Path) -> Path:
    capitals = [{"subject": f"Land{i}", "object": f"City{i}"} for i in range(40)]
    relation = {
        "name": "country capital city",
        "templates": ["The capital of {} is", "What is the capital of {}? It is the city of"],
        "samples": capitals,
    }
    path.write_text(json.dumps(relation) + "\n", encoding="utf-8")
    return path


def test_held_out_phrasings_never_appear_in_training(tmp_path: Path) -> None:
    facts = read_relations(write_relations(tmp_path / "facts.jsonl"))

    text = "\n".join(fact_documents(facts, seed=1))

    held_out = [prompt for prompt in fact_prompts(facts) if prompt.seen == "phrasing_held_out"]
    assert held_out
    assert not any(f"{prompt.prompt} {prompt.object}." in text for prompt in held_out)


def test_held_out_facts_never_appear_in_training(tmp_path: Path) -> None:
    facts = read_relations(write_relations(tmp_path / "facts.jsonl"))

    text = "\n".join(fact_documents(facts, seed=1))

    held_out = {p.subject for p in fact_prompts(facts) if p.seen == "fact_held_out"}
    assert held_out == {fact.subject for fact in facts if fact.is_held_out} != set()
    words = set(re.findall(r"\w+", text))
    assert not held_out & words


def test_every_other_fact_is_told(tmp_path: Path) -> None:
    facts = read_relations(write_relations(tmp_path / "facts.jsonl"))

    text = "\n".join(fact_documents(facts, seed=1))

    words = set(re.findall(r"\w+", text))
    assert all(fact.object in words for fact in facts if not fact.is_held_out)
    assert all(not is_phrasing_held_out(fact, fact.phrasings[0]) for fact in facts)


def test_a_statement_ends_with_one_full_stop_and_names_the_country_with_its_article() -> None:
    statements = [
        text
        for _, text in our_phrasings(
            "country capital city", named("United States"), "Washington D.C."
        )
    ]

    assert "The capital of the United States is Washington D.C." in statements
    assert "Washington D.C. is the capital of the United States." in statements
    assert all(text.endswith(".") and not text.endswith("..") for text in statements)


def test_article_agrees_with_the_object() -> None:
    assert with_article("Bob works as a", "actor") == "Bob works as an actor"
    assert with_article("Bob works as a", "pilot") == "Bob works as a pilot"


def test_article_opening_becomes_a_question_and_its_answer() -> None:
    article = "A volcano is a mountain that has lava. It can erupt. Some are under water.\nMore.\n"

    made = article_turn(article)

    assert made is not None
    question, reply = made.splitlines()
    assert question.startswith("User: ")
    assert "a volcano" in question
    assert reply.startswith("Assistant: A volcano is a mountain that has lava.")


def test_article_without_a_definition_makes_no_turn() -> None:
    assert article_turn("In 1990 there was a flood.\n") is None
