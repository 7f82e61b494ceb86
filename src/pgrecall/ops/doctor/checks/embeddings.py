"""A memory without a vector is found by its words alone, and vectors of two models can't be
compared, so each agent has one model at a time. This check names agents whose memories lack vectors
of it, models that are being filled in and could be switched to, former ones that still keep their
vectors, vectors of a model that no agent has, and a `PGRECALL_EMBEDDER` that is another model than
the agents'. docs/embeddings.md tells how one moves from model to model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from uuid import UUID

from pgrecall.domain.diagnosis import Cure, Finding, Sign, Unseen, advice, command, sql
from pgrecall.embedding.choice import embedder_named
from pgrecall.embedding.local import LocalEmbedder
from pgrecall.embedding.multilingual import MultilingualEmbedder
from pgrecall.errors import PgRecallError
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_MUCH = 0.05
_EMBEDDERS = {LocalEmbedder.model: "local", MultilingualEmbedder.model: "multilingual"}
_SETTING = "PGRECALL_EMBEDDER"


@dataclass(frozen=True)
class AgentModel:
    """A model of an agent: `current`, `next`, `former` or `dropped`, for so many days. So many of
    the agent's memories have no vector of it."""

    organization_id: UUID
    organization: str
    agent_id: str
    model: str
    state: str
    days: float
    memories: int
    missing: int

    @property
    def subject(self) -> str:
        """It, in words."""
        return f"{self.model} of agent {self.agent_id} in {self.organization}"

    @property
    def options(self) -> str:
        """How a command names the agent."""
        return f"--organization {self.organization_id} --agent {quote(self.agent_id)}"


@dataclass(frozen=True)
class Vectors:
    """How many vectors of a model an organization has, and the statement that removes them."""

    organization_id: UUID
    model: str
    vectors: int
    removal: str


@dataclass(frozen=True)
class EmbeddingFacts:
    """`set_model` is the one that PGRECALL_EMBEDDER names, None where it names none."""

    models: Sequence[AgentModel] = ()
    vectors: Sequence[Vectors] = ()
    set_model: str | None = None
    set_embedder: str = ""
    former_days: float = 30.0
    is_visible: bool = True
    by_key: Mapping[tuple[UUID, str], int] = field(init=False)

    def __post_init__(self) -> None:
        counts = {(each.organization_id, each.model): each.vectors for each in self.vectors}
        object.__setattr__(self, "by_key", counts)


def read(database: CheckedDatabase) -> EmbeddingFacts:
    """Models and counts, of all organizations."""
    if not database.outlook.has_vector:
        return EmbeddingFacts()
    if not database.outlook.reads_memories:
        return EmbeddingFacts(is_visible=False)
    models = [AgentModel(**row) for row in database.rows("doctor_agent_models")]
    vectors = [Vectors(**row) for row in database.composed("doctor_compose_vector_counts")]
    embedder = database.surroundings.environment.get(_SETTING, "")
    days = database.surroundings.bounds.former_days
    return EmbeddingFacts(models, vectors, _model_of(embedder), embedder, days)


def judge(facts: EmbeddingFacts) -> Iterator[Sign]:
    """What is missing, what is stale, what is stray."""
    if not facts.is_visible:
        yield Unseen("which memories have vectors", "a role that reads all organizations' memories")
    for each in facts.models:
        yield from _judge(each, facts)
    known = {(each.organization_id, each.model) for each in facts.models}
    for stray in facts.vectors:
        if (stray.organization_id, stray.model) not in known:
            yield _stray(stray)


def _judge(each: AgentModel, facts: EmbeddingFacts) -> Iterator[Sign]:
    if each.state == "current":
        yield from _current(each, facts)
    elif each.state == "next" and each.missing == 0 and each.memories > 0:
        cure = command(f"pgrecall embeddings switch {quote(each.model)} {each.options}")
        yield Finding("notice", each.subject, "it is filled in, and not switched to", cure)
    elif each.state == "next" and each.days >= facts.former_days:
        evidence = f"it has been filled in for {each.days:.0f} days, and {each.missing:,} lack it"
        yield Finding("notice", each.subject, evidence, _backfill(each))
    elif each.state == "former" and each.days >= facts.former_days:
        count = facts.by_key.get((each.organization_id, each.model), 0)
        cure = command(f"pgrecall embeddings drop {quote(each.model)} {each.options} --yes")
        evidence = f"it was left {each.days:.0f} days ago, and keeps {count:,} vectors"
        yield Finding("notice", each.subject, evidence, cure)


def _current(each: AgentModel, facts: EmbeddingFacts) -> Iterator[Sign]:
    if each.missing:
        much = each.missing > _MUCH * each.memories
        evidence = f"{each.missing:,} of {each.memories:,} memories have no vector of it"
        yield Finding("warning" if much else "notice", each.subject, evidence, _backfill(each))
    if facts.set_model is not None and facts.set_model != each.model:
        fills = any(
            other.model == facts.set_model and other.state == "next" and other.missing == 0
            for other in facts.models
            if (other.organization_id, other.agent_id) == (each.organization_id, each.agent_id)
        )
        if not fills:
            named = f"--embedder {quote(facts.set_embedder)}"
            evidence = f"{_SETTING} names {facts.set_model}, whose vectors can't be compared"
            cure = command(f"pgrecall embeddings backfill {named} {each.options}")
            yield Finding("warning", each.subject, evidence, cure)


def _backfill(each: AgentModel) -> Cure:
    embedder = _EMBEDDERS.get(each.model)
    if embedder is None and each.model.startswith("text-embedding-"):
        embedder = f"openai:{each.model}"
    if embedder is None:
        return advice(f"pgrecall embeddings backfill {each.options}, with its embedder.")
    return command(f"pgrecall embeddings backfill --embedder {quote(embedder)} {each.options}")


def _stray(stray: Vectors) -> Finding:
    return Finding(
        "warning",
        f"{stray.model} in organization {stray.organization_id}",
        f"{stray.vectors:,} vectors of a model that no agent there has",
        sql(stray.removal),
    )


def _model_of(embedder: str) -> str | None:
    """The model that a setting names; None if it names none that can be had here."""
    try:
        found = embedder_named(embedder) if embedder.strip() else None
    except PgRecallError:
        return None
    return None if found is None else found.model


CHECK = Check("embeddings", "Embeddings", read, judge)
