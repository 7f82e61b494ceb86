"""Chat logs in plain text: messages that begin with a time and a name, or with a name alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from typing import BinaryIO

from pgrecall.domain.text import MAX_CONTENT_CHARACTERS
from pgrecall.errors import InvalidInputError
from pgrecall.ops.transfer.chat_lines import (
    Date,
    DateOrder,
    Line,
    cleaned,
    date_order,
    dated_line,
    plain_line,
)
from pgrecall.ops.transfer.items import (
    Item,
    Malformed,
    Skipped,
    SourcePart,
    SourceParts,
    identified,
    role_fields,
)
from pgrecall.ops.transfer.json_lines import lines

# In so many lines a log that dates its messages dates one.
LOOKED_AT = 200
_STEP = timedelta(microseconds=1)
_ASSISTANTS = {"ai", "assistant", "bot", "chatbot", "chatgpt", "claude", "gemini", "gpt"}


@dataclass(frozen=True, slots=True)
class Chat:
    """What a log does not say itself.

    `began_at` is when a log without dates began; its messages follow each other at microseconds.
    `assistants` are names of speakers, in lower case, that are no people.
    """

    context: str
    began_at: datetime
    zone: tzinfo
    order: DateOrder | None = None
    assistants: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Message:
    """A message while its lines are read."""

    number: int
    start: Line
    length: int = 0
    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        # What is too long is refused anyway, and must not fill the memory.
        if self.length <= MAX_CONTENT_CHARACTERS:
            self.texts.append(text)
        self.length += len(text) + 1

    @property
    def text(self) -> str:
        return "\n".join(self.texts).rstrip()


def read_chat(stream: BinaryIO, chat: Chat) -> SourceParts:
    """The messages of a log; lines that begin none belong to the one before.

    Raises InvalidInputError if dates can be read both ways, or no line begins a message.
    """
    is_dated, chat = _looked_at(stream, chat)
    place, same, last = 0, 0, None
    for read in _messages(stream, dated_line if is_dated else plain_line):
        if isinstance(read, _Message):
            # Logs tell minutes, and messages of one minute have an order, too.
            same = same + 1 if read.start.date == last else 0
            place, last = place + 1, read.start.date
            yield _memory(read, place, same, chat)
        else:
            yield read


def _looked_at(stream: BinaryIO, chat: Chat) -> tuple[bool, Chat]:
    """Whether messages are dated, and the chat with the order of its dates."""
    begin = stream.tell()
    starts = 0
    is_dated = False
    for number, text in _texts(stream):
        is_dated = is_dated or (text is not None and dated_line(text) is not None)
        starts += text is not None and plain_line(text) is not None
        if is_dated or number >= LOOKED_AT:
            break
    stream.seek(begin)
    if not is_dated and not starts:
        raise InvalidInputError(
            "no line of the chat log begins a message",
            hint="Known: [time] name: text, time - name: text, time <name> text, name: text.",
        )
    if is_dated and chat.order is None:
        chat = replace(chat, order=date_order(_dates(stream)))
        stream.seek(begin)
    return is_dated, chat


def _dates(stream: BinaryIO) -> Iterator[Date]:
    for _, text in _texts(stream):
        found = None if text is None else dated_line(text)
        if found is not None and found.date is not None:
            yield found.date


def _texts(stream: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """The lines with their numbers; None for one that is no UTF-8, or endless."""
    for number, line in lines(stream):
        try:
            yield number, None if line is None else cleaned(line.decode())
        except UnicodeDecodeError:
            yield number, None


def _messages(
    stream: BinaryIO, begun: Callable[[str], Line | None]
) -> Iterator[_Message | Malformed]:
    message: _Message | None = None
    for number, text in _texts(stream):
        start = None if text is None else begun(text)
        if text is None:
            yield Malformed(f"line {number}", "no UTF-8, or more than 64 MiB")
        elif start is not None:
            if message is not None:
                yield message
            message = _Message(number, start)
            message.add(start.text)
        elif message is not None:
            message.add(text)
        elif text.strip():
            yield Malformed(f"line {number}", "no message begins here, or before")
    if message is not None:
        yield message


def _memory(message: _Message, place: int, same: int, chat: Chat) -> SourcePart:
    position, start = f"line {message.number}", message.start
    if start.name is None:
        return Skipped(position, "nobody said it")
    if message.length > MAX_CONTENT_CHARACTERS + 1:
        return Malformed(position, f"it has {message.length:,} characters, more than 1,000,000")
    if not message.text.strip():
        return Skipped(position, "it has no text")
    try:
        at = None if start.date is None else start.date.at(chat.order or "ymd", chat.zone)
        at = at and at + same * _STEP
    except (ValueError, OverflowError):
        return Malformed(position, "there is no such date")
    fields = role_fields(_role(start.name, chat))
    fields |= {
        "content": message.text,
        "speaker": start.name,
        "context_key": chat.context,
        "occurred_at": at or chat.began_at + place * _STEP,
    }
    said = sha256(f"{start.name}\n{message.text}".encode(errors="replace")).hexdigest()
    key = f"{chat.context}\n{place}\n{at and at.isoformat()}\n{said}"
    return Item(position, identified("chat", key, at, fields))


def _role(name: str, chat: Chat) -> str:
    name = name.lower()
    if name in chat.assistants or (not chat.assistants and name in _ASSISTANTS):
        return "assistant"
    return name if name in ("system", "tool") else "user"
