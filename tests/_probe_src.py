import shutil, os, struct, random, json
from pathlib import Path
import pytest, pydicom
import numpy as np
from command_line import CommandLine, contents
from phantoms import Spec, write, SECRETS

SMALL = Spec(columns=20, rows=16, slices=5, markers=False, shuffled_names=False, junk=False, order="ascending")

@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    return CommandLine(tmp_path, monkeypatch, capsys)

@pytest.fixture(scope="module")
def original(tmp_path_factory):
    f = tmp_path_factory.mktemp("o"); return write(SMALL, f)

@pytest.fixture
def scan(original, tmp_path):
    return Path(shutil.copytree(original.folder, tmp_path/"scan"))

def test_trunc(scan, run):
    victim = scan/"image_0002.dcm"
    data = victim.read_bytes()
    res = {}
    for n in range(0, len(data), 1 if len(data)<4000 else 3):
        victim.write_bytes(data[:n])
        o = run("export", scan, run.folder/"out", "--dry-run")
        key = (o.code, (o.err or o.out).strip()[:130])
        res.setdefault(key, []).append(n)
    for k,v in res.items(): print(k, v[0], v[-1], len(v))
    print(len(data))
    assert 0

def test_flip(scan, run):
    victim = scan/"image_0002.dcm"
    data = victim.read_bytes()
    rng = random.Random(1)
    res = {}
    for n in range(600):
        b = bytearray(data)
        for _ in range(rng.choice([1,1,2,5])):
            b[rng.randrange(132, len(data)-640)] = rng.choice([0,255,rng.randrange(256)])
        victim.write_bytes(bytes(b))
        try:
            o = run("export", scan, run.folder/"out", "--overwrite", "--quiet", "--scale", "1")
            key = (o.code, o.err.strip()[:100])
        except BaseException as e:
            key = (type(e).__name__, str(e)[:300])
            if isinstance(e, KeyboardInterrupt): raise
        res.setdefault(key, []).append(n)
    for k,v in sorted(res.items(), key=lambda kv: str(kv[0][0])): print(k, len(v))
    assert 0
