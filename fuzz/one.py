"""One target in a process of its own: `python -m fuzz.one NAME SECONDS FOLDER`.

With atheris, which sees the code that an input reaches, where it is installed; with Hypothesis,
which does not, otherwise.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import sys
import time
from pathlib import Path

#: Addresses of memory: what asks for more gets a MemoryError instead of all of the machine's.
_ADDRESSES = 8 << 30
#: Bytes of an input that atheris makes.
_LONGEST = 1 << 17
#: Bytes of a word that libFuzzer takes.
_LONGEST_WORD = 60


def main(name: str, seconds: str, folder: str) -> None:
    """Try inputs until the time is over; the counts are in ``folder`` then."""
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    logging.disable()
    try:
        import atheris
    except ImportError:
        _with_hypothesis(name, float(seconds), Path(folder))
    else:
        _with_atheris(atheris, name, float(seconds), Path(folder))


def _with_hypothesis(name: str, seconds: float, folder: Path) -> None:
    from hypothesis import HealthCheck, Phase, given, settings

    from fuzz.inputs import changed
    from fuzz.tally import Tally
    from fuzz.targets import TARGETS

    tally, seeds = Tally(TARGETS[name], folder), TARGETS[name].seeds()
    end = time.monotonic() + seconds
    for seed in seeds:
        tally.attempt(seed)

    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(changed(seeds))
    def some(data: bytes) -> None:
        if time.monotonic() < end:
            tally.attempt(data)

    while time.monotonic() < end:
        some()
    tally.save()


def _with_atheris(atheris: object, name: str, seconds: float, folder: Path) -> None:
    with atheris.instrument_imports(include=["sidecar"]):  # type: ignore[attr-defined]
        from fuzz.targets import TARGETS
    from fuzz.inputs import WORDS
    from fuzz.tally import Tally

    tally = Tally(TARGETS[name], folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    for n, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{n}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(map(_entry, filter(None, WORDS))))
    options = [
        f"-max_total_time={max(1, round(seconds))}", f"-max_len={_LONGEST}", f"-dict={words}",
        f"-artifact_prefix={folder}/", "-rss_limit_mb=0", "-timeout=300", "-verbosity=0",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], tally.attempt)  # type: ignore[attr-defined]
    with contextlib.suppress(SystemExit):
        atheris.Fuzz()  # type: ignore[attr-defined]
    tally.save()


def _entry(word: bytes) -> str:
    """A line of a dictionary of libFuzzer."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word[:_LONGEST_WORD]) + '"\n'


if __name__ == "__main__":
    main(*sys.argv[1:])
