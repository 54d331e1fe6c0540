# SPDX-License-Identifier: MIT
"""make check: every rule over the whole tree, in under a minute.

usage: run.py [RULE...]      rules: format layers symbols headers sizes
                                    references outside
"""

import importlib
import json
import sys
import time

from tree import TOP, Tree

RULES = ['format', 'layers', 'symbols', 'headers', 'sizes', 'references',
         'outside']


def main():
    tree, total, counts = Tree(), 0, {}
    for name in sys.argv[1:] or RULES:
        rule, start = importlib.import_module(name), time.monotonic()
        found = list(rule.check(tree))
        for finding in found:
            print(finding)
        for note in getattr(rule, 'notes', ()):
            print(note)
        print(f'check {name:11} {len(found):4} findings '
              f'{time.monotonic() - start:6.1f} s')
        counts[name] = len(found)
        total += len(found)
    if not sys.argv[1:]:
        (TOP / 'build').mkdir(exist_ok=True)
        (TOP / 'build/check.json').write_text(json.dumps(
            {'kind': 'check', 'files': len(tree.names), 'findings': counts}))
    return 1 if total else 0


if __name__ == '__main__':
    sys.exit(main())
