"""Writes the client's types and methods from the committed `openapi.json`.

`python client/generate.py` in backend/ writes `answers.py` (what the server answers, as frozen
dataclasses), `requests.py` (what it is asked, as typed dictionaries) and `operations.py` (one method
for each operation, called by its `operationId`). A test fails where they were left behind.
"""

from __future__ import annotations

import json
import keyword
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).resolve().parent
OPENAPI = CLIENT.parent / "openapi.json"
PACKAGE = CLIENT / "mechanistic_explorer"
HEADER = "Made from openapi.json by `python client/generate.py`; do not edit."

EVENTS = {"chat": "StreamEvent", "job_events": "JobStreamEvent"}
"""Union of the events of each operation that answers with a stream."""
STREAMS = {"chat": "ChatStream", "job_events": "JobEvents"}
TABLES = {
    "LensReadResponse",
    "CompareResponse",
    "AttributionResponse",
    "AttentionResponse",
    "WritesResponse",
    "DoseResponse",
    "PatchResponse",
    "ChatResponse",
    "SavedConversation",
    "JobInfo",
    "FitJobInfo",
    "ConversationList",
    "JobList",
    "TokenSearchResponse",
    "ModelList",
}
"""Answers that are a table: `frames.py` has their rows."""
SHOWN = {"LensReadResponse", "ChatResponse", "SavedConversation", "JobInfo"}
"""Answers that a notebook draws: `notebook_html.py` has their HTML."""
TIMELINES = {"TimelineSource", "CompareSide"}
"""Requests that may be given as a text, which is then their prompt."""
WHOLE_BODIES = {"import_conversation": "file"}
"""Operations whose body is one thing that people have, and the argument it is given by."""
POSITIONAL = ("messages", "prompt", "clean", "corrupt", "a", "b", "query", "model")
"""Arguments that may be given without their names, in this order."""
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Generator:
    """The three modules, as texts."""

    def __init__(self, openapi: dict[str, Any]) -> None:
        self.paths: dict[str, Any] = openapi["paths"]
        self.schemas: dict[str, Any] = openapi["components"]["schemas"]
        roots_of_answers: list[Any] = [{"$ref": "#/components/schemas/ErrorResponse"}]
        roots_of_requests: list[Any] = []
        for _, _, operation in self.operations():
            for status, response in operation["responses"].items():
                schema = response.get("content", {}).get("application/json", {}).get("schema")
                if schema and (status.startswith("2") or operation["operationId"] == "health"):
                    roots_of_answers.append(schema)
            if body := body_schema(operation):
                roots_of_requests.append(body)
        roots_of_answers += [{"$ref": f"#/components/schemas/{name}"} for name in EVENTS.values()]
        self.answers = self.reachable(roots_of_answers)
        self.requests = self.reachable(roots_of_requests)

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self.paths.items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def reachable(self, roots: list[Any]) -> list[str]:
        """Names of the schemas that these refer to, in the order of the document."""
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, dict):
                name = name_of(node)
                if name and name not in found:
                    found.add(name)
                    waiting.append(self.schemas[name])
                waiting += node.values()
        return [name for name in self.schemas if name in found]

    # --- types -------------------------------------------------------------------------------------

    def type_of(self, schema: dict[str, Any], module: str) -> str:
        """A Python type. `module`: `answers` or `requests` inside these, `operations` for arguments."""
        if name := name_of(schema):
            return self.type_of_name(name, module)
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        for union in ("anyOf", "oneOf"):
            if union in schema:
                options = [self.type_of(option, module) for option in schema[union]]
                if "float" in options:
                    options = [option for option in options if option != "int"]
                return " | ".join(dict.fromkeys(options))
        kind = schema["type"]
        if kind == "array":
            if "prefixItems" in schema:
                inner = [self.type_of(item, module) for item in schema["prefixItems"]]
                is_pair = len(set(inner)) == 1 and module != "answers"
                return f"Sequence[{inner[0]}]" if is_pair else f"tuple[{', '.join(inner)}]"
            item = self.type_of(schema["items"], module)
            return f"list[{item}]" if module == "answers" else f"Sequence[{item}]"
        if kind == "object":
            return f"dict[str, {self.type_of(schema['additionalProperties'], module)}]"
        return SCALARS[kind]

    def type_of_name(self, name: str, module: str) -> str:
        if module == "answers":
            return name
        of_requests = name if module == "requests" else f"requests.{name}"
        options = [of_requests]
        if name in self.answers:
            options.append(f"answers.{name}")
        if name in TIMELINES and module == "operations":
            options.insert(0, "str")
        return " | ".join(options)

    # --- answers.py --------------------------------------------------------------------------------

    def answers_module(self) -> str:
        lines = [
            f'"""What the server answers, with the names of the API.\n\n{HEADER}\n"""',
            "from __future__ import annotations\n\n"
            "from dataclasses import dataclass, field\n"
            "from typing import Literal\n\n"
            "from mechanistic_explorer.results import DrawnResult, Result, TableResult",
        ]
        unions = []
        for name in self.answers:
            schema = self.schemas[name]
            if "oneOf" in schema:
                unions.append(f"{name} = {self.type_of(schema, 'answers')}")
            else:
                lines.append(self.dataclass_of(name, schema))
        return "\n\n\n".join([*lines, *unions])

    def dataclass_of(self, name: str, schema: dict[str, Any]) -> str:
        bases = ["TableResult"] if name in TABLES else []
        bases += ["DrawnResult"] if name in SHOWN else []
        lines = [
            "@dataclass(frozen=True, repr=False)",
            f"class {name}({', '.join(bases or ['Result'])}):",
        ]
        lines += docstring(schema.get("description") or f"`{name}` of the API.")
        required = set(schema.get("required", ()))
        fields = schema.get("properties", {})
        for field in sorted(fields, key=lambda field: field not in required):
            kind, more = self.type_of(fields[field], "answers"), ""
            if field not in required:
                default = default_of(fields[field])
                more = f" = {'field(default_factory=list)' if default == '()' else default}"
                if default == "None" and "None" not in kind:
                    kind = f"{kind} | None"
            attribute = python_name(field)
            if attribute != field:
                assert field in required
                more = f" = field(metadata={{'json': {field!r}}})"
            lines.append(f"    {attribute}: {kind}{more}")
            lines += docstring(fields[field].get("description"))
        return "\n".join(lines)

    # --- requests.py -------------------------------------------------------------------------------

    def requests_module(self) -> str:
        lines = [
            f'"""What the server is asked, as dictionaries with the names of the API.\n\n{HEADER}\n"""',
            "from __future__ import annotations\n\n"
            "from collections.abc import Sequence\n"
            "from typing import TYPE_CHECKING, Literal, TypedDict\n\n"
            "from mechanistic_explorer import answers\n\n"
            "if TYPE_CHECKING:\n    from typing_extensions import NotRequired",
        ]
        lines += [self.dictionary_of(name, self.schemas[name]) for name in self.requests]
        return "\n\n\n".join(lines)

    def dictionary_of(self, name: str, schema: dict[str, Any]) -> str:
        required = set(schema.get("required", ()))
        fields = {
            field: self.type_of(inner, "requests")
            if field in required
            else f"NotRequired[{self.type_of(inner, 'requests')}]"
            for field, inner in schema.get("properties", {}).items()
        }
        if any(keyword.iskeyword(field) for field in fields):
            inside = ", ".join(f'"{field}": "{kind}"' for field, kind in fields.items())
            return f'{name} = TypedDict("{name}", {{{inside}}})'
        lines = [f"class {name}(TypedDict):"]
        lines += docstring(schema.get("description") or f"`{name}` of the API.")
        for field, kind in fields.items():
            lines.append(f"    {field}: {kind}")
            lines += docstring(schema["properties"][field].get("description"))
        return "\n".join(lines)

    # --- operations.py -----------------------------------------------------------------------------

    def operations_module(self) -> str:
        lines = [
            f'"""A method for each operation of the API.\n\n{HEADER}\n"""',
            "from __future__ import annotations\n\n"
            "from collections.abc import Sequence\n"
            "from typing import Literal\n\n"
            "from mechanistic_explorer import answers, requests\n"
            "from mechanistic_explorer.http import Connection\n"
            "from mechanistic_explorer.jobs import Job\n"
            f"from mechanistic_explorer.streams import {', '.join(STREAMS.values())}",
            "class Operations(Connection):\n"
            '    """The operations of the API, each by its `operationId`."""',
        ]
        methods: list[str] = []
        for method, path, operation in self.operations():
            contents = success(operation).get("content", {})
            if operation["operationId"] == "create_job":
                methods += self.job_methods(method, path, operation)
            elif "application/json" in contents:
                methods.append(self.method_of(method, path, operation, streams=False))
            if "text/event-stream" in contents:
                methods.append(self.method_of(method, path, operation, streams=True))
        return "\n\n\n".join(lines) + "\n\n" + "\n\n".join(methods)

    def job_methods(self, method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
        """`create_job` takes the request as it is; each kind of job has a method that starts one."""
        body = body_schema(operation) or {}
        kind = self.type_of(body, "operations")
        yield "\n".join(
            [
                f"    def create_job(self, request: {kind}) -> answers.JobCreated:",
                *textwrap.indent(docstring_text(operation["description"]), " " * 8).split("\n"),
                f'        return self._call("{method}", "{path}", answers.JobCreated, body=request)',
            ]
        )
        for variant in body.get("oneOf", [body]):
            schema = self.schemas[name_of(variant) or ""]
            named = {
                "operationId": schema["properties"]["kind"]["const"],
                "description": f"{schema['description'].strip()} Starts the job.",
                "requestBody": {"content": {"application/json": {"schema": variant}}},
                "responses": operation["responses"],
            }
            yield self.method_of(method, path, named, streams=False, is_job=True)

    def method_of(
        self,
        method: str,
        path: str,
        operation: dict[str, Any],
        *,
        streams: bool,
        is_job: bool = False,
    ) -> str:
        name = operation["operationId"]
        has_both = len(success(operation)["content"]) == 2
        arguments = [
            (parameter["name"], parameter["schema"], parameter["required"], parameter["in"])
            for parameter in operation.get("parameters", ())
            if parameter["in"] != "header"
        ]
        fixed: dict[str, Any] = {"stream": True} if streams and has_both else {}
        body = body_schema(operation)
        if body and name in WHOLE_BODIES:
            arguments.append((WHOLE_BODIES[name], body, True, "whole body"))
        elif body:
            whole = self.schemas[name_of(body) or ""]
            for field, schema in whole["properties"].items():
                if "const" in schema:
                    fixed[field] = schema["const"]
                elif field != "stream":
                    is_required = field in whole.get("required", ())
                    arguments.append((field, schema, is_required, "body"))
        free = [argument for argument in arguments if argument[3] in ("path", "whole body")]
        if body or not free:
            ordered = {argument[0]: argument for argument in arguments}
            is_chat = name == "chat"
            names = [field for field in POSITIONAL if is_chat or field != "messages"]
            free += [ordered[field] for field in names if field in ordered]
        named = [argument for argument in arguments if argument not in free]
        signature = ["self", *(self.argument(*argument[:3]) for argument in free)]
        if named:
            named.sort(key=lambda argument: not argument[2])
            signature += ["*", *(self.argument(*argument[:3]) for argument in named)]
        kind = STREAMS[name] if streams else self.answer_of(operation)
        called = f"{name}_stream" if streams and has_both else name
        lines = [f"    def {called}({', '.join(signature)}) -> {'Job' if is_job else kind}:"]
        told = [
            f"`{python_name(field)}`: {schema['description']}"
            for field, schema, _, _ in [*free, *named]
            if schema.get("description")
        ]
        summary = operation["description"].strip()
        if streams and has_both:
            summary = f"{summary}\n\nAs a stream; closing it stops the model."
        lines += textwrap.indent(docstring_text("\n\n".join([summary, *told])), " " * 8).split("\n")
        call = self.call_of(
            method, path, arguments, fixed, kind, streams=streams, has_body=bool(body)
        )
        if other := other_statuses(operation):
            call = f"{call[:-1]}, also={other!r})"
        lines.append(f"        return Job({call}.id, self)" if is_job else f"        return {call}")
        return "\n".join(lines)

    def argument(self, field: str, schema: dict[str, Any], is_required: bool) -> str:
        kind = self.type_of(schema, "operations")
        if field == "messages":
            kind = f"str | {kind}"
        default = default_of(schema)
        if not is_required and default == "None" and "None" not in kind:
            kind = f"{kind} | None"
        return f"{python_name(field)}: {kind}" + ("" if is_required else f" = {default}")

    def answer_of(self, operation: dict[str, Any]) -> str:
        schema = success(operation)["content"]["application/json"]["schema"]
        return self.qualified(self.type_of(schema, "answers"))

    def qualified(self, kind: str) -> str:
        return " | ".join(f"answers.{option}" for option in kind.split(" | "))

    def call_of(
        self,
        method: str,
        path: str,
        arguments: list[tuple[str, Any, bool, str]],
        fixed: dict[str, Any],
        kind: str,
        *,
        streams: bool,
        has_body: bool,
    ) -> str:
        for field, _, _, where in arguments:
            if where == "path":
                path = path.replace(f"{{{field}}}", f"{{self._part({python_name(field)})}}")
        address = f'f"{path}"' if "{self." in path else f'"{path}"'
        query = [
            f'"{field}": {python_name(field)}'
            for field, _, _, where in arguments
            if where == "query"
        ]
        inside = [f'"{field}": {value!r}' for field, value in fixed.items()]
        inside += [
            f'"{field}": {value_of(field, schema)}'
            for field, schema, _, where in arguments
            if where == "body"
        ]
        parts = [f'"{method}"', address, f"{kind}"]
        if query:
            parts.append(f"query={{{', '.join(query)}}}")
        if arguments and arguments[-1][3] == "whole body":
            parts.append(f"body={arguments[-1][0]}")
        elif has_body:
            parts.append(f"body={{{', '.join(inside)}}}")
        if streams:
            del parts[2]
            return f"{kind}(self._stream({', '.join(parts)}))"
        return f"self._call({', '.join(parts)})"


def name_of(schema: dict[str, Any]) -> str | None:
    reference = schema.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None


def body_schema(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    return schema


def success(operation: dict[str, Any]) -> dict[str, Any]:
    """The response of status 200, 201 or 202."""
    found: dict[str, Any] = next(
        response for status, response in operation["responses"].items() if status.startswith("2")
    )
    return found


def other_statuses(operation: dict[str, Any]) -> tuple[int, ...]:
    """Failures that have the body of a success, such as the 503 of `/api/health`."""

    def schema_of(response: dict[str, Any]) -> str | None:
        return name_of(response.get("content", {}).get("application/json", {}).get("schema", {}))

    wanted = schema_of(success(operation))
    return tuple(
        int(status)
        for status, response in operation["responses"].items()
        if wanted and status >= "400" and schema_of(response) == wanted
    )


def python_name(field: str) -> str:
    return f"{field}_" if keyword.iskeyword(field) else field


def default_of(schema: dict[str, Any]) -> str:
    """The default of the API as Python; None stands for what a call leaves out."""
    default = schema.get("default")
    if default is None or isinstance(default, dict):
        return "None"
    return "()" if default == [] else repr(default)


def value_of(field: str, schema: dict[str, Any]) -> str:
    argument = python_name(field)
    if field == "messages":
        return f"self._messages({argument})"
    return f"self._timeline({argument})" if name_of(schema) in TIMELINES else argument


def docstring(text: str | None) -> list[str]:
    return textwrap.indent(docstring_text(text), "    ").split("\n") if text else []


def docstring_text(text: str) -> str:
    paragraphs = [
        "\n".join(textwrap.wrap(" ".join(paragraph.split()), 92))
        for paragraph in text.split("\n\n")
    ]
    inside = "\n\n".join(paragraphs).replace("\\", "\\\\")
    return f'"""{inside}"""' if "\n" not in inside else f'"""{inside}\n"""'


def formatted(source: str) -> str:
    """As ruff formats the backend."""
    argv = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PACKAGE / "x.py"), "-"]
    return subprocess.run(
        argv, input=source, capture_output=True, text=True, encoding="utf-8", check=True
    ).stdout


def modules() -> dict[Path, str]:
    """Contents of the generated files."""
    generator = Generator(json.loads(OPENAPI.read_text(encoding="utf-8")))
    return {
        PACKAGE / "answers.py": formatted(generator.answers_module()),
        PACKAGE / "requests.py": formatted(generator.requests_module()),
        PACKAGE / "operations.py": formatted(generator.operations_module()),
    }


if __name__ == "__main__":
    for path, text in modules().items():
        path.write_text(text, encoding="utf-8")
