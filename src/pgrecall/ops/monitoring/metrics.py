"""Which metrics there are: the one table, which the exposition and the documentation follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name without the suffix of its kind, and the column that it is read from.

    `group` is what is read at once: `operations`, `durations` and `pool` of the process, else a
    look at the database. `factor` brings the column into the unit of the name.
    """

    name: str
    kind: Kind
    help: str
    group: str
    column: str
    labels: tuple[str, ...] = ()
    factor: float = 1

    @property
    def exposed(self) -> str:
        """The name as Prometheus shows it; a histogram's has _bucket, _count and _sum behind it."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


_TABLE, _INDEX, _STATEMENT = ("table",), ("table", "index"), ("statement",)
_ORGANIZATION = ("organization",)

METRICS = (
    Metric("pgrecall_operations", "counter", "Operations of this process that ended, by outcome: ok or the code of an error.", "operations", "number", labels=("operation", "outcome")),
    Metric("pgrecall_operation_duration_seconds", "histogram", "How long operations of this process took.", "durations", "", labels=("operation",)),
    Metric("pgrecall_slow_recalls", "counter", "Recalls of this process that took longer than PGRECALL_SLOW_RECALL says.", "slow", "number"),
    Metric("pgrecall_pool_connections", "gauge", "Connections that this process holds.", "pool", "pool_size"),
    Metric("pgrecall_pool_connections_max", "gauge", "Connections that this process may hold.", "pool", "pool_max"),
    Metric("pgrecall_pool_connections_idle", "gauge", "Connections that wait to be used.", "pool", "pool_available"),
    Metric("pgrecall_pool_waiting", "gauge", "Operations that wait for a connection now.", "pool", "requests_waiting"),
    Metric("pgrecall_pool_requests", "counter", "Times that a connection was asked for.", "pool", "requests_num"),
    Metric("pgrecall_pool_requests_queued", "counter", "Times that none was free at once.", "pool", "requests_queued"),
    Metric("pgrecall_pool_wait_seconds", "counter", "Time waited for connections.", "pool", "requests_wait_ms", factor=0.001),
    Metric("pgrecall_pool_usage_seconds", "counter", "Time that connections were in use.", "pool", "usage_ms", factor=0.001),
    Metric("pgrecall_pool_request_errors", "counter", "Times that no connection was had in time.", "pool", "requests_errors"),
    Metric("pgrecall_pool_connection_errors", "counter", "Connections that could not be made.", "pool", "connections_errors"),
    Metric("pgrecall_database_up", "gauge", "1 if the database could be reached, else 0.", "up", "up"),
    Metric("pgrecall_scrape_success", "gauge", "1 if a look at the database succeeded; 0 for lack of rights, or of time.", "scrape", "success", labels=("look",)),
    Metric("pgrecall_database_size_bytes", "gauge", "Size of the database.", "database", "size_bytes"),
    Metric("pgrecall_database_commits", "counter", "Transactions that were committed.", "database", "xact_commit"),
    Metric("pgrecall_database_rollbacks", "counter", "Transactions that were rolled back.", "database", "xact_rollback"),
    Metric("pgrecall_database_blocks_hit", "counter", "Blocks found in the server's cache.", "database", "blks_hit"),
    Metric("pgrecall_database_blocks_read", "counter", "Blocks that the server had to read.", "database", "blks_read"),
    Metric("pgrecall_database_deadlocks", "counter", "Deadlocks.", "database", "deadlocks"),
    Metric("pgrecall_database_temporary_bytes", "counter", "Bytes written to temporary files.", "database", "temp_bytes"),
    Metric("pgrecall_database_connections_max", "gauge", "Connections that the server takes, of all databases.", "database", "max_connections"),
    Metric("pgrecall_database_is_replica", "gauge", "1 if it is a replica.", "database", "is_replica"),
    Metric("pgrecall_database_connections", "gauge", "Connections of all clients to the database, by state.", "connections", "connections", labels=("state",)),
    Metric("pgrecall_oldest_transaction_seconds", "gauge", "Age of the oldest transaction.", "activity", "oldest_transaction_seconds"),
    Metric("pgrecall_idle_in_transaction_seconds", "gauge", "How long a client has longest rested inside a transaction.", "activity", "idle_in_transaction_seconds"),
    Metric("pgrecall_waiting_for_locks", "gauge", "Clients that wait for a lock.", "activity", "waiting_for_locks"),
    Metric("pgrecall_table_size_bytes", "gauge", "Size of a table, without indexes and long values.", "tables", "size_bytes", labels=_TABLE),
    Metric("pgrecall_table_indexes_bytes", "gauge", "Size of all indexes of a table.", "tables", "indexes_bytes", labels=_TABLE),
    Metric("pgrecall_table_total_bytes", "gauge", "Size of a table with everything.", "tables", "total_bytes", labels=_TABLE),
    Metric("pgrecall_table_rows", "gauge", "Rows of a table, estimated: memories, contexts, embeddings and others.", "tables", "rows", labels=_TABLE),
    Metric("pgrecall_table_dead_rows", "gauge", "Rows that wait for VACUUM, estimated.", "tables", "dead_rows", labels=_TABLE),
    Metric("pgrecall_table_sequential_scans", "counter", "Times that a table was read as a whole.", "tables", "sequential_scans", labels=_TABLE),
    Metric("pgrecall_table_index_scans", "counter", "Times that a table was read by an index.", "tables", "index_scans", labels=_TABLE),
    Metric("pgrecall_table_frozen_age", "gauge", "Transactions since the oldest that is not frozen.", "tables", "frozen_age", labels=_TABLE),
    Metric("pgrecall_index_size_bytes", "gauge", "Size of an index.", "indexes", "size_bytes", labels=_INDEX),
    Metric("pgrecall_index_scans", "counter", "Times that an index was used.", "indexes", "scans", labels=_INDEX),
    Metric("pgrecall_index_is_valid", "gauge", "0 if an index is not used since its making failed.", "indexes", "is_valid", labels=_INDEX),
    Metric("pgrecall_replica_lag_bytes", "gauge", "Log that a replica has not replayed yet.", "replication", "lag_bytes", labels=("replica",)),
    Metric("pgrecall_backup_age_seconds", "gauge", "Age of the state that the newest good backup holds.", "backups", "backup_age_seconds", labels=("extent",)),
    Metric("pgrecall_backup_verification_age_seconds", "gauge", "Since a backup was last proven to restore.", "backups", "verification_age_seconds", labels=("extent",)),
    Metric("pgrecall_memories_added", "counter", "Memories added, of all processes, as counted in agent_memory_stats.", "counts", "added", labels=_ORGANIZATION),
    Metric("pgrecall_memories_duplicate", "counter", "Memories that were there already.", "counts", "duplicates", labels=_ORGANIZATION),
    Metric("pgrecall_memories_superseded", "counter", "Memories that ended an earlier value.", "counts", "superseded", labels=_ORGANIZATION),
    Metric("pgrecall_memories_updated", "counter", "Memories changed.", "counts", "updated", labels=_ORGANIZATION),
    Metric("pgrecall_memories_forgotten", "counter", "Memories forgotten.", "counts", "forgotten", labels=_ORGANIZATION),
    Metric("pgrecall_memories_erased", "counter", "Memories erased.", "counts", "erased", labels=_ORGANIZATION),
    Metric("pgrecall_recalls", "counter", "Recalls of all processes.", "counts", "recalls", labels=_ORGANIZATION),
    Metric("pgrecall_recalls_empty", "counter", "Recalls that found nothing.", "counts", "empty_recalls", labels=_ORGANIZATION),
    Metric("pgrecall_embedding_tokens", "counter", "Tokens embedded to be stored, estimated.", "counts", "embedding_tokens", labels=_ORGANIZATION),
    Metric("pgrecall_query_tokens", "counter", "Tokens embedded to be searched for, estimated.", "counts", "query_tokens", labels=_ORGANIZATION),
    Metric("pgrecall_recall_duration_seconds", "histogram", "How long recalls of all processes took; without a sum.", "latencies", "", labels=_ORGANIZATION),
    Metric("pgrecall_statement_calls", "counter", "Calls of a statement of pgrecall, by pg_stat_statements.", "statements", "calls", labels=_STATEMENT),
    Metric("pgrecall_statement_seconds", "counter", "Time that it took in the server.", "statements", "seconds", labels=_STATEMENT),
    Metric("pgrecall_statement_rows", "counter", "Rows that it answered.", "statements", "rows", labels=_STATEMENT),
    Metric("pgrecall_statement_blocks_hit", "counter", "Blocks that it found in the cache.", "statements", "blocks_hit", labels=_STATEMENT),
    Metric("pgrecall_statement_blocks_read", "counter", "Blocks that it read.", "statements", "blocks_read", labels=_STATEMENT),
)  # fmt: skip
