# SPDX-License-Identifier: MIT
"""The files under check, and how a finding is written."""

import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
SELFTEST = 'grade/check/selftest/'


class Finding:
    """FILE:LINE: RULE: TEXT, which editors can jump to."""

    def __init__(self, path, line, rule, text):
        self.path, self.line, self.rule, self.text = path, line, rule, text

    def __str__(self):
        return f'{self.path}:{self.line}: {self.rule}: {self.text}'


class Tree:
    """Every source file below root: what git knows or would add."""

    def __init__(self, root=TOP):
        self.root = pathlib.Path(root)
        self._text = {}
        self.names = sorted(n for n in self._list()
                            if root != TOP or not n.startswith(SELFTEST))

    def _list(self):
        if (self.root / '.git').exists():
            out = subprocess.run(
                ['git', '-C', str(self.root), 'ls-files', '-co', '-z',
                 '--exclude-standard'], capture_output=True, text=True)
            if out.returncode == 0:
                return [n for n in out.stdout.split('\0')
                        if n and (self.root / n).is_file()]
        found = []
        for folder, dirs, files in os.walk(self.root):
            dirs[:] = [d for d in dirs
                       if d not in ('build', '.git', '__pycache__')]
            found += [os.path.relpath(os.path.join(folder, f), self.root)
                      for f in files]
        return found

    def files(self, *suffixes, under=''):
        """Names that end in a suffix and start with one of the prefixes."""
        return [n for n in self.names
                if n.endswith(suffixes) and n.startswith(under)]

    def text(self, name):
        if name not in self._text:
            data = (self.root / name).read_bytes()
            self._text[name] = '' if b'\0' in data else \
                data.decode('utf-8', 'replace')
        return self._text[name]

    def lines(self, name):
        return self.text(name).split('\n')


def blank_comments(text, strings=False):
    """C source with comments, and strings if asked, replaced by spaces, so
    that lines and columns keep their numbers."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                       r"|'(?:\\.|[^'\\\n])*'", re.S)

    def blank(m):
        if m[0][0] == '/' or strings:
            return re.sub(r'[^\n]', ' ', m[0])
        return m[0]
    return token.sub(blank, text)
