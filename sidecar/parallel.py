"""Work on as many threads as there are processors, with results in order and a bounded number of
tasks at a time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Tasks submitted ahead, per worker: enough to keep the workers busy, few enough to bound memory.
AHEAD = 3


def available_processors() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Results of ``work`` in the order of ``items``, on as many threads as there are processors.
    The number of tasks at a time is bounded.
    """
    count = available_processors()
    pending = deque[Future[R]]()
    with ThreadPoolExecutor(count, thread_name_prefix="sidecar") as executor:
        try:
            for item in items:
                if len(pending) == AHEAD * count:
                    yield pending.popleft().result()
                pending.append(executor.submit(work, item))
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
