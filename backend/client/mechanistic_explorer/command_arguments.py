"""What the commands take."""

from __future__ import annotations

import argparse
import math

from mechanistic_explorer._version import __version__

DEFAULT_URL = "http://localhost:8000"
FORMATS = ("table", "json", "csv")


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
    chat.add_argument("--temperature", type=finite, default=0.0, metavar="T", help="0 is greedy")
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


def finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no number, such as 0.7")
    return number


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
