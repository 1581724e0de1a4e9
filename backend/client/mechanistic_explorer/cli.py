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

from mechanistic_explorer._version import __version__

if TYPE_CHECKING:
    from mechanistic_explorer import Explorer, answers, requests

DEFAULT_URL = "http://localhost:8000"
DONE, FAILED, WRONG_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130
ID_WITH_DASH = re.compile(r"-[\w-]{21}", re.ASCII)
"""22 characters, as long as no option is."""
FORMATS = ("table", "json", "csv")


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


# --- arguments -------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="mechanistic-explorer",
        description="Chat with a language model and see each prediction form, layer by layer.",
        epilog="All commands but serve and token ask a server that runs: "
        f"--url, else EXPLORER_URL, else {DEFAULT_URL}.",
    )
    root.add_argument("--version", action="version", version=f"mechanistic-explorer {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser(
        "serve", help="start the server: page on :5173, API on :8000", add_help=False
    )

    lens = command(commands, "lens", "read a text layer by layer")
    text_argument(lens)
    lens.add_argument("--layers", type=numbers, metavar="0,6,12", help="which layers; default all")
    lens.add_argument("--top-k", type=int, default=5, metavar="K", help="predictions of each layer")
    lens.add_argument(
        "--positions",
        type=span,
        metavar="START:END",
        help="positions that are read; default the last one, which predicts what comes next",
    )
    lens.add_argument("--kind", choices=("logit", "tuned", "jacobian"), default="logit")
    format_argument(lens)

    chat = command(commands, "chat", "send one message and print the reply as it is generated")
    text_argument(chat)
    chat.add_argument("--system", metavar="TEXT", help="system prompt of a new conversation")
    chat.add_argument("--conversation", metavar="ID", help="continue this one")
    chat.add_argument("--mode", choices=("chat", "completion"), default="chat")
    chat.add_argument("--max-new-tokens", type=int, default=256, metavar="N")
    chat.add_argument("--temperature", type=float, default=0.0, metavar="T", help="0 is greedy")
    chat.add_argument("--seed", type=int)
    chat.add_argument("--format", choices=("text", "json"), default="text")

    attribution = command(commands, "attribution", "what wrote one predicted token")
    text_argument(attribution)
    attribution.add_argument("--position", type=int, metavar="T", help="default: the last one")
    attribution.add_argument("--target", type=int, metavar="ID", help="default: what follows there")
    attribution.add_argument("--foil", type=foil, default="best", metavar="best|mean|none|ID")
    attribution.add_argument("--unit", choices=("component", "head"), default="component")
    format_argument(attribution)

    conversations = command(commands, "conversations", "list the saved conversations")
    conversations.add_argument(
        "query", nargs="?", default="", help="text of title, tokens or notes"
    )
    format_argument(conversations)

    export = command(commands, "export", "print a saved conversation as JSON, with all branches")
    export.add_argument("conversation", metavar="CONVERSATION", help="its id, or that of a branch")
    export.add_argument(
        "--format",
        choices=("json", "chats"),
        default="json",
        help="chats: role and content of each message, a line of JSON for each branch",
    )
    export.add_argument("--output", "-o", metavar="FILE", help="write it there")

    model = command(commands, "model", "the model that runs: sizes, lenses, self-check")
    format_argument(model)

    models = command(commands, "models", "the models that the server can load")
    format_argument(models)

    mcp = commands.add_parser(
        "mcp",
        help="tools for language models, over stdin and stdout",
        description="Serves the Model Context Protocol on stdin and stdout, with tools that only read."
        " The token of a server that asks for one is taken from EXPLORER_TOKEN.",
    )
    url_argument(mcp)

    token = commands.add_parser(
        "token",
        help="who may use a shared server",
        description="The people of a server that several share, each with a token of their own.",
    )
    token.add_argument("action", choices=("add", "list", "remove"))
    token.add_argument("name", nargs="?", metavar="NAME", help="the person; add prints their token")
    token.add_argument(
        "--file",
        metavar="FILE",
        help="file of names and digests that the server reads, default EXPLORER_TOKENS_FILE",
    )
    return root


def command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, told: str
) -> argparse.ArgumentParser:
    found = commands.add_parser(name, help=told, description=f"{told[0].upper()}{told[1:]}.")
    url_argument(found)
    found.add_argument("--token", help="its token, default EXPLORER_TOKEN")
    return found


def url_argument(found: argparse.ArgumentParser) -> None:
    found.add_argument(
        "--url", help=f"address of the server, default EXPLORER_URL or {DEFAULT_URL}"
    )


def text_argument(found: argparse.ArgumentParser) -> None:
    found.add_argument(
        "text", nargs="?", metavar="TEXT", help="without it, or as -, it is read from stdin"
    )


def format_argument(found: argparse.ArgumentParser) -> None:
    found.add_argument("--format", choices=FORMATS, default="table")


def numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of layers, such as 0,6,12") from None


def span(text: str) -> tuple[int, int]:
    start, colon, end = text.partition(":")
    try:
        return int(start), int(end if colon else start) + (0 if colon else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no span, such as 0:5, or 4") from None


def foil(text: str) -> int | str:
    if text in ("best", "mean", "none"):
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write best, mean, none or a token id") from None


def given_text(arguments: argparse.Namespace) -> str:
    """TEXT, else all of stdin. Raises SystemExit where a person at a terminal gave neither."""
    if arguments.text not in (None, "-"):
        text: str = arguments.text
        return text
    if arguments.text is None and sys.stdin.isatty():
        print(
            f"mechanistic-explorer {arguments.command}: give a TEXT, or pipe one in",
            file=sys.stderr,
        )
        raise SystemExit(WRONG_ARGUMENTS)
    # The bytes as they are: a line end that a program put there is a token.
    return sys.stdin.buffer.read().decode("utf-8", "replace")


# --- commands --------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace) -> int:
    from mechanistic_explorer import Explorer, ExplorerError
    from mechanistic_explorer import command_output as output

    try:
        with Explorer(*address(arguments.url, arguments.token)) as explorer:
            if arguments.command == "lens":
                output.write_lens(read_lens(explorer, arguments), arguments.format)
            elif arguments.command == "chat":
                chat(explorer, arguments)
            elif arguments.command == "attribution":
                output.write_attribution(*attribution(explorer, arguments), arguments.format)
            elif arguments.command == "conversations":
                found = explorer.list_conversations(arguments.query, limit=200)
                output.write_conversations(found, arguments.format)
            elif arguments.command == "export":
                export(explorer, arguments)
            elif arguments.command == "models":
                output.write_models(explorer.models(), arguments.format)
            else:
                output.write_model(explorer.model_info(), arguments.format)
    except (ExplorerError, OSError) as failure:
        if isinstance(failure, BrokenPipeError):
            raise
        print(f"Error: {failure}", file=sys.stderr)
        return FAILED
    except ValueError as failure:
        print(f"mechanistic-explorer: {failure}", file=sys.stderr)
        return WRONG_ARGUMENTS
    return DONE


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
        print(f"Error: {failure}", file=sys.stderr)
        return FAILED
    return DONE


def last_position(explorer: Explorer, text: str) -> int:
    return len(explorer.lens(text, layers=[0], top_k=1).tokens) - 1


def read_lens(explorer: Explorer, arguments: argparse.Namespace) -> answers.LensReadResponse:
    text = given_text(arguments)
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
    text = given_text(arguments)
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

    messages: list[requests.ChatMessage] = [{"role": "user", "content": given_text(arguments)}]
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
