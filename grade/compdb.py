# SPDX-License-Identifier: MIT
"""Turn `make -nB V=1` on standard input into compile_commands.json."""

import json
import re
import shlex
import sys

from qemu import TOP


def entries(text):
    for line in text.replace('\\\n', ' ').splitlines():
        if not re.match(r'\s*\S*(gcc|clang)\s', line) or ' -c ' not in line:
            continue
        words = shlex.split(line)
        for word in words:
            if word.endswith(('.c', '.S')):
                yield {'directory': str(TOP), 'file': word,
                       'arguments': words}


def main():
    found = list(entries(sys.stdin.read()))
    (TOP / 'compile_commands.json').write_text(
        json.dumps(found, indent=1) + '\n')
    print(f'compile_commands.json: {len(found)} files')
    return 0 if found else 1


if __name__ == '__main__':
    sys.exit(main())
