"""Run the tasks of an export in threads of this process, or on the workers of a Dask cluster.

Both have the interface of concurrent.futures, so one loop serves both. Threads are enough on one
machine: numpy, deflate, the decoders of imagecodecs and file reads let other threads run.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    InvalidStateError,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from sidecar.errors import MissingExtraError, UsageError, WorkersLostError
from sidecar.exporting.images.make_png import Rendered, Task
from sidecar.faults import ENDINGS
from sidecar.parallel import AHEAD, available_processors

if TYPE_CHECKING:
    from logging import LogRecord

    from distributed import Client

#: Bytes that the tasks of one future process. For each future, the loop takes the interpreter lock
#: from the workers.
BATCH_BYTES = 1 << 23
#: How often a task is tried when its workers are lost.
TRIES = 4
#: Seconds to wait for an answer of a Dask scheduler, before the work begins and during the work.
SCHEDULER_TIMEOUT, ANSWER = 15, 5
#: Workers beyond one for each processor: while one waits for the disk, the others go on.
_WAITING = 1
#: Seconds between two checks whether workers are still there and whether all work must end.
LOOK = 1.0
#: Seconds that a cluster may be without workers by default.
CLUSTER_WAIT = 300.0


def patience_of(cluster_wait: float | None, scheduler: str | None) -> float:
    """Seconds that a cluster may be without workers.

    UsageError for an invalid number, and for a number without a cluster.
    """
    if cluster_wait is None:
        return CLUSTER_WAIT
    if scheduler is None or not 0 < cluster_wait < float("inf"):
        raise UsageError(
            f"--cluster-wait {cluster_wait:g}: give a number of seconds above 0, together with"
            " --scheduler"
        )
    return cluster_wait


#: The results of a batch of tasks, and the error that ended it, if any.
_Done = tuple[list[Rendered], Exception | None]


@dataclass(frozen=True)
class Workers:
    """An executor, the number of tasks it works on at a time, and the errors that mean that a
    worker was lost, not that the work failed.

    ``are_there``: whether the cluster has workers now. ``patience``: for how many seconds it may
    have none. ``stopped``: set by a caller to end all work.
    """

    executor: Executor
    count: int
    lost: tuple[type[BaseException], ...] = ()
    are_there: Callable[[], bool] = lambda: True
    patience: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Raise KeyboardInterrupt if all work must end."""
        if self.stopped.is_set():
            raise KeyboardInterrupt

    def results(
        self,
        work: Callable[[Task], Rendered],
        tasks: Iterable[Task],
        note: Callable[[Rendered], object] = lambda _: None,
    ) -> Generator[Rendered]:
        """Yield the results of ``work`` as they arrive. The number of submitted tasks is bounded.

        The first failure, or Ctrl-C, cancels the tasks that have not begun. When this ends, no
        thread works any more; the tasks of a cluster cannot be stopped.

        ``note`` is called with every result, also with results that arrive while this ends.

        A task whose worker was lost goes to another worker, up to `TRIES` times. Raises
        WorkersLostError if there is no worker for `patience` seconds; a worker may take any time
        for a task. Raises KeyboardInterrupt once `stopped` is set.
        """
        pending: dict[Future[_Done], tuple[list[Task], int]] = {}
        waiting = deque[tuple[list[Task], int]]()
        fresh = _batches(tasks, AHEAD * self.count)
        try:
            with _endings_wait() as end_if_asked:
                while True:
                    while len(pending) < AHEAD * self.count and (
                        given := waiting.popleft() if waiting else _first_try(fresh)
                    ):
                        pending[self.executor.submit(_each, work, given[0])] = given
                    if not pending:
                        return
                    for future in self._done_of(pending, end_if_asked):
                        batch, tries = pending.pop(future)
                        try:
                            done, error = future.result()
                        except self.lost:
                            if tries == TRIES:
                                raise
                            waiting.append((batch, tries + 1))
                        else:
                            for result in done:
                                note(result)
                            yield from done
                            if error is not None:
                                raise error
        finally:
            running = [future for future in pending if not future.cancel()]
            if not self.lost:
                wait(running)
            for future in running:
                if future.done() and future.exception() is None:
                    for result in future.result()[0]:
                        note(result)

    def _done_of(
        self, pending: Collection[Future[_Done]], end_if_asked: Callable[[], None]
    ) -> set[Future[_Done]]:
        """The futures that are done: at least one."""
        seen = time.monotonic()
        while True:
            end_if_asked()
            self.go_on()
            done = wait(pending, LOOK, FIRST_COMPLETED).done
            if done:
                return done
            if self.are_there():
                seen = time.monotonic()
            elif time.monotonic() - seen > self.patience:
                raise WorkersLostError(
                    f"the cluster had no worker for {self.patience:g} s (--cluster-wait)"
                )


@contextlib.contextmanager
def _endings_wait() -> Iterator[Callable[[], None]]:
    """Let signals that end the program wait until the function that this gives is called.

    Otherwise they raise KeyboardInterrupt anywhere, also within a lock that the main thread shares
    with the workers. The lock could stay closed, and the program would hang instead of end.
    """
    asked: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    known = {ending: signal.getsignal(ending) for ending in ENDINGS if is_main}
    handlers = {ending: handler for ending, handler in known.items() if callable(handler)}

    def end_if_asked() -> None:
        if asked:
            ending = asked.pop()
            handlers[ending](ending, None)

    for ending in handlers:
        signal.signal(ending, lambda number, _: asked.append(number))
    try:
        yield end_if_asked
    finally:
        for ending, handler in handlers.items():
            signal.signal(ending, handler)
        end_if_asked()  # also where an error ends the work: several jobs would go on


def _batches(tasks: Iterable[Task], singly: int) -> Iterator[list[Task]]:
    """Batches of consecutive tasks of about `BATCH_BYTES` each.

    Each of the first ``singly`` tasks is a batch of its own, so that a few tasks keep all workers
    busy.
    """
    fresh = iter(tasks)
    yield from ([task] for task in islice(fresh, singly))
    batch: list[Task] = []
    for task in fresh:
        batch.append(task)
        if sum(task.effort for task in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _first_try(batches: Iterator[list[Task]]) -> tuple[list[Task], int] | None:
    batch = next(batches, None)
    return None if batch is None else (batch, 1)


def _each(work: Callable[[Task], Rendered], batch: list[Task]) -> _Done:
    done = []
    for task in batch:
        try:
            done.append(work(task))
        except Exception as error:  # noqa: BLE001 - returned with the results before it
            return done, error
    return done, None


@contextlib.contextmanager
def local_workers(jobs: int | None) -> Iterator[Workers]:
    """Threads of this process. ``jobs``: how many; None for one more than there are processors."""
    count = jobs or available_processors() + _WAITING
    with ThreadPoolExecutor(count, thread_name_prefix="sidecar") as executor:
        yield Workers(executor, count)


@contextlib.contextmanager
def dask_workers(address: str, patience: float = CLUSTER_WAIT) -> Iterator[Workers]:
    """The workers of the Dask cluster whose scheduler answers at ``address``, such as
    ``tcp://node1:8786``.

    The workers must see source and output under the same paths, and have this package installed. A
    task whose worker is lost goes to another worker. Raises MissingExtraError without the package
    distributed, UsageError where no scheduler answers or it has no workers, and WorkersLostError
    where the cluster has had no worker or no scheduler for ``patience`` seconds.
    """
    try:
        from distributed import Client, KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError
    except ImportError:
        raise MissingExtraError("--scheduler", "dask") from None
    lost = (KilledWorker, FutureCancelledError, CommClosedError, CancelledError)
    try:
        client = Client(address, timeout=SCHEDULER_TIMEOUT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError):
        raise UsageError(f"--scheduler {address}: no Dask scheduler answers there") from None
    with _quiet_about_cancelled_work(), client:
        count = sum(client.nthreads().values())  # type: ignore[no-untyped-call]
        if not count:
            raise UsageError(
                f"--scheduler {address}: it has no workers; start some with: dask worker {address}"
            )
        try:
            executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]
            yield Workers(executor, count, lost, lambda: _has_workers(client), patience)
        except lost as error:
            raise WorkersLostError(
                f"--scheduler {address}: workers were lost again and again ({type(error).__name__})"
            ) from None


@contextlib.contextmanager
def _quiet_about_cancelled_work() -> Iterator[None]:
    """Do not log results that are late or missing for work that was cancelled. After Ctrl-C, dask
    would print warnings and tracebacks of these. Lost workers are noticed by `Workers`.
    """
    from logging import getLogger  # loaded by dask anyway

    def is_wanted(record: LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        is_late = isinstance(error, InvalidStateError | CancelledError)
        return not is_late and not str(record.msg).startswith("Couldn't gather")

    loggers = [getLogger(name) for name in ("tornado.application", "distributed.client")]
    for logger in loggers:
        logger.addFilter(is_wanted)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_wanted)


def _has_workers(client: Client) -> bool:
    """Whether the scheduler answers and has workers."""
    try:
        found = client.sync(client.scheduler.ncores, callback_timeout=ANSWER)  # type: ignore[no-untyped-call, union-attr]
    except (OSError, RuntimeError, ValueError, AttributeError):  # AttributeError: it was closed
        return False
    return bool(found)
