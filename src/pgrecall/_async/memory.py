"""The client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import EllipsisType, TracebackType
from typing import Self, Unpack
from uuid import UUID

from pgrecall._async.context import AsyncContext
from pgrecall._async.embeddings import AsyncEmbeddings
from pgrecall._async.link import Address
from pgrecall._async.store import Store
from pgrecall._async.transfer import AsyncTransfer
from pgrecall._async.vectors import DEFAULT, EmbedderChoice
from pgrecall.domain.changes import Changes, changes
from pgrecall.domain.config import AgentConfig, ConfigChange, ConfigChanges, config_changes
from pgrecall.domain.draft import Content, DraftDefaults, drafts, is_single
from pgrecall.domain.erasure import Receipt
from pgrecall.domain.identity import identity
from pgrecall.domain.memory import Change, MemoryRecord, Page
from pgrecall.domain.numbers import count
from pgrecall.domain.remembered import Remembered
from pgrecall.domain.scope import Forgotten, Ids, memory_id, scope
from pgrecall.domain.statistics import Statistics, period
from pgrecall.domain.text import MAX_KEY_CHARACTERS, identifier
from pgrecall.domain.times import moment
from pgrecall.recall.question import RecallRequest, checked_kinds, question
from pgrecall.recall.result import Recall
from pgrecall.settings import Settings

MAX_PAGE = 1000


class AsyncMemory:
    """The memories of one agent in one organization.

    `dsn` falls back to DATABASE_URL, then to the embedded server, which is started with the first
    user and stopped with the last. `organization` is a UUID or a name. With `claims`, a verified
    token's payload, it acts as that person; without, as the agent's own member. `embedder` is an
    Embedder, the name of one, None for text search alone, or by default what PGRECALL_EMBEDDER
    says.

    All memories of a process share one pool of connections to a database, in each event loop; it
    is closed with the last of them. Threads may share a memory, and processes that are forked off
    make connections of their own.

    Nothing is opened before the first use, or `open`. Every method raises ClosedError after
    `close`, DatabaseUnavailableError, and SchemaMissingError before `pgrecall migrate`.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        organization: str | UUID = "default",
        agent_id: str = "default",
        claims: Mapping[str, object] | None = None,
        embedder: EmbedderChoice = DEFAULT,
        settings: Settings | None = None,
    ) -> None:
        settings = settings or Settings()
        who = identity(organization, agent_id, claims)
        self._store = Store(Address.of(dsn, settings), who, embedder, settings)

    def acting_as(
        self,
        *,
        organization: str | UUID | None = None,
        agent_id: str | None = None,
        claims: Mapping[str, object] | EllipsisType | None = ...,
    ) -> AsyncMemory:
        """Another caller over the same connections, such as for one request.

        What is not named is as here; `claims=None` is the agent's own member. Database, settings
        and embedder are the same. Nothing is connected for it, so it costs next to nothing; it is
        closed by itself, as this one is. Raises ClosedError, and InvalidInputError if another
        organization is named without the claims for it.
        """
        return self._of(self._store.acting_as(organization, agent_id, claims))

    @classmethod
    def _of(cls, store: Store) -> AsyncMemory:
        memory = cls.__new__(cls)
        memory._store = store
        return memory

    @property
    def database(self) -> str:
        """Which database is used, in words and without a password."""
        return str(self._store.address)

    @property
    def embeddings(self) -> AsyncEmbeddings:
        """The embedding models of the agent: their state, filling in another, switching to it."""
        return AsyncEmbeddings(self._store)

    @property
    def transfer(self) -> AsyncTransfer:
        """Export and import of memories."""
        return AsyncTransfer(self._store)

    async def open(self) -> Self:
        """Connect now instead of with the first use."""
        await self._store.open()
        return self

    async def close(self) -> None:
        """Leave the connections and the embedded server to the others; safe to repeat.

        With the last memory of this process the connections are closed.
        """
        await self._store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def remember(
        self,
        content: Content,
        *,
        user_id: str | None = None,
        context: str | None = None,
        kind: str | None = None,
        slot: str | None = None,
        metadata: Mapping[str, object] | None = None,
        importance: float | None = None,
        confidence: float | None = None,
        trust: str | None = None,
        visibility: str | None = None,
        occurred_at: datetime | str | None = None,
        valid_from: datetime | str | None = None,
        valid_to: datetime | str | None = None,
        expires_at: datetime | str | None = None,
        idempotency_key: str | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Remembered:
        """Store a text, a message `{"role", "content", "name"?, "created_at"?}` or a list of them.

        A list is written in one transaction and answered item by item; a single content that is
        rejected raises. A text is a `fact`, a message a `message`, unless `kind` says otherwise.
        Messages with a `context` are appended to it: of a list, that part is a duplicate with which
        the conversation ends already, so a history may be sent again. Any other text is a duplicate
        of the same one that can be recalled now.
        `importance` and `confidence` are from 0 to 1; times without a zone are UTC. A `slot` such
        as `user:maria/diet` has one value at a time: a new one supersedes the old one.
        `on_progress` hears how many of how many items are done, and at last, once they are
        committed, that all are.

        Raises InvalidInputError, LimitExceededError, PermissionDeniedError,
        EmbeddingMismatchError, NoOrganizationError.
        """
        defaults = DraftDefaults(
            agent_id=self._store.identity.agent_id,
            user_id=user_id,
            context=context,
            kind=kind,
            slot=slot,
            metadata=metadata,
            importance=importance,
            confidence=confidence,
            trust=trust,
            visibility=visibility,
            occurred_at=occurred_at,
            valid_from=valid_from,
            valid_to=valid_to,
            expires_at=expires_at,
            idempotency_key=idempotency_key,
        )
        answers = await self._store.remember(drafts(content, defaults), on_progress)
        if is_single(content) and answers.rejected:
            raise answers[0].error()
        return answers

    async def recall(
        self,
        query: str,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        context: str | None = None,
        kinds: Iterable[str] | None = None,
        metadata: Mapping[str, object] | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        as_of: datetime | str | None = None,
        limit: int | None = None,
        min_score: float = 0.0,
        neighbours: bool = True,
        explain: bool = False,
    ) -> Recall:
        """The up to `limit` (1 to 1000) memories that answer the query best, best first.

        Without a `limit`, as many as `config` says: 10 unless something else is set.
        A filter that is None filters nothing; `metadata` must be contained; `since` <= the time
        it occurred < `until`. `as_of` recalls what was valid then. Scores are from 0 to about 1
        and comparable within one recall.

        A message comes with who said it and the messages before and after it, which `as_prompt`
        shows where they help; `neighbours=False` leaves all that out, and saves a millisecond or
        two. `explain` also asks for the parts of each score, which `Recall.explain()` then has; it
        takes the database somewhat more than twice as long.

        Raises InvalidInputError, EmbeddingMismatchError, NoOrganizationError.
        """
        asked = RecallRequest(
            query=query,
            user_id=user_id,
            agent_id=agent_id,
            context=context,
            kinds=kinds,
            metadata=metadata,
            since=since,
            until=until,
            as_of=as_of,
            limit=limit,
            min_score=min_score,
        )
        return await self._store.recall(
            question(asked), is_in_context=bool(neighbours), is_explained=bool(explain)
        )

    async def get(self, memory: UUID | str) -> MemoryRecord:
        """The memory of an id, forgotten or not. Raises NotFoundError."""
        return await self._store.get(memory_id(memory))

    async def update(self, memory: UUID | str, **changed: Unpack[Changes]) -> MemoryRecord:
        """Correct fields of a memory; its earlier values stay in its history.

        Raises NotFoundError, PermissionDeniedError, ConflictError if another memory has the new
        text already, InvalidInputError.
        """
        return await self._store.update(memory_id(memory), changes(changed))

    async def forget(
        self,
        ids: Ids | None = None,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        context: str | None = None,
        dry_run: bool = False,
    ) -> Forgotten:
        """Take memories out of recall; `restore` brings them back. All that is named must apply.

        Raises InvalidScopeError if nothing is named.
        """
        named = scope(ids, user_id, agent_id, context)
        return await self._store.set_forgotten("forget_memories", named, dry_run)

    async def restore(
        self,
        ids: Ids | None = None,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        context: str | None = None,
        dry_run: bool = False,
    ) -> Forgotten:
        """Bring forgotten memories back into recall.

        A value of a slot comes back to its own stretch of time, before newer values. Raises
        InvalidScopeError if nothing is named, ConflictError if a text was remembered again.
        """
        named = scope(ids, user_id, agent_id, context)
        return await self._store.set_forgotten("restore_memories", named, dry_run)

    async def erase(
        self,
        ids: Ids | None = None,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        context: str | None = None,
        dry_run: bool = False,
    ) -> Receipt:
        """Delete memories, forgotten ones too, with all that holds a word of them, for good.

        All that is named must apply. Of what is named, that goes which the caller may change: as
        the agent, what it holds. A dry run counts exactly, and takes as long. Restores and
        imports leave out what was erased; it may be remembered again.

        Raises InvalidScopeError if nothing is named, PermissionDeniedError.
        """
        return await self._store.erase(scope(ids, user_id, agent_id, context), bool(dry_run))

    async def history(self, memory: UUID | str) -> list[Change]:
        """What happened to a memory, or to all values of its slot, oldest first.

        Raises NotFoundError.
        """
        return await self._store.history(memory_id(memory))

    def context(self, key: str, *, user_id: str | None = None) -> AsyncContext:
        """The conversation of that key, with that user; it need not exist yet."""
        return AsyncContext(self._store, key, user_id)

    async def configure(
        self, *, organization_default: bool = False, **changed: Unpack[ConfigChanges]
    ) -> AgentConfig:
        """Change settings of the agent, and return what holds after it; None removes a setting.

        With `organization_default`, those that hold for all agents which don't set them. The
        agent's own member may do the first, and while the organization has neither owner nor
        admin, the second; of people, owners and admins both. With an API key nobody may.

        Raises InvalidInputError, PermissionDeniedError, NoOrganizationError.
        """
        return await self._store.configure(
            self._configured(organization_default), config_changes(changed)
        )

    async def config(self, *, organization_default: bool = False) -> AgentConfig:
        """What holds for the agent, or for all agents that don't set it, and where it is from."""
        return await self._store.config(self._configured(organization_default))

    async def config_history(self, *, organization_default: bool = False) -> list[ConfigChange]:
        """Who changed the agent's settings, and those for all agents, oldest first.

        With `organization_default` the latter alone.
        """
        return await self._store.config_history(self._configured(organization_default))

    async def stats(
        self,
        *,
        agent_id: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        by: str = "day",
    ) -> Statistics:
        """What the agents of the organization did, by agent and `hour`, `day` or in `total`.

        Of one agent, or of all; `since` <= the beginning of an hour < `until`, without bounds of
        all times. This client's own counts are in it; other processes bring theirs within
        PGRECALL_STATS_INTERVAL. For every member; of an API key, if it may recall, else there is
        nothing. Raises InvalidInputError.
        """
        asked = {
            "agent_id": identifier("agent_id", agent_id),
            "since": moment("since", since),
            "until": moment("until", until),
            "by": period(by),
        }
        return await self._store.statistics(asked)

    def _configured(self, organization_default: bool) -> str | None:
        return None if organization_default else self._store.identity.agent_id

    # The last method, since its name hides the type `list` from those after it.
    async def list(
        self,
        *,
        user_id: str | None = None,
        context: str | None = None,
        kinds: Iterable[str] | None = None,
        limit: int = 50,
        after: str | None = None,
        include_forgotten: bool = False,
        include_superseded: bool = False,
    ) -> Page:
        """Up to `limit` (1 to 1000) memories, newest first; `after` is a page's `next_cursor`.

        Values of slots that have ended are left out, unless `include_superseded`.
        """
        filters = {
            "user_id": identifier("user_id", user_id),
            "context_key": identifier("context", context, MAX_KEY_CHARACTERS),
            "kinds": checked_kinds(kinds),
            "after": after and memory_id(after),
            "include_forgotten": bool(include_forgotten),
            "include_superseded": bool(include_superseded),
        }
        return await self._store.list_page(filters, count("limit", limit, MAX_PAGE))
