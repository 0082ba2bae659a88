"""curl command lines become connectors. Nothing is run, and no file that a command names is opened."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote_plus

from msgspec import Struct, field

from reconciler.importers.addresses import dissect
from reconciler.importers.bundles import by_host, connectors_of, none_usable
from reconciler.importers.connectors import MAX_KEY, check_options
from reconciler.importers.curl_options import SHORT, SILENT, VALUES
from reconciler.importers.document import Notebook
from reconciler.importers.payloads import FormEntry, Payload, form_entries, payload_of
from reconciler.importers.requests import Access, Desk, ForeignEntry, ForeignRequest, bearer, login
from reconciler.importers.shell import Word, commands_of
from reconciler.importers.syntax import Imported, NotImportable
from reconciler.importers.templates import Template, Variable, changed, cut, literal, merged, stripped, variables
from reconciler.importers.values import Object, Pointer, clean

MAX_TEXT: Final = 4 * 1024 * 1024
_HINT = "give a file of curl commands, - for standard input, or one command in quotation marks"
_UNVERIFIED: Final = "The command that was imported had --insecure (-k)."


class _Command(Struct):
    """What the options of one command say so far."""

    where: Pointer
    desk: Desk
    urls: list[tuple[Template, Pointer]] = field(default_factory=list)
    method: str = ""
    headers: list[ForeignEntry] = field(default_factory=list)
    query: list[ForeignEntry] = field(default_factory=list)
    data: list[Template] = field(default_factory=list)
    fields: list[FormEntry] = field(default_factory=list)
    media: str = ""
    flags: set[str] = field(default_factory=set)
    access: Access | None = None
    further: Object = field(default_factory=dict)


def convert(text: str, file: str, *, name: str | None = None, categories: Sequence[str]) -> Imported:
    """Connectors for the curl commands in `text`, one for each host.

    Raises:
        NotImportable: there is no such command, or none that a connector can send.
        UsageError: a name or category that cannot be used.
    """
    check_options(name, categories, None)
    if len(text) > MAX_TEXT:
        raise NotImportable(f"{file}: the text is larger than {MAX_TEXT >> 20} MiB", hint=_HINT)
    notes = Notebook(spell=lambda where: ":".join(map(str, where)))
    desk = Desk(notes, "")
    commands = [found for words in commands_of(text, file) for found in _read(words, desk)]
    if not commands:
        raise NotImportable(f"{file}:1:1: there is no curl command", hint=_HINT)
    requests = [request for command in commands for request in _requests(command)]
    documents: list[dict[str, Any]] = []
    for bundle in by_host(requests, name, desk):
        documents += connectors_of(bundle, categories, (1, 1))
    if not documents:
        raise none_usable(file, notes)
    return Imported(documents, notes.all(), PurePath(file).name[:MAX_KEY], "", "curl")


def _read(words: Sequence[Word], desk: Desk) -> Iterator[_Command]:
    """The commands of one line, each of those that --next divides."""
    start = next((index for index, word in enumerate(words) if _is_curl(word)), None)
    if start is None:
        return
    command = _Command((words[start].line, words[start].column), desk)
    rest = list(reversed(words[start + 1 :]))
    options_end = False
    while rest:
        word = rest.pop()
        shown = literal(word.value)
        where = (word.line, word.column)
        if options_end or shown[:1] != "-" or shown == "-":
            command.urls.append((word.value, where))
        elif shown == "--":
            options_end = True
        elif shown in ("--next", "-:"):
            yield command
            command = _Command(where, desk)
        else:
            for option, given in _options(word, rest):
                _apply(command, option, given, where)
    yield command


def _is_curl(word: Word) -> bool:
    return literal(word.value).rpartition("/")[2] in ("curl", "curl.exe")


def _options(word: Word, rest: list[Word]) -> Iterator[tuple[str, Template]]:
    """The options of one word, each with its value, which may be the next word."""
    shown = literal(word.value[:1])
    if shown.startswith("--"):
        name = shown[2:]
        long, given = cut(word.value, "=") if "=" in name else (word.value, None)
        name = literal(long)[2:]
        if name not in VALUES:
            yield name, ()
        elif given is not None:
            yield name, given
        else:
            yield name, rest.pop().value if rest else ()
        return
    for index, letter in enumerate(shown[1:], 1):
        name = SHORT.get(letter, letter)
        if name not in VALUES:
            yield name, ()
            continue
        after = merged((shown[index + 1 :], *word.value[1:]))
        yield name, after if after or not rest else rest.pop().value
        return


def _apply(command: _Command, option: str, given: Template, where: Pointer) -> None:
    if found := _OPTIONS.get(option):
        found(command, given, where)
    elif option in ("get", "insecure", "head"):
        command.flags.add(option)
    elif option.removeprefix("no-") not in SILENT and option not in SILENT:
        command.desk.say("option-skipped", where, f"--{clean(option)[:40]} has no place in a connector")


def _header(command: _Command, given: Template, where: Pointer) -> None:
    if literal(given[:1]).startswith("@"):
        command.desk.say("file-not-read", where, "headers from a file were left out")
        return
    name, value = cut(given, ":")
    if value is None or not stripped(value):
        return  # curl sends no header then
    if literal(name).strip().lower() == "content-type":
        command.media = literal(value).strip()
    command.headers.append(ForeignEntry(literal(name).strip(), stripped(value), where))


def _data(command: _Command, given: Template, where: Pointer) -> None:
    if literal(given[:1]).startswith("@"):
        command.desk.say("file-not-read", where, "no file is opened: what it holds has to be written into the body")
        command.data.append((Variable("body"),))
    else:
        command.data.append(given)


def _raw_data(command: _Command, given: Template, where: Pointer) -> None:
    command.data.append(given)


def _encoded(command: _Command, given: Template, where: Pointer) -> None:
    name, value = cut(given, "=")
    if "@" in literal(name if value is not None else given)[:255] and (value is None or "@" in literal(name)):
        command.desk.say("file-not-read", where, "no file is opened: what it holds has to be written into the body")
        command.data.append((literal(given).partition("@")[0] + "=", Variable("content")))
        return
    content = changed(given if value is None else value, quote_plus)
    command.data.append(merged((*name, "=", *content)) if value is not None and name else content)


def _json(command: _Command, given: Template, where: Pointer) -> None:
    _data(command, given, where)
    command.media = command.media or "application/json"


def _form(command: _Command, given: Template, where: Pointer) -> None:
    name, value = cut(given, "=")
    if literal((value or ())[:1])[:1] in ("@", "<"):
        command.desk.say(
            "file-upload", where, f"no file is opened or sent: {clean(literal(name))[:100]} is sent as text"
        )
        value = (Variable(literal(name) or "file"),)
    command.fields.append(FormEntry(literal(name), value or ()))


def _text_field(command: _Command, given: Template, where: Pointer) -> None:
    name, value = cut(given, "=")
    command.fields.append(FormEntry(literal(name), value or ()))


def _user(command: _Command, given: Template, where: Pointer) -> None:
    user, password = cut(given, ":")
    command.access = login(user, password or (), where)


def _token(command: _Command, given: Template, where: Pointer) -> None:
    command.access = bearer(given, where)


def _method(command: _Command, given: Template, where: Pointer) -> None:
    command.method = "?" if variables(given) else literal(given).upper()


def _url(command: _Command, given: Template, where: Pointer) -> None:
    command.urls.append((given, where))


def _query(command: _Command, given: Template, where: Pointer) -> None:
    command.query += [ForeignEntry(entry.name, entry.value, where) for entry in form_entries(given)]


def _cookie(command: _Command, given: Template, where: Pointer) -> None:
    command.desk.say("cookie-parameter", where, "cookies belong to a session and were left out")


def _upload(command: _Command, given: Template, where: Pointer) -> None:
    command.desk.say("file-not-read", where, "no file is opened: what it holds has to be written into the body")
    command.method = command.method or "PUT"


def _seconds(command: _Command, given: Template, where: Pointer) -> None:
    seconds = literal(given).partition(".")[0]
    if seconds.isdecimal() and 1 <= int(seconds[:5]) <= 3600:
        command.further["timeoutSeconds"] = int(seconds)


def _retry(command: _Command, given: Template, where: Pointer) -> None:
    attempts = literal(given)
    if attempts.isdecimal() and 1 <= int(attempts[:3]) <= 50:
        command.further["retry"] = {"attempts": int(attempts)}


def _as_header(name: str) -> "Callable[[_Command, Template, Pointer], None]":
    def add(command: _Command, given: Template, where: Pointer) -> None:
        command.headers.append(ForeignEntry(name, given, where))

    return add


_OPTIONS: "Final[dict[str, Callable[[_Command, Template, Pointer], None]]]" = {
    "request": _method,
    "header": _header,
    "data": _data,
    "data-ascii": _data,
    "data-binary": _data,
    "data-raw": _raw_data,
    "data-urlencode": _encoded,
    "json": _json,
    "form": _form,
    "form-string": _text_field,
    "user": _user,
    "oauth2-bearer": _token,
    "url": _url,
    "url-query": _query,
    "user-agent": _as_header("User-Agent"),
    "referer": _as_header("Referer"),
    "cookie": _cookie,
    "upload-file": _upload,
    "max-time": _seconds,
    "retry": _retry,
}


def _requests(command: _Command) -> Iterator[ForeignRequest]:
    if not command.urls:
        command.desk.notes.add("operation-skipped", command.where, "the command names no URL")
    content = merged(part for data in command.data for part in ("&", *data))
    content = changed(content[:1], lambda text: text[1:]) + content[1:] if content else ()
    query = list(command.query)
    if "get" in command.flags:
        query += [ForeignEntry(entry.name, entry.value, command.where) for entry in form_entries(content)]
        content = ()
    payload = _payload(command, content)
    for url, where in command.urls:
        address = dissect(url, where, command.desk)
        method = command.method or ("HEAD" if "head" in command.flags else "POST" if payload else "GET")
        yield ForeignRequest(
            "",
            method,
            address.url,
            command.where,
            (*address.query, *query),
            tuple(command.headers),
            payload,
            command.access or address.access,
            further=command.further,
            unverified=_UNVERIFIED if "insecure" in command.flags else "",
        )


def _payload(command: _Command, content: Template) -> Payload | None:
    if command.fields:
        return Payload("multipart", command.where, entries=tuple(command.fields))
    media = command.media
    if content and not media:
        looks_like_json = literal(content).lstrip()[:1] in ("{", "[")
        if looks_like_json:
            message = "curl would call this JSON a form, as no header says what it is; it is sent as JSON"
            command.desk.say("media-type-chosen", command.where, message)
        media = "" if looks_like_json else "application/x-www-form-urlencoded"
    return payload_of(content, media, command.where)
