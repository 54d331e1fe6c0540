# SPDX-License-Identifier: MIT
"""What the documents name exists: `path:symbol`, `path/file.c`, [links](x).

Paths are relative to the top, or to kern/ or user/ as the text goes.

A model (.pml) names the functions that perform its steps: `= path:function`
in the comment above or inside an inline or a proctype.  They must exist, and a
table of the section of docs/models.md that names the model must have the same
steps with the same functions.
"""

import os
import re

from tree import Finding

KIND = r'(?:c|h|S|py|mk|sh|toml|ld|md|rules|txt|pml)'
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


STEP = re.compile(r'= ([\w./-]+\.[chS]):(\w+)')
MODELS = 'docs/models.md'


def model_steps(lines):
    """{step: (line, [(path, function)])} of a model."""
    steps, above, inside = {}, [], None
    for n, line in enumerate(lines, 1):
        named = STEP.findall(line)
        start = re.match(r'(?:inline|proctype) (\w+)', line)
        if start:
            inside = start[1]
            if above:
                steps[inside] = (n, above)
            above = []
        elif line.startswith('}'):
            inside = None
        elif inside is None:
            above = above + named
        elif named:
            steps.setdefault(inside, (n, []))[1].extend(named)
    return steps


def table_rows(lines):
    """{model: {step: (line, [(path, function)])}} of docs/models.md."""
    models, rows = {}, {}
    for n, line in enumerate(lines, 1):
        if line.startswith('## '):
            model = re.search(r'`([\w./-]+\.pml)`', line)
            rows = models.setdefault(model[1], {}) if model else {}
        row = re.match(r'\| `(\w+)` \| (.*) \|$', line)
        if row:
            rows[row[1]] = (n, [m for m in CODE.findall(row[2]) if m[1]])
    return models


def check_model(tree, name, rows):
    steps = model_steps(tree.lines(name))
    for step, (n, named) in steps.items():
        for path, function in named:
            if path not in tree.names or not re.search(
                    rf'\b{function}\(', tree.text(path)):
                yield Finding(name, n, 'references',
                              f'no function {function} in {path}')
        if step not in rows:
            yield Finding(name, n, 'references',
                          f'{MODELS} has no row for step {step}')
        elif sorted(rows[step][1]) != sorted(named):
            yield Finding(MODELS, rows[step][0], 'references',
                          f'{name} has other functions for {step}')
    for step, (n, _) in rows.items():
        if step not in steps:
            yield Finding(MODELS, n, 'references', f'{name} has no {step}')


def check(tree):
    models = table_rows(tree.lines(MODELS)) if MODELS in tree.names else {}
    for name in tree.files('.pml'):
        yield from check_model(tree, name, models.get(name, {}))
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
