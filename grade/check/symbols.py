# SPDX-License-Identifier: MIT
"""What `extern` would smuggle past the layers: nm -u of every object.

A symbol belongs to the layer of the header that declares it; so a port's
function counts as low as its contract.  An object may need symbols of headers
that its source may include, of its own layer, and what layers.rules names.
Objects are those of the last build (build/ARCH/debug); `make check` builds.
"""

import re
import subprocess

from layers import Rules
from tree import Finding, blank_comments

# Made by the compiler or the linker script, not by anybody's source.
IMPLIED = re.compile(r'(__\w*(start|end|begin|size)|_?(end|etext|edata)|'
                     r'__stack_chk_\w+|_GLOBAL_OFFSET_TABLE_)$')


def nm(objects, flag):
    """{object: set of symbols}"""
    found, current = {}, None
    out = subprocess.run(['nm', flag, *map(str, objects)],
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        if line.endswith(':'):
            current = found.setdefault(line[:-1], set())
        elif line.split():
            if current is None:
                current = found.setdefault(str(objects[0]), set())
            current.add(line.split()[-1])
    return found


def declarations(tree, rules):
    """{symbol: set of layers whose headers declare it}"""
    where = {}
    for name in tree.files('.h', under='kern/'):
        layer = rules.layer(name[len('kern/'):])
        text = blank_comments(tree.text(name), strings=True)
        for word in set(re.findall(r'\b(\w+)\s*(?:\(|\[|;|,)', text)):
            where.setdefault(word, set()).add(layer)
    return where


def sources(tree, build):
    """{object: source} of one build folder."""
    found = {}
    for name in tree.files('.c', '.S', under='kern/'):
        path = build / (name[:name.rindex('.')] + '.o')
        if path.exists():
            found[str(path)] = name
    return found


def check_build(tree, rules, build):
    objects = sources(tree, build)
    if not objects:
        return
    where = declarations(tree, rules)
    defined = {}
    for path, names in nm(list(objects), '--defined-only').items():
        for name in names:
            defined.setdefault(name, set()).add(
                rules.layer(objects[path][len('kern/'):]))
    for path, needed in nm(list(objects), '--undefined-only').items():
        source = objects[path][len('kern/'):]
        me = rules.layer(source)
        if me is None or source.startswith(rules.hosted):
            continue
        for symbol in sorted(needed - rules.extern.get(source, set())):
            layers = where.get(symbol) or defined.get(symbol, set())
            layers = {x for x in layers if x}
            if IMPLIED.match(symbol) or me in defined.get(symbol, ()):
                continue
            if layers and not any(rules.sees(me, x) for x in layers):
                yield Finding(objects[path], 1, 'symbols',
                              f'{me} needs {symbol} of {min(layers)}')
            elif not layers:
                yield Finding(objects[path], 1, 'symbols',
                              f'nobody declares or defines {symbol}')


def check(tree):
    rules = Rules()
    for build in sorted(tree.root.glob('build/*/debug')):
        yield from check_build(tree, rules, build)
