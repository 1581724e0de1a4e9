"""The command `mechanistic-explorer`, against a server process."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mechanistic_explorer import Explorer, ServerError, answers, cli, launching

from tests.client.conftest import url_of
from tests.server.conftest import Process

CLIENT = Path(__file__).resolve().parents[2] / "client"
COMMAND = [sys.executable, "-m", "mechanistic_explorer.cli"]
HEAVY = ("httpx", "pandas", "torch", "mechanistic_explorer.answers")


@pytest.fixture(autouse=True)
def address(server: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_URL", url_of(server))
    monkeypatch.delenv("EXPLORER_TOKEN", raising=False)


def pipe_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_lens_as_json_is_the_answer_of_the_api(
    capsys: pytest.CaptureFixture[str], explorer: Explorer
) -> None:
    arguments = ["--layers", "1,3", "--top-k", "2", "--positions", "0:2", "--format", "json"]

    assert cli.main(["lens", "abc", *arguments]) == 0

    read = explorer.lens("abc", layers=[1, 3], top_k=2, positions=(0, 2))
    assert json.loads(capsys.readouterr().out) == read.to_dict()


def test_lens_as_csv_has_exact_texts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, b'a,"\n')

    assert cli.main(["lens", "--layers", "0", "--positions", "0:4", "--format", "csv"]) == 0

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [row["token"] for row in rows] == ["a", ",", '"', "\n"]


def test_table_of_a_lens_reads_the_last_position_and_has_the_output_at_the_top(
    capsys: pytest.CaptureFixture[str], explorer: Explorer
) -> None:
    assert cli.main(["lens", "a\tb ", "--top-k", "1"]) == 0

    first, head, *rows = capsys.readouterr().out.splitlines()
    assert first == "read at 3 · → predicts 4"
    assert head.split() == ["layer", "entropy", "KL", "top-1"]
    assert [row.split()[0] for row in rows] == ["3", "2", "1", "embed"]
    read = explorer.lens("a\tb ", top_k=1, positions=(3, 4))
    assert rows[0].split()[-1] == f"{read.top_probabilities[3][0][0]:.3f}"


def test_reply_is_printed_as_it_is_and_its_conversation_is_told(
    capsys: pytest.CaptureFixture[str], explorer: Explorer
) -> None:
    assert cli.main(["chat", "hello", "--max-new-tokens", "5"]) == 0

    printed = capsys.readouterr()
    conversation = printed.err.split()[-1]
    saved = explorer.open_conversation(conversation)
    assert printed.out == "".join(
        token.text for token in saved.tokens[saved.turns[0].reply_start :]
    )

    assert cli.main(["chat", "more", "--conversation", conversation, "--max-new-tokens", "1"]) == 0
    assert len(explorer.open_conversation(conversation).turns) == 2

    assert cli.main(["conversations", "hello", "--format", "csv"]) == 0
    assert conversation in capsys.readouterr().out


def test_system_prompt_and_seed_reach_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--system", "short", "--seed", "5", "--temperature", "1", "--format", "json"]
    assert cli.main(["chat", "hi", "--max-new-tokens", "2", *arguments]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["seed"] == 5
    assert [token["role"] for token in reply["prompt_tokens"]].count("system") == len("short")


def test_attribution_lists_the_largest_part_first_and_the_sum(
    capsys: pytest.CaptureFixture[str], explorer: Explorer
) -> None:
    assert cli.main(["attribution", "abc", "--foil", "mean"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = explorer.attribution("abc", position=2, foil="mean")
    largest = max(found.parts, key=lambda part: abs(part.contribution))
    assert lines[2].split()[-1] == f"{largest.contribution:+.3f}"
    assert lines[-2].split() == ["sum", f"{found.sum:+.3f}"]


def test_export_writes_what_the_server_keeps(tmp_path: Path, explorer: Explorer) -> None:
    conversation = explorer.chat("é", sampling={"max_new_tokens": 1}).conversation_id
    file = tmp_path / "conversation.json"

    assert cli.main(["export", conversation, "-o", str(file)]) == 0

    stored = json.loads(file.read_text(encoding="utf-8"))
    assert stored == explorer.export_conversation(conversation).to_dict()
    assert explorer.import_conversation(stored).n_tokens > 0


def test_file_that_cannot_be_written_is_named(
    tmp_path: Path, explorer: Explorer, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = explorer.chat("a", sampling={"max_new_tokens": 1}).conversation_id
    file = tmp_path / "no folder" / "file"
    assert cli.main(["export", conversation, "-o", str(file)]) == 1
    assert capsys.readouterr().err == f"Error: {file}: No such file or directory\n"


def test_model_tells_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["model", "fake"]
    assert cli.main(["model", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("model,revision")


def test_models_lists_what_can_be_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(key: str, problem: str | None) -> answers.ListedModel:
        return answers.ListedModel(
            key,
            key,
            "hub",
            None,
            2_500_000_000,
            None,
            None,
            124_000_000,
            1024,
            "GPT2",
            False,
            problem,
        )

    found = answers.ModelList(
        [listed("gpt2", None), listed("a b", "No weights.")], "gpt2", None, True
    )
    monkeypatch.setattr(Explorer, "models", lambda _: found)
    assert cli.main(["models"]) == 0
    first, running, broken = capsys.readouterr().out.splitlines()
    assert first.split() == ["model", "parameters", "on", "disk", "architecture", "or", "problem"]
    assert running.split() == ["*", "gpt2", "124", "M", "2.50", "GB", "GPT2"]
    assert broken.endswith("No weights.")
    assert cli.main(["models", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("gpt2,True,hub,GPT2,124000000,1024")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["lens", "a", "--layers", "99"], 1, "Error: layer_out_of_range"),
        (["export", "nothing"], 1, "Error: conversation_not_found"),
        (["export", "-" + 21 * "a"], 1, "Error: conversation_not_found"),
        (["export", "-" + 21 * "a", "-o", "file"], 1, "Error: conversation_not_found"),
        (["chat", "a", "--conversation", 22 * "-"], 1, "Error: conversation_not_found"),
        (["lens", "a", "--url", "http://127.0.0.1:9"], 1, "Error: Cannot reach http://127.0.0.1:9"),
        (["models", "--url", "localhost"], 2, "write http://localhost:8000"),
        (["lens", "a\udcff"], 2, "the text is not UTF-8"),
    ],
)
def test_failures_are_one_line_and_an_exit_code(
    arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.parametrize(
    "arguments",
    [[], ["nothing"], ["lens", "a", "--layers", "x"], ["lens", "a", "--format", "xml"]]
    + [["chat", "a", "--temperature", number] for number in ("nan", "inf", "x")],
)
def test_wrong_arguments_are_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def test_bytes_that_are_no_text_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, b"a\xff\xe2\x82")
    assert cli.main(["lens"]) == 2
    assert capsys.readouterr().err == (
        "mechanistic-explorer: the text is not UTF-8: invalid start byte at 1\n"
    )


def test_search_that_finds_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["conversations", "no such words"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "No conversation has 'no such words' in its title, tokens or notes.\n"


def test_command_waits_for_the_model_that_is_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = answers.ErrorBody("model_loading", "m", "h", None, "r")
    found = iter([ServerError(loading, 503)])
    read = Explorer.lens

    def lens(explorer: Explorer, *given: Any, **named: Any) -> answers.LensReadResponse:
        for refusal in found:
            raise refusal
        return read(explorer, *given, **named)

    monkeypatch.setattr(Explorer, "lens", lens)
    pipe_in(monkeypatch, b"abc")
    assert cli.main(["lens"]) == 0
    printed = capsys.readouterr()
    assert "is ready on" in printed.err
    assert printed.out.startswith("read at 2 c")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from mechanistic_explorer import cli\n"
        "try: cli.main(['--help'])\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=CLIENT, capture_output=True, text=True)
    assert ran.stderr.strip() == "[]"
    assert "attribution" in ran.stdout


def test_help_of_serve_has_the_name_of_the_command() -> None:
    ran = subprocess.run([*COMMAND, "serve", "--help"], cwd=CLIENT, capture_output=True, text=True)
    assert ran.stdout.startswith("usage: mechanistic-explorer serve [-h] [--model MODEL]")
    assert "started-as" not in ran.stdout


def test_reader_that_has_enough_is_no_failure() -> None:
    with subprocess.Popen(
        [*COMMAND, "lens", "a" * 400, "--positions", "0:400", "--top-k", "50"],
        cwd=CLIENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "→ predicts 1" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_a_terminal_gets_colour_and_it_gets_no_control_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert cli.main(["lens", "a\x1b[31m"]) == 0
    assert "\x1b[1mread at 5 m\x1b[0m" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    without = Terminal()
    monkeypatch.setattr(sys, "stdout", without)
    assert cli.main(["lens", "a\x1b[31m", "--positions", "0:6"]) == 0
    assert "\x1b" not in without.getvalue()
    assert "‹U+001B›" in without.getvalue()


def test_serve_without_a_server_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(launching, "__file__", str(tmp_path / "a" / "b" / "launching.py"))
    monkeypatch.setattr(launching, "SERVER_PACKAGE", "a_server_that_is_not_installed")
    assert cli.main(["serve"]) == 1
    assert 'pip install "mechanistic-explorer[server]"' in capsys.readouterr().err


def test_serve_hands_its_options_and_exit_code_through() -> None:
    ran = subprocess.run(
        [*COMMAND, "serve", "--port", "x"], cwd=CLIENT, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert "invalid int value" in ran.stderr
