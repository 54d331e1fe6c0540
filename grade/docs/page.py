# SPDX-License-Identifier: MIT
"""Doxygen's view of a Markdown page, to standard output: the input filter.

usage: page.py FILE.md

Headings get the names that links to them use (as on the web: `#the-tlb`),
links become references that doxygen checks, and `path:symbol` becomes a link
that website.py resolves when doxygen has named its pages.
"""

import os
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'grade/check'))

from references import CODE, locate  # noqa: E402
from tree import Tree  # noqa: E402

LINK = re.compile(r'(?<!!)\[([^]]+)\]\(([^)\s]+)\)')
HEADING = re.compile(r'(#+) +(.*)')
FIGURE = re.compile(r'!\[([^]]*)\]\(([^)\s]+)\)')
CONTENTS = 'docs/contents.md'   # its links, in their order, are the tree
SHOWN = ('.c', '.h')            # files that have a page of their own


def page_id(name):
    if name == 'README.md':
        return 'index'
    stem = name.removeprefix('docs/').removesuffix('.md')
    return re.sub(r'[^A-Za-z0-9]+', '-', stem).lower()


def slug(heading):
    """As web front ends make it."""
    text = re.sub(r'[^\w\- ]', '', heading.replace('`', '').lower())
    return text.strip().replace(' ', '-')


def link(tree, name, text, target):
    """[text](target), as doxygen wants it."""
    if '://' in target:
        return f'[{text}]({target})'
    path, _, anchor = target.partition('#')
    full = locate(tree, name, path) if path else name
    if full and full.endswith('.md'):
        where = page_id(full) + (f'-{anchor}' if anchor else '')
        command = 'subpage' if name == CONTENTS and not anchor and \
            full != 'README.md' else 'ref'
        return f'@{command} {where} "{text.replace("`", "")}"'
    return f'<a href="src:{full}">{text}</a>'


def code(tree, name, m):
    """`path:symbol`, if it is one that the site shows."""
    path, symbol = m[1], m[2]
    full = locate(tree, name, path)
    if not full or not full.startswith(('kern/', 'user/lib/')) or \
            not full.endswith(SHOWN) or '/test/' in full or \
            full.startswith('kern/arch/host/'):
        return m[0]
    return f'<a href="src:{full}:{symbol or ""}">{m[0]}</a>'


def convert(tree, name):
    fenced, me = False, page_id(name)
    for n, line in enumerate(tree.lines(name)):
        if line.lstrip().startswith('```'):
            fenced = not fenced
        elif not fenced:
            heading = HEADING.fullmatch(line)
            if heading:
                where = me if n == 0 else f'{me}-{slug(heading[2])}'
                if where != 'index':        # doxygen's own name
                    line += f' {{#{where}}}'
            else:
                line = FIGURE.sub(lambda m: f'![{m[1]}]'
                                  f'({os.path.basename(m[2])})', line)
                line = LINK.sub(lambda m: link(tree, name, m[1], m[2]), line)
                line = CODE.sub(lambda m: code(tree, name, m), line)
        yield line


if __name__ == '__main__':
    page = os.path.relpath(sys.argv[1], TOP)
    sys.stdout.write('\n'.join(convert(Tree(), page)))
