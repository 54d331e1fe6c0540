# SPDX-License-Identifier: MIT
"""Each rule of `make check` must report its bad files, and nothing else.

A file below grade/check/selftest/RULE/ says `want: RULE: REGEX` on the line
of the offence, or anywhere for rules that name no line.
"""

import importlib
import pathlib
import re
import shutil
import subprocess

import pytest

import format as check_format
import run
import sizes
from tree import TOP, Tree

SELFTEST = TOP / 'grade/check/selftest'
WANT = re.compile(r'want( next)?: (\w+): (.*?)(?: \*/|\)?$)', re.M)
BY_LINE = ('format', 'layers', 'references')


def wanted(tree, rule):
    for name in tree.names:
        for n, line in enumerate(tree.lines(name), 1):
            for nxt, r, text in WANT.findall(line):
                assert r == rule
                yield name, n + bool(nxt), text


def findings(rule, root):
    return list(importlib.import_module(rule).check(Tree(root)))


def compile_tree(root):
    """Objects where symbols.py looks for them."""
    for source in root.glob('kern/**/*.c'):
        out = root / 'build/riscv/debug' / source.relative_to(root)
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(['riscv64-linux-gnu-gcc', '-ffreestanding', '-fno-pic',
                        f'-I{root}/kern', '-c', '-o',
                        str(out.with_suffix('.o')), str(source)], check=True)


@pytest.mark.parametrize('rule', run.RULES)
def test_rule(rule, tmp_path):
    if rule == 'format' and check_format.version() != check_format.VERSION:
        pytest.skip(f'layout needs clang-format {check_format.VERSION}')
    root = tmp_path / rule
    shutil.copytree(SELFTEST / rule, root)
    want = list(wanted(Tree(root), rule))
    assert want
    if rule == 'symbols':
        compile_tree(root)
    left = findings(rule, root)
    for name, line, text in want:
        hits = [f for f in left if f.path == name and f.rule == rule and
                re.search(text, f.text) and
                (rule not in BY_LINE or f.line == line)]
        assert hits, f'{name}:{line}: not reported: {text}'
        left = [f for f in left if f not in hits]
    assert not left, [str(f) for f in left]


def test_long_file_and_ratchet(tmp_path, monkeypatch):
    (tmp_path / 'kern').mkdir()
    (tmp_path / 'kern/x.c').write_text(
        '/* SPDX-License-Identifier: MIT */\n' + '\n' * 805)

    def said():
        return [f.text for f in sizes.check(Tree(tmp_path))]
    assert said() == ['806 lines, at most 800']
    monkeypatch.setattr(sizes, 'ratchet', lambda: {'kern/x.c': 806})
    assert said() == []
    monkeypatch.setattr(sizes, 'ratchet', lambda: {'kern/x.c': 805})
    assert said() == ['806 lines, at most 805']
    monkeypatch.setattr(sizes, 'ratchet', lambda: {'kern/x.c': 900})
    assert said() == ['806 lines: lower it in ratchet.txt']


def test_selftest_files_are_not_part_of_the_tree():
    assert not [n for n in Tree().names if 'check/selftest' in n]


def test_every_rule_has_a_bad_file():
    there = {p.name for p in pathlib.Path(SELFTEST).iterdir()}
    assert there == set(run.RULES)


@pytest.mark.parametrize('rule', run.RULES)
def test_an_empty_tree_is_sound(rule, tmp_path):
    assert findings(rule, tmp_path) == []
