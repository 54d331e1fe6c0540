# SPDX-License-Identifier: MIT
"""What the documents name exists: `path:symbol`, `path/file.c`, [links](x).

Paths are relative to the top, or to kern/ or user/ as the text goes.
"""

import os
import re

from tree import Finding

KIND = r'(?:c|h|S|py|mk|sh|toml|ld|md|rules|txt)'
CODE = re.compile(rf'`([\w./-]+/[\w.-]+\.{KIND}|[\w-]+\.{KIND}(?=:))'
                  r'(?::(\w+))?(?:\(\))?`')
LINK = re.compile(r'\]\(([^)#\s]+)(?:#[^)\s]*)?\)')


def locate(tree, name, path):
    for base in ('', 'kern/', 'user/', os.path.dirname(name) + '/'):
        full = os.path.normpath(base + path)
        if full in tree.names or (tree.root / full).is_dir():
            return full
    # a bare file name is enough when it is the only one of that name
    same = [n for n in tree.names if os.path.basename(n) == path]
    return same[0] if len(same) == 1 else None


def check(tree):
    for name in tree.files('.md'):
        for n, line in enumerate(tree.lines(name), 1):
            for path, symbol in CODE.findall(line):
                if path.startswith(('build/', '/')) or '*' in path:
                    continue
                full = locate(tree, name, path)
                if full is None:
                    yield Finding(name, n, 'references', f'no file {path}')
                elif symbol and not re.search(
                        rf'\b{symbol}\b', tree.text(full)):
                    yield Finding(name, n, 'references',
                                  f'no {symbol} in {full}')
            for path in LINK.findall(line):
                if '://' not in path and not path.startswith('mailto:') and \
                        locate(tree, name, path) is None:
                    yield Finding(name, n, 'references', f'no file {path}')
