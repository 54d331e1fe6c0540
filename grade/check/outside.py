# SPDX-License-Identifier: MIT
"""Nothing in the repository needs anything outside of it.

No path that leaves the tree, no folder of somebody's machine, no address of a
package index: what is needed comes from packages.txt.  Programs that run
inside Tern may name any path of Tern's own root.
"""

import os
import re

from tree import Finding

ABSOLUTE = re.compile(r'(?<![\w.$})/*-])/(?:work|root|home|tmp|Users)(?=/|\b)')
UP = re.compile(r'(?<![\w.])(?:\.\./)*\.\.(?:/|(?=["\'\s)]))[\w./-]*')
# Split with classes, so that this file does not find itself.
INDEX = re.compile(
    r'py[p]i\.|pythonhoste[d]|registr[y]\.|npm[j]s|crates\.i[o]\b|'
    r'index-ur[l]|artifactor[y]|proxy\.golan[g]|rubygem[s]|'
    r'(?:https?|ftp)://\S*(?:mirro[r]|snapsho[t]\.debian|deb\.debia[n])', re.I)
GUEST = ('user/', 'kern/')      # their strings are paths inside Tern


def guest_line(name, line):
    return name.startswith(GUEST) and name.endswith(('.c', '.h', '.S')) \
        and not re.match(r'\s*#\s*include', line)


def leaves(name, path):
    """Does a relative path leave the tree, seen from the file's folder?"""
    depth = os.path.dirname(name).count('/') + bool(os.path.dirname(name))
    for part in path.split('/'):
        depth += -1 if part == '..' else part not in ('', '.')
        if depth < 0:
            return True
    return False


def check(tree):
    for name in tree.names:
        if name == 'grade/check/outside.py':
            continue
        for n, line in enumerate(tree.lines(name), 1):
            if m := INDEX.search(line):
                yield Finding(name, n, 'outside', f'package index: {m[0]}')
            if guest_line(name, line) or name.endswith('.md'):
                continue
            if m := ABSOLUTE.search(line):
                yield Finding(name, n, 'outside', f'absolute path {m[0]}')
            for m in UP.finditer(line):
                if leaves(name, m[0]):
                    yield Finding(name, n, 'outside',
                                  f'{m[0]} leaves the repository')
