"""The tools for language models, asked by a client of the protocol over stdio, against a server process."""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mechanistic_explorer
import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.server import MCPServer
from mcp.types import CallToolResult, ListToolsResult, TextContent
from mechanistic_explorer import Explorer, cli, mcp_answers, mcp_server

from tests.client.conftest import url_of
from tests.server.conftest import Process

CLIENT = Path(__file__).resolve().parents[2] / "client"
MAX_CHARS = 25_000
Call = Callable[..., CallToolResult]
Ask = Callable[..., dict[str, Any]]


@contextmanager
def session(server: StdioServerParameters | MCPServer) -> Iterator[tuple[Call, ListToolsResult]]:
    """What calls a tool, and the tools that are listed."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(server)) as client,
    ):

        def call(name: str, **arguments: Any) -> CallToolResult:
            result: CallToolResult = portal.call(client.call_tool, name, arguments)
            return result

        yield call, portal.call(client.list_tools)


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.fixture(scope="module")
def opened(server: Process) -> Iterator[tuple[Call, ListToolsResult]]:
    """The command in a process of its own, spoken to over its stdin and stdout."""
    command = ["-m", "mechanistic_explorer.cli", "mcp", "--url", url_of(server)]
    with session(StdioServerParameters(command=sys.executable, args=command, cwd=CLIENT)) as found:
        yield found


@pytest.fixture
def call(opened: tuple[Call, ListToolsResult]) -> Call:
    return opened[0]


@pytest.fixture
def ask(call: Call) -> Ask:
    def asked(name: str, **arguments: Any) -> dict[str, Any]:
        result = call(name, **arguments)
        assert not result.is_error, text_of(result)
        text = text_of(result)
        assert len(text) < MAX_CHARS
        found: dict[str, Any] = json.loads(text)
        return found

    return asked


def refusal(result: CallToolResult) -> str:
    assert result.is_error
    return text_of(result)


def test_every_tool_only_reads_and_says_what_it_takes(
    opened: tuple[Call, ListToolsResult],
) -> None:
    tools = opened[1].tools
    assert len(tools) == 11
    for tool in tools:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint, tool.name
        assert tool.description, tool.name
        assert tool.input_schema["additionalProperties"] is False, tool.name
        for name, field in tool.input_schema["properties"].items():
            assert field.get("description"), (tool.name, name)


def test_lens_has_the_numbers_of_the_api(ask: Ask, explorer: Explorer) -> None:
    read = explorer.lens("abc", layers=[1, 3], positions=(0, 3), top_k=2, targets=[66])
    found = ask("lens", text="abc", layers=[1, 3], positions=[0, 3], top_k=2, targets=[66])

    assert (found["model"], found["lens"], found["n_tokens"]) == (read.model, "logit", 3)
    assert found["columns"][-1] == "66 'B' [probability, rank]"
    rows = iter(found["rows"])
    for j, position in enumerate(read.positions):
        for i, layer in enumerate(read.layers):
            at, token, at_layer, top, entropy, kl, following, *numbers, target = next(rows)
            assert (at, at_layer, token) == (position, layer, "abc"[j])
            assert following == [*"bc", None][j]
            assert [each[0] for each in top] == read.top_ids[i][j]
            assert [each[2] for each in top] == read.top_probabilities[i][j]
            assert (entropy, kl) == (read.entropy_nats[i][j], read.kl_to_final_nats[i][j])
            assert numbers == [read.next_probability[i][j], read.next_rank[i][j]]
            assert target == [read.targets[0].probability[i][j], read.targets[0].rank[i][j]]
    assert next(rows, None) is None

    last = ask("lens", text="abc", top_k=1)["rows"]
    assert [row[0] for row in last] == [2] * len(explorer.lens("abc").layers)


def test_token_of_a_conversation_is_read_before_it(ask: Ask, explorer: Explorer) -> None:
    reply = explorer.chat("hi", sampling={"max_new_tokens": 3})
    index = reply.tokens[1].index
    read = explorer.lens(
        conversation_id=reply.conversation_id, positions=(index - 1, index), top_k=5
    )

    found = ask("lens_of_token", conversation_id=reply.conversation_id, index=index)

    assert found["token"]["id"] == reply.tokens[1].id
    assert found["read_at"][0] == index - 1
    for i, (layer, probability, rank, top, *_) in enumerate(found["rows"]):
        assert layer == read.layers[i]
        assert (probability, rank) == (read.next_probability[i][0], read.next_rank[i][0])
        assert [each[0] for each in top] == read.top_ids[i][0]


def test_causes_and_comparisons_have_the_numbers_of_the_api(ask: Ask, explorer: Explorer) -> None:
    api = explorer.attribution("abc", position=2, foil="mean")
    found = ask("attribution", text="abc", foil="mean", limit=2)
    parts = sorted((part.contribution for part in api.parts), key=abs, reverse=True)
    assert found["columns"] == ["part", "block", "contribution"]
    assert [row[-1] for row in found["rows"]] == parts[:2]
    assert (found["difference"], found["residue"]) == (api.difference, api.residue)
    assert found["sum_of_cut_rows"] == pytest.approx(sum(parts[2:]))
    assert found["cut"].startswith(f"2 of {len(parts)} rows.")

    read = explorer.attention("abc", position=2, kind="norm")
    found = ask("attention_sources", text="abc", kind="norm", limit=5)
    values = sorted((row["value"] for row in read.rows()), key=abs, reverse=True)
    assert [row[-1] for row in found["rows"]] == values[:5]
    block, head, at, token, value = found["rows"][0]
    assert read.values[read.blocks.index(block)][head][at] == value
    assert token == "abc"[at]
    without = ask("attention_sources", text="abc", skip_first_token=True)["rows"]
    assert 0 not in [row[2] for row in without]

    both = explorer.compare("abc", "abd", positions=[(2, 2)])
    found = ask("compare", a_text="abc", b_text="abd")
    assert [row[3] for row in found["rows"]] == [row[0] for row in both.js_nats]
    assert [row[6][0] for row in found["rows"]] == [row[0] for row in both.a_top_id]


def test_tokens_are_those_that_the_model_reads(ask: Ask, explorer: Explorer) -> None:
    """Also of a text that looks like JSON, and of one whose tokens are parts of characters."""
    for text in ('["é"]', "7", "null", "\u202e😀\n"):
        tokens = explorer.lens(text, layers=[0]).tokens
        found = ask("tokenise", text=text)
        assert [row[:2] for row in found["rows"]] == [[each.index, each.id] for each in tokens]
    assert found["rows"][-5][2] == "\\xF0"
    split = ask("find_tokens", query="ab")
    assert [each[0] for each in split["split"]] == explorer.tokens("ab").encoded_ids
    assert ask("model_info")["vocab_size"] == explorer.model_info().vocab_size
    assert len(ask("examples")["rows"]) == len(explorer.examples().examples)


def test_a_long_conversation_is_read_in_pieces_that_say_how_to_go_on(
    ask: Ask, explorer: Explorer
) -> None:
    said = "aé\u200b" * 60
    reply = explorer.chat(said, sampling={"max_new_tokens": 3})
    explorer.change_conversation(
        reply.conversation_id,
        title="Wombat",
        notes=[{"start": 0, "end": 1, "text": "x" * 4000} for _ in range(3)],
    )
    found = ask("read_conversation", conversation_id=reply.conversation_id)
    assert [row[3] for row in found["rows"] if row[0] == "user"] == [said]
    assert "cut" not in found
    assert found["notes_cut"] == "1 of 3 notes."
    listed = ask("list_conversations", query="wombat")
    assert [row[:2] for row in listed["rows"]] == [[reply.conversation_id, "Wombat"]]

    tokens = ask("tokenise", conversation_id=reply.conversation_id)
    assert tokens["n_tokens"] == found["n_tokens"]
    cut = ask("lens", conversation_id=reply.conversation_id, positions=[0, 360], top_k=50)
    assert cut["cut"].startswith(f"{len(cut['rows'])} of 1440 rows.")


def test_text_that_is_cut_goes_on_where_it_ended(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_answers, "MAX_CHARS", 500)
    said = "aé\u200b" * 60
    conversation = explorer.chat(said, sampling={"max_new_tokens": 3}).conversation_id
    heard, start, n_calls = b"", 0, 0
    with session(mcp_server.server_of(explorer)) as (call, _):
        while start is not None:
            found = json.loads(
                text_of(call("read_conversation", conversation_id=conversation, start=start))
            )
            tokens = explorer.open_conversation(conversation).tokens
            for role, begin, end, text in found["rows"]:
                content = b"".join(base64.b64decode(each.bytes) for each in tokens[begin:end])
                assert text == content.decode("utf-8", "replace")
                heard += content if role == "user" else b""
            n_calls += 1
            more = re.search(r"start=(\d+)\.$", found.get("cut", ""))
            start = int(more[1]) if more else None
    assert heard == said.encode()
    assert n_calls > 1


def test_what_is_wrong_is_an_error_with_the_code_and_hint_of_the_server(call: Call) -> None:
    told = refusal(call("lens", text="a" * 600))
    assert "context_exceeded" in told
    assert "Read a shorter text." in told
    assert "layer_out_of_range" in refusal(call("lens", text="a", layers=[99]))
    assert "conversation_not_found" in refusal(call("read_conversation", conversation_id="x"))
    for arguments in ({}, {"text": "a", "conversation_id": "b"}):
        assert "Give either text or conversation_id." in refusal(call("lens", **arguments))
    assert "layer\n" in refusal(call("lens", text="a", layer=1))
    assert "predicted by nothing" in refusal(call("lens_of_token", conversation_id="x", index=0))


def test_without_a_server_each_tool_says_how_to_start_one() -> None:
    with (
        Explorer("http://127.0.0.1:9") as nowhere,
        session(mcp_server.server_of(nowhere)) as (call, _),
    ):
        assert "Cannot reach http://127.0.0.1:9" in refusal(call("model_info"))


def test_token_of_the_server_comes_from_the_environment(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []

    def see(explorer: Explorer) -> None:
        sent.append((explorer.url, explorer._http.headers["authorization"]))

    monkeypatch.setattr(mcp_server, "run", see)
    monkeypatch.setenv("EXPLORER_TOKEN", "of-the-server")
    assert cli.main(["mcp", "--url", server_url]) == 0
    assert sent == [(server_url, "Bearer of-the-server")]


def test_ctrl_c_ends_the_command_while_it_waits() -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    with subprocess.Popen(
        [sys.executable, "-m", "mechanistic_explorer.cli", "mcp"],
        cwd=CLIENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{json.dumps(hello)}\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == -signal.SIGINT


def test_the_client_never_imports_what_only_the_tools_need(
    server_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys, mechanistic_explorer as m; from mechanistic_explorer import cli, formats\n"
        "[getattr(m, name) for name in m.__all__]\n"
        f"cli.main(['model', '--url', {server_url!r}])\n"
        "print([n for n in ('mcp', 'pydantic', 'pyarrow', 'pandas') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=CLIENT, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "[]", ran.stderr

    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    monkeypatch.delitem(sys.modules, "mechanistic_explorer.mcp_server")
    monkeypatch.delattr(mechanistic_explorer, "mcp_server")
    assert cli.main(["mcp"]) == 1
    assert 'pip install "mechanistic-explorer[mcp]"' in capsys.readouterr().err
