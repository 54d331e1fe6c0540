# SPDX-License-Identifier: MIT
"""Everything can be read in one sitting.

Functions: 70 lines.  Source files: 800.  Kernel headers: 200 lines of code.
Header comment of a file: 15 lines, after the SPDX line that must be first.
ratchet.txt lists exceptions as `PATH[:FUNCTION] LINES`; they may only shrink.
"""

import re

from tree import HERE, Finding, blank_comments

FUNCTION, SOURCE, HEADER, INTRO = 70, 800, 200, 15
SPDX = 'SPDX-License-Identifier: MIT'


def functions(text):
    """(name, line, number of lines) of each function of C source in KNF:
    a brace in column 0 after a line that is not an initialiser."""
    lines = blank_comments(text, strings=True).split('\n')
    start = name = None
    for n, line in enumerate(lines):
        if line.startswith('{'):
            head = ' '.join(lines[max(0, n - 8):n])
            names = re.findall(r'\b(\w+)\s*\(', head.split('}')[-1])
            start, name = n, names[0] if names else '?'
            for back in range(n - 1, max(-1, n - 9), -1):
                m = re.match(r'(\w+)\(', lines[back])
                if m:
                    name = m[1]
                    break
        elif line.startswith('}') and start is not None:
            yield name, start + 1, n - start + 1
            start = None


def code_lines(text):
    return sum(bool(x.strip()) for x in blank_comments(text).split('\n'))


def measure(tree):
    """(path, line, key, value, limit, what)"""
    for name in tree.files('.c', '.h', '.S', under='kern/') + \
            tree.files('.c', '.h', '.S', under='user/'):
        text = tree.text(name)
        for function, line, size in functions(text):
            yield (name, line, f'{name}:{function}', size, FUNCTION,
                   f'{function}() has {size} lines')
        if name.endswith('.h'):
            size, limit = code_lines(text), HEADER
        else:
            size, limit = text.count('\n'), SOURCE
        yield name, 1, name, size, limit, f'{size} lines'


def ratchet(path=HERE / 'ratchet.txt'):
    allowed = {}
    for line in open(path):
        line = line.split('#')[0].split()
        if line:
            allowed[line[0]] = int(line[1])
    return allowed


def intro(tree):
    """The first comment of every source file."""
    for name in tree.files('.c', '.h', '.S', '.ld') + \
            tree.files('.py', '.sh', '.mk', 'Makefile'):
        lines = tree.lines(name)
        if not any(SPDX in line for line in lines[:2]):
            yield Finding(name, 1, 'sizes', f'no `{SPDX}` in line 1')
        m = re.match(r'(?:/\*.*?\*/\n)?/\*(.*?)\*/', tree.text(name), re.S)
        if m and m[1].count('\n') + 1 > INTRO + 2:
            yield Finding(name, 2, 'sizes',
                          f'header comment longer than {INTRO} lines')


def check(tree):
    allowed = ratchet()
    for name, line, key, size, limit, what in measure(tree):
        if key in allowed:
            if size < allowed[key] or size <= limit:
                yield Finding(name, line, 'sizes',
                              f'{what}: lower it in ratchet.txt')
            limit = allowed[key]
        if size > limit:
            yield Finding(name, line, 'sizes', f'{what}, at most {limit}')
    yield from intro(tree)
