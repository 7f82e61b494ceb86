"""The steps that `startup` times, in a process of their own: python startup_steps.py HOME.

It imports nothing of the benchmarks, and nothing else before the clock runs.
"""

import time

_BEGAN = time.perf_counter()

STEPS = (
    "import",
    "client made",
    "first connection, no embedder",
    "first connection, embedder not yet loaded",
    "first write, which loads the embedder",
    "first recall",
    "second recall",
)


def main(home: str) -> None:
    """Prints milliseconds and megabytes of each step as JSON."""
    import pgrecall

    clock = _Clock(_BEGAN)
    clock.lap()
    from pathlib import Path

    settings = pgrecall.Settings(home=Path(home), database_url=None)
    memory = pgrecall.Memory(settings=settings)
    clock.lap()
    pgrecall.Memory(settings=settings, embedder=None).list(limit=1)
    clock.lap()
    memory.list(limit=1)
    clock.lap()
    memory.remember("I'm vegetarian and allergic to nuts.", user_id="maria")
    clock.lap()
    memory.recall("what can I cook for her?", user_id="maria")
    clock.lap()
    memory.recall("does she eat meat?", user_id="maria")
    clock.lap()
    clock.print()
    memory.close()


class _Clock:
    def __init__(self, began: float) -> None:
        self._last = began
        self._taken: list[tuple[float, float]] = []

    def lap(self) -> None:
        milliseconds = 1000 * (time.perf_counter() - self._last)
        self._taken.append((milliseconds, _megabytes()))
        self._last = time.perf_counter()

    def print(self) -> None:
        import json
        import sys

        taken = [dict(zip(("milliseconds", "megabytes"), lap, strict=True)) for lap in self._taken]
        sys.stdout.write(json.dumps(dict(zip(STEPS, taken, strict=True))))


def _megabytes() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss / 2**20)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
