import json
from pathlib import Path

from training.facts import (
    fact_documents,
    fact_prompts,
    is_phrasing_held_out,
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

    held_out = [prompt for prompt in fact_prompts(facts) if prompt.is_held_out]
    assert held_out
    assert not any(f"{prompt.prompt} {prompt.object}." in text for prompt in held_out)


def test_every_fact_is_told(tmp_path: Path) -> None:
    facts = read_relations(write_relations(tmp_path / "facts.jsonl"))

    text = "\n".join(fact_documents(facts, seed=1))

    assert all(fact.object in text for fact in facts)
    assert all(not is_phrasing_held_out(fact, fact.phrasings[0]) for fact in facts)


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
