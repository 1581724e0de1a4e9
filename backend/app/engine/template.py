"""How messages become text, and which part of that text came from whom.

Models without a chat template of their own get the built-in `User: …` / `Assistant: …` form.
Templates of tokenizers are programs (Jinja) that give back one string; to know which characters
of it are a message and which the template's, the messages are rendered a second time with a unique
mark in place of each content, and the two renderings are compared. Only text that the template
itself wrote can become a special token.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterable, Sequence

import jinja2
from transformers import PreTrainedTokenizerBase

from app.engine.rendering import RenderingTooLong, limited_rendering
from app.engine.types import ChatTemplate, Message, TextSpan
from app.errors import InvalidRequest

RENDER_SECONDS = 2.0
"""Of the processor's time; templates take milliseconds."""

TEMPLATE_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)

Piece = tuple[str, int | None]
"""Text of a rendering and the number of the message it came from; None for the template's own."""


class BuiltInTemplate:
    """Turns of the form `User: …` and `Assistant: …`, for models that were not trained to chat."""

    def __init__(self, user_label: str = "User", assistant_label: str = "Assistant") -> None:
        self._user = f"{user_label}:"
        self._assistant = f"{assistant_label}:"

    @property
    def description(self) -> ChatTemplate:
        return ChatTemplate(
            source="built-in",
            text=f"{{system}}\n\n{self._user} {{message}}\n{self._assistant} {{reply}}\n",
            stop=(f"\n{self._user}",),
        )

    def start(self, messages: Sequence[Message]) -> list[TextSpan]:
        """The whole history, ending where the assistant's reply begins."""
        spans: list[TextSpan] = []
        for message in messages:
            content = TextSpan(message.content, message.role)
            if message.role == "system":
                # A paragraph of its own; between turns an empty line sets it off.
                spans += [_template("\n" if spans else ""), content, _template("\n\n")]
            elif message.role == "user":
                spans += [_template(f"{self._user} "), content, _template("\n")]
            else:
                # A reply that was generated after the label brings its own space.
                gap = "" if message.content[:1].isspace() else " "
                end = "" if message.content.endswith("\n") else "\n"
                spans += [_template(self._assistant + gap), content, _template(end)]
        spans.append(_template(self._assistant))
        return [span for span in spans if span.text]

    def continuation(self, messages: Sequence[Message], *, timeline_end: bytes) -> list[TextSpan]:
        """What follows a stored reply: a line break unless it ended with one, then the new turns."""
        spans = self.start(messages)
        return spans if timeline_end.endswith(b"\n") else [_template("\n"), *spans]


class TokenizerTemplate:
    """The chat template that a tokenizer brings along.

    `special_tokens` are the texts that name special tokens in what the template writes; `name`
    is the model's, for messages. Raises InvalidRequest when the template refuses the messages,
    leaves one out, or rewrites one so that its text cannot be found again.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, special_tokens: Iterable[str], name: str
    ) -> None:
        self._tokenizer = tokenizer
        self._name = name
        longest_first = sorted(special_tokens, key=len, reverse=True)
        self._specials = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._text = chosen_template(tokenizer.chat_template)
        self._takes_parts = False
        self._takes_parts = self._wants_parts()
        self._description = ChatTemplate(source="tokenizer", text=self._text, stop=self._stop())

    @property
    def description(self) -> ChatTemplate:
        return self._description

    def start(self, messages: Sequence[Message]) -> list[TextSpan]:
        """The whole history, ending where the assistant's reply begins."""
        return self._spans(self._split(messages), messages)

    def continuation(
        self,
        messages: Sequence[Message],
        *,
        timeline_end: bytes,  # noqa: ARG002  (the template alone says how a turn ends)
    ) -> list[TextSpan]:
        """What the template writes after an assistant's message, then the new turns."""
        exchange = [Message("user", "Hello"), Message("assistant", "Hello"), *messages]
        return self._spans(_after(self._split(exchange), 1), exchange)

    def _stop(self) -> tuple[str, ...]:
        """What the template puts behind a reply: its end token, or else the next label."""
        exchange = [Message("user", "Hello"), Message("assistant", "Hello"), Message("user", "Hi")]
        try:
            between = _after(self._split(exchange), 1)[0][0]
        except InvalidRequest:
            return ()  # Chatting with this template says why; completion mode works.
        special = self._specials.search(between)
        stop = between[: special.end()].strip() if special else between.rstrip()
        return (stop,) if stop else ()

    def _spans(self, pieces: Sequence[Piece], messages: Sequence[Message]) -> list[TextSpan]:
        spans: list[TextSpan] = []
        for text, number in pieces:
            if number is not None:
                spans.append(TextSpan(text, messages[number].role))
                continue
            place = 0
            for match in self._specials.finditer(text):
                spans.append(_template(text[place : match.start()]))
                spans.append(TextSpan(match[0], "template", is_special=True))
                place = match.end()
            spans.append(_template(text[place:]))
        return [span for span in spans if span.text]

    def _split(self, messages: Sequence[Message]) -> list[Piece]:
        """The rendered messages, starting and ending with text of the template."""
        rendered = self._render(messages)
        key = secrets.randbits(128)  # digits only: a template may change the case of a message
        marked = self._render(
            [Message(m.role, f"\ue000{key}.{n}\ue001") for n, m in enumerate(messages)]
        )
        parts = re.split(f"\ue000{key}\\.(\\d+)\ue001", marked)
        numbers = [int(number) for number in parts[1::2]]
        for number, message in enumerate(messages):
            if message.content.strip() and number not in numbers:
                raise InvalidRequest(
                    f"The chat template of {self._name} leaves out message {number + 1} "
                    f"({message.role}).",
                    hint="Send the conversation without it, or use completion mode.",
                    param="messages",
                )
        contents = [message.content for message in messages]
        pieces = _walk(rendered, contents, parts[0], list(zip(numbers, parts[2::2], strict=True)))
        if pieces is None and not any(map(self._specials.search, contents)):
            # A wrong guess would at most colour a word for the wrong speaker.
            pieces = _locate(rendered, contents)
        if pieces is None:
            raise InvalidRequest(
                f"The chat template of {self._name} rewrites these messages, so that their text "
                "cannot be told from the template's own.",
                hint="Use completion mode, or send the messages without special markup.",
                param="messages",
            )
        return pieces

    def _wants_parts(self) -> bool:
        """Whether the template reads a message's content as a list of parts only, as for images."""
        probe = [Message("user", "Hello")]
        for self._takes_parts in (False, True):
            with contextlib.suppress(InvalidRequest):
                if "Hello" in self._render(probe):
                    return self._takes_parts
        return False

    def _render(self, messages: Sequence[Message]) -> str:
        conversation = [{"role": m.role, "content": self._content(m)} for m in messages]
        try:
            with limited_rendering(RENDER_SECONDS):
                return str(
                    self._tokenizer.apply_chat_template(
                        conversation,
                        chat_template=self._text,
                        tokenize=False,
                        add_generation_prompt=True,
                    )
                )
        except RenderingTooLong as error:
            raise self._refusal(f"it ran for more than {RENDER_SECONDS:g} s.") from error
        except jinja2.TemplateError as error:
            raise self._refusal(str(error)) from error
        except TEMPLATE_FAILURES as error:
            # A template is a program: an operation it tries on our messages may fail in any of
            # these ways.
            raise self._refusal(f"{type(error).__name__}: {error}") from error

    def _content(self, message: Message) -> str | list[dict[str, str]]:
        if self._takes_parts:
            return [{"type": "text", "text": message.content}]
        return message.content

    def _refusal(self, reason: str) -> InvalidRequest:
        return InvalidRequest(
            f"The chat template of {self._name} refuses these messages: {reason}",
            hint="Change the roles or their order, or use completion mode.",
            param="messages",
        )


def chosen_template(templates: str | dict[str, str]) -> str:
    """The template for plain chats: the only one, that called `default`, or the first of several."""
    if isinstance(templates, str):
        return templates
    return templates.get("default") or next(iter(templates.values()))


def _template(text: str) -> TextSpan:
    return TextSpan(text, "template")


def _after(pieces: Sequence[Piece], number: int) -> Sequence[Piece]:
    """The pieces behind a message."""
    return pieces[[of for _, of in pieces].index(number) + 1 :]


def _walk(
    rendered: str, contents: Sequence[str], head: str, rest: Sequence[tuple[int, str]]
) -> list[Piece] | None:
    """Follows the marked rendering (`head`, then message and template text in turn) along the real one.

    Templates trim contents and some cut reasoning out of them; what is left has to be part of the
    message. None where the two renderings part ways.
    """
    if not rendered.startswith(head):
        return None
    pieces: list[Piece] = [(head, None)]
    place = len(head)
    for turn, (number, behind) in enumerate(rest):
        is_last = turn == len(rest) - 1
        content = contents[number]
        for form in (content, content.strip(), content.lstrip(), content.rstrip()):
            end = place + len(form)
            if rendered.startswith(form + behind, place) and (
                not is_last or end + len(behind) == len(rendered)
            ):
                break
        else:
            end = len(rendered) - len(behind) if is_last else rendered.find(behind, place)
            if (
                not behind
                or end < place
                or not rendered.startswith(behind, end)
                or rendered[place:end].strip() not in content
            ):
                return None
        pieces += [(rendered[place:end], number), (behind, None)]
        place = end + len(behind)
    return pieces if place == len(rendered) else None


def _locate(rendered: str, contents: Sequence[str]) -> list[Piece] | None:
    """Finds the stripped contents one after the other in a rendering."""
    pieces: list[Piece] = []
    place = 0
    for number, content in enumerate(contents):
        text = content.strip()
        start = rendered.find(text, place)
        if start < 0:
            return None
        pieces += [(rendered[place:start], None), (text, number)]
        place = start + len(text)
    return [*pieces, (rendered[place:], None)]
