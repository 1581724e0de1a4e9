"""The command line `mechanistic-explorer`.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted. What a command needs is imported
when it runs, so that `--help` comes at once.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mechanistic_explorer.command_arguments import DEFAULT_URL, parser

if TYPE_CHECKING:
    from mechanistic_explorer import Explorer, answers, requests

DONE, FAILED, WRONG_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130
ID_WITH_DASH = re.compile(r"-[\w-]{21}", re.ASCII)
"""22 characters, as long as no option is."""


def main(argv: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Files and pipes are UTF-8 everywhere; a terminal shows what its encoding has.
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    try:
        if given[:1] == ["serve"]:
            return serve(given[1:])
        if given[:1] == ["token"]:
            return token(parser().parse_args(given))
        if given[:1] == ["mcp"]:
            return mcp(parser().parse_args(given))
        return run(parser().parse_args(with_ids_as_values(given)))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python would flush once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def with_ids_as_values(given: Sequence[str]) -> list[str]:
    """One id in 64 begins with a dash, which argparse would take for an option."""
    found: list[str] = []
    last: list[str] = []
    for word in given:
        if ID_WITH_DASH.fullmatch(word) and found[-1:] == ["--conversation"]:
            found[-1] = f"--conversation={word}"
        elif ID_WITH_DASH.fullmatch(word) and given[0] == "export":
            last += ["--", word]
        else:
            found.append(word)
    return found + last


def given_text(arguments: argparse.Namespace) -> str:
    """TEXT, else all of stdin. Raises ValueError where it is not UTF-8, as the model would read
    other characters, and SystemExit where a person at a terminal gave neither.
    """
    if arguments.text is None and sys.stdin.isatty():
        print(
            f"mechanistic-explorer {arguments.command}: give a TEXT, or pipe one in",
            file=sys.stderr,
        )
        raise SystemExit(WRONG_ARGUMENTS)
    try:
        if arguments.text in (None, "-"):
            # The bytes as they are: a line end that a program put there is a token.
            return sys.stdin.buffer.read().decode("utf-8")
        text: str = arguments.text
        text.encode("utf-8")
        return text
    except (UnicodeDecodeError, UnicodeEncodeError) as wrong:
        raise ValueError(f"the text is not UTF-8: {wrong.reason} at {wrong.start}") from None


# --- commands --------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace) -> int:
    from mechanistic_explorer import Explorer, ExplorerError, ServerError
    from mechanistic_explorer.launching import write_progress

    try:
        if "text" in arguments:
            arguments.text = given_text(arguments)
        with Explorer(*address(arguments.url, arguments.token)) as explorer:
            try:
                ask(explorer, arguments)
            except ServerError as failure:
                if failure.code != "model_loading":
                    raise
                explorer.wait_until_ready(on_progress=write_progress)
                ask(explorer, arguments)
    except (ExplorerError, OSError) as failure:
        if isinstance(failure, BrokenPipeError):
            raise
        print(f"Error: {described(failure)}", file=sys.stderr)
        return FAILED
    except ValueError as failure:
        print(f"mechanistic-explorer: {failure}", file=sys.stderr)
        return WRONG_ARGUMENTS
    return DONE


def described(failure: Exception) -> str:
    """In one line, and without the number of an error of the system."""
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename}: {failure.strerror}" if failure.filename else failure.strerror
    return str(failure)


def ask(explorer: Explorer, arguments: argparse.Namespace) -> None:
    """Asks the server, and writes what it answers."""
    from mechanistic_explorer import command_output as output

    if arguments.command == "lens":
        output.write_lens(read_lens(explorer, arguments), arguments.format)
    elif arguments.command == "chat":
        chat(explorer, arguments)
    elif arguments.command == "attribution":
        output.write_attribution(*attribution(explorer, arguments), arguments.format)
    elif arguments.command == "conversations":
        found = explorer.list_conversations(arguments.query, limit=200)
        output.write_conversations(found, arguments.query, arguments.format)
    elif arguments.command == "export":
        export(explorer, arguments)
    elif arguments.command == "models":
        output.write_models(explorer.models(), arguments.format)
    else:
        output.write_model(explorer.model_info(), arguments.format)


def address(url: str | None, token: str | None) -> tuple[str, str | None]:
    """Where the server is, and the token that it asks for."""
    return (
        url or os.environ.get("EXPLORER_URL") or DEFAULT_URL,
        token or os.environ.get("EXPLORER_TOKEN") or None,
    )


def serve(options: list[str]) -> int:
    """Runs the server in the foreground; its options and exit code are its own."""
    from mechanistic_explorer.errors import CannotLaunch
    from mechanistic_explorer.launching import run_server

    try:
        return run_server(options)
    except CannotLaunch as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return FAILED


def mcp(arguments: argparse.Namespace) -> int:
    """Serves tools for language models until stdin is closed; the server need not run yet."""
    from mechanistic_explorer import Explorer

    try:
        from mechanistic_explorer import mcp_server
    except ModuleNotFoundError as missing:
        print(
            f'Error: {missing.name} is not installed: pip install "mechanistic-explorer[mcp]"',
            file=sys.stderr,
        )
        return FAILED
    try:
        explorer = Explorer(*address(arguments.url, None))
    except ValueError as failure:
        print(f"mechanistic-explorer: {failure}", file=sys.stderr)
        return WRONG_ARGUMENTS
    if sys.stdin.isatty():
        print(
            f"Speaks the Model Context Protocol for {explorer.url}; meant to be started by a program"
            " that uses tools. Ctrl-C ends it.",
            file=sys.stderr,
        )
    with explorer:
        mcp_server.run(explorer)
    return DONE


def token(arguments: argparse.Namespace) -> int:
    """Changes or lists the people of a shared server; no server need run."""
    from pathlib import Path

    from mechanistic_explorer import people

    action, name = arguments.action, arguments.name
    file = arguments.file or os.environ.get("EXPLORER_TOKENS_FILE")
    try:
        if not file:
            raise ValueError("say which file: --file FILE, or set EXPLORER_TOKENS_FILE")
        if (name is None) != (action == "list"):
            raise ValueError("list takes no NAME" if name else f"{action} needs a NAME")
        path = Path(file).expanduser()
        if action == "list":
            print(*people.people_of(path), sep="\n")
        elif action == "remove":
            people.remove_person(path, name)
        else:
            made = people.add_person(path, name)
            print("The token is shown this once; the file holds its digest.", file=sys.stderr)
            print(made)
    except ValueError as failure:
        print(f"mechanistic-explorer token: {failure}", file=sys.stderr)
        return WRONG_ARGUMENTS
    except OSError as failure:
        print(f"Error: {described(failure)}", file=sys.stderr)
        return FAILED
    return DONE


def last_position(explorer: Explorer, text: str) -> int:
    return len(explorer.lens(text, layers=[0], top_k=1).tokens) - 1


def read_lens(explorer: Explorer, arguments: argparse.Namespace) -> answers.LensReadResponse:
    text = arguments.text
    positions = arguments.positions
    if positions is None:
        last = last_position(explorer, text)
        positions = (last, last + 1)
    return explorer.lens(
        text,
        kind=arguments.kind,
        layers=arguments.layers,
        positions=positions,
        top_k=arguments.top_k,
    )


def attribution(
    explorer: Explorer, arguments: argparse.Namespace
) -> tuple[answers.AttributionResponse, Sequence[answers.Token]]:
    """The parts, and the tokens of the text."""
    text = arguments.text
    tokens = explorer.lens(text, layers=[0], top_k=1).tokens
    position = len(tokens) - 1 if arguments.position is None else arguments.position
    found = explorer.attribution(
        text,
        position=position,
        target=arguments.target,
        foil=arguments.foil,
        unit=arguments.unit,
    )
    return found, tokens


def chat(explorer: Explorer, arguments: argparse.Namespace) -> None:
    """The text as it comes; on a terminal without characters that could act on it."""
    from mechanistic_explorer.command_output import write_json
    from mechanistic_explorer.visible import harmless

    messages: list[requests.ChatMessage] = [{"role": "user", "content": arguments.text}]
    if arguments.system is not None:
        messages.insert(0, {"role": "system", "content": arguments.system})
    sampling: requests.SamplingRequest = {
        "max_new_tokens": arguments.max_new_tokens,
        "temperature": arguments.temperature,
    }
    if arguments.seed is not None:
        sampling["seed"] = arguments.seed
    as_json = arguments.format == "json"
    with explorer.chat_stream(
        messages,
        mode=arguments.mode,
        conversation_id=arguments.conversation,
        sampling=sampling,
        lens=None if as_json else {"scope": "none"},
    ) as stream:
        if as_json:
            write_json(stream.answer())
            return
        is_terminal = sys.stdout.isatty()
        for piece in stream.texts():
            sys.stdout.write(harmless(piece) if is_terminal else piece)
            sys.stdout.flush()
        if is_terminal:
            sys.stdout.write("\n")
        if stream.start is not None:
            print(f"conversation {stream.start.conversation_id}", file=sys.stderr)


def export(explorer: Explorer, arguments: argparse.Namespace) -> None:
    from mechanistic_explorer.command_output import json_text

    if arguments.format == "chats":
        from mechanistic_explorer.formats import chat_line

        branches = explorer.open_conversation(arguments.conversation).branches
        text = "".join(chat_line(explorer.open_conversation(branch.id)) for branch in branches)
    else:
        text = json_text(explorer.export_conversation(arguments.conversation))
    if arguments.output:
        with open(arguments.output, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    sys.exit(main())
