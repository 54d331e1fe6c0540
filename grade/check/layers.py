# SPDX-License-Identifier: MIT
"""An #include may only point down the tree, or into its own folder.

Kernel includes are relative to kern/.  A user program sees its own headers
and <abi/...>, nothing else of the kernel.
"""

import os
import re

from tree import HERE, Finding

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


class Rules:
    """layers.rules, parsed."""

    def __init__(self, path=HERE / 'layers.rules'):
        self.ranks, self.std, self.hosted, self.extern = {}, set(), (), {}
        rank = 0
        for line in open(path):
            line = line.split('#')[0].strip()
            if line.startswith('std:'):
                self.std |= set(line[4:].split())
            elif line.startswith('hosted:'):
                self.hosted = tuple(line[7:].split())
            elif line.startswith('extern:'):
                where, _, names = line[7:].partition(':')
                self.extern.setdefault(where.strip(), set()).update(
                    names.split())
            elif line:
                self.ranks.update((p.strip(), rank) for p in line.split('|'))
                rank += 1

    def layer(self, name):
        """The prefix that a file, relative to kern/, belongs to, or None."""
        name = re.sub(r'^arch/[^/]+/machine/', 'machine/', name)
        return max((p for p in self.ranks if name.startswith(p)), key=len,
                   default=None)

    def sees(self, upper, lower):
        """May layer upper use layer lower?"""
        return upper == lower or self.ranks[upper] > self.ranks[lower]


def kernel_file(tree, rules, name):
    inside = name[len('kern/'):]
    me = rules.layer(inside)
    if me is None:
        yield Finding(name, 1, 'layers', 'in no layer of layers.rules')
        return
    folder = os.path.dirname(inside)
    for n, line in enumerate(tree.lines(name), 1):
        m = INCLUDE.match(line)
        if not m or m[2] in rules.std:
            continue
        target = m[2]
        if m[1] == '<' and inside.startswith(rules.hosted):
            continue
        if m[1] == '"' and f'kern/{folder}/{target}' in tree.names:
            target = os.path.normpath(f'{folder}/{target}')
        you = rules.layer(target)
        if you is None:
            yield Finding(name, n, 'layers',
                          f'{target}: in no layer, or not relative to kern/')
        elif not rules.sees(me, you):
            yield Finding(name, n, 'layers', f'{me} may not see {you}')


def user_file(tree, name):
    for n, line in enumerate(tree.lines(name), 1):
        m = INCLUDE.match(line)
        if not m:
            continue
        beside = os.path.normpath(f'{os.path.dirname(name)}/{m[2]}')
        if 'kern/' in m[2] or (f'kern/{m[2]}' in tree.names and
                               not m[2].startswith('abi/') and
                               beside not in tree.names):
            yield Finding(name, n, 'layers',
                          f'{m[2]}: programs see only <abi/...>')


def check(tree):
    rules = Rules()
    for name in tree.files('.c', '.h', '.S', under='kern/'):
        yield from kernel_file(tree, rules, name)
    for name in tree.files('.c', '.h', '.S', under='user/'):
        yield from user_file(tree, name)
