# SPDX-License-Identifier: MIT
"""The figures of docs/l4.md, from the golden trees that the unit tests prove.

A figure stands between `<!-- tree: NAME -->` and `<!-- end -->`; NAME is a case
of kern/vm/test/unit_mapdb.c.

usage: figures.py [--check]      rewrite the page, or say whether it is current
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
PAGE = TOP / 'docs/l4.md'
STRING = r'((?:\s*"[^"]*")+)'


def text(strings):
    return ''.join(re.findall(r'"([^"]*)"', strings)).replace('\\n', '\n')


def goldens():
    """{name: (operations, trees)}"""
    source = (TOP / 'kern/vm/test/unit_mapdb.c').read_text()
    return {name: (text(ops), text(trees)) for name, ops, trees in
            re.findall(r'\{ "([^"]+)",' + STRING + ',' + STRING + r' \}',
                       source)}


def draw(trees):
    """Indented lines with branches before them."""
    rows = [(len(line) - len(line.lstrip()), line.strip())
            for line in trees.splitlines()]
    out = []
    for i, (depth, what) in enumerate(rows):
        prefix = ''
        for level in range(1, depth + 1):
            rest = [d for d, _ in rows[i + 1:]]
            end = next((k for k, d in enumerate(rest) if d < level),
                       len(rest))
            more = level in rest[:end]
            prefix += ('|-- ' if more else '`-- ') if level == depth else \
                ('|   ' if more else '    ')
        out.append(prefix + what)
    return '\n'.join(out)


def figure(name, known):
    ops, trees = known[name]
    return f'<!-- tree: {name} -->\n```\n{ops}\n{draw(trees)}\n```\n<!-- end -->'


def main():
    known, page = goldens(), PAGE.read_text()
    new = re.sub(r'<!-- tree: (.*?) -->.*?<!-- end -->',
                 lambda m: figure(m[1], known), page, flags=re.S)
    if '--check' in sys.argv:
        return int(new != page)
    PAGE.write_text(new)
    return 0


if __name__ == '__main__':
    sys.exit(main())
