# SPDX-License-Identifier: MIT
"""Kernel normal form: clang-format's opinion, where it matters.

Alignment inside a line (tabs before a field's name, columns of a table) and
the indentation of continuation lines are the author's; line breaks, blanks
around operators, indentation of statements and the return type on its own
line are not.  Line length, trailing blanks and the final newline are hard for
every text file of ours.  Releases of clang-format differ in small things, so
only VERSION's opinion fails the check; others are skipped with a note.

usage: format.py [--fix] [FILE...]
"""

import concurrent.futures
import difflib
import re
import shutil
import subprocess
import sys
import tempfile

from tree import TOP, Finding, Tree, blank_comments

VERSION = 14
COLUMNS = 80
CODE = ('.c', '.h')
TEXT = ('.c', '.h', '.S', '.py', '.sh', '.mk', '.md', '.ld')
FOREACH = re.compile(r'#\s*define\s+(\w*(?:FOREACH|for_each|foreach)\w*)\(')
notes = []


def version():
    if not shutil.which('clang-format'):
        return 0
    out = subprocess.run(['clang-format', '--version'], capture_output=True,
                         text=True).stdout
    return int(re.search(r'version (\d+)', out)[1])


def style_file(tree):
    """.clang-format with every for-each macro of the tree."""
    names = {m for n in tree.files(*CODE)
             for m in FOREACH.findall(tree.text(n))}
    base = (TOP / '.clang-format').read_text()
    m = re.search(r'ForEachMacros: \[(.*)\]', base)
    names |= set(m[1].split(', '))
    style = tempfile.NamedTemporaryFile('w', suffix='.clang-format')
    style.write(base.replace(
        m[0], 'ForEachMacros: [' + ', '.join(sorted(names)) + ']'))
    style.flush()
    return style


def columns(line):
    return len(line.expandtabs(8))


def squeeze(line):
    """A line without its alignment, and without the blank that clang-format
    misplaces after what it takes for a cast: (m)&MASK."""
    line = re.sub(r'\s+', ' ', line.strip().replace('/*', ' /*'))
    return re.sub(r'\)\s*([-&*+])\s*', r')\1', line)


def in_macro(lines, n):
    """Is line n part of a #define?"""
    while n > 0 and lines[n - 1].endswith('\\'):
        n -= 1
    return bool(re.match(r'\s*#\s*define', lines[n]))


def tolerable(ours, theirs):
    """Only line breaks differ, inside one expression, list or comment."""
    def tight(lines):
        return re.sub(r'(?<=[({\[]) | (?=[)}\]:])|(?<=:) ', '',
                      squeeze(' '.join(squeeze(x) for x in lines)))
    text = tight(ours)
    if text != tight(theirs):
        return False
    code = blank_comments(' '.join(ours), strings=True).strip()
    if re.match(r'(if|else|for|while|do|switch|case|})\b.*;', code):
        return False            # a statement behind its condition
    if ';' in code[:-1] or len(theirs) > 1 and re.match(r'\w+\(', theirs[1]):
        return False            # two statements; a return type in one line
    return not re.search(r'[{}]', code) or bool(
        re.search(r'^(typedef )?enum\b|= \(?.*{|^{.*},?$|^\.\w|, *$', code))


def starts_statement(code, n):
    """Does line n (from 0) start a statement, or continue the one before?"""
    if code[n].lstrip().startswith('#'):
        return False
    for line in reversed(code[:n]):
        line = line.strip()
        if line and line[0] != '#':
            return line.endswith((';', '{', '}')) or \
                bool(re.match(r'.*\b(case .*|default|else|do):?$', line))
    return True


def statements(lines):
    """Lines in groups, each to its last semicolon."""
    groups = [[]]
    for line in lines:
        groups[-1].append(line)
        if line.rstrip().endswith(';'):
            groups.append([])
    return [g for g in groups if g]


def forgiven(ours, theirs):
    """Is every statement of the two regions the same, but for breaks?"""
    mine, want = statements(ours), statements(theirs)
    return len(mine) == len(want) and all(map(tolerable, mine, want))


def compare(ours, theirs):
    """[(first line, number of lines, text)] that differ in substance."""
    code = blank_comments('\n'.join(ours), strings=True).split('\n')
    found = []
    match = difflib.SequenceMatcher(None, [squeeze(x) for x in ours],
                                    [squeeze(x) for x in theirs], False)
    for op, a, b, c, d in match.get_opcodes():
        if op == 'equal':
            for i in range(b - a):
                mine, want = ours[a + i], theirs[c + i]
                indent = len(mine) - len(mine.lstrip())
                if mine[:indent] != want[:len(want) - len(want.lstrip())] \
                        and code[a + i].strip() \
                        and not in_macro(ours, a + i) \
                        and starts_statement(code, a + i):
                    found.append((a + i, 1, f'indentation: {want.strip()}'))
        elif op == 'insert' and not ''.join(theirs[c:d]).strip():
            continue
        elif not forgiven(ours[a:b], theirs[c:d]) and \
                not all(in_macro(ours, i) for i in range(a, max(b, a + 1))):
            want = ' \\n '.join(squeeze(x) for x in theirs[c:d]) or 'nothing'
            found.append((a, max(b - a, 1), f'expected: {want[:120]}'))
    return found


def clang_format(tree, style, name):
    done = subprocess.run(
        ['clang-format', f'--style=file:{style.name}',
         f'--assume-filename={name}'],
        input=tree.text(name), capture_output=True, text=True)
    if done.returncode:
        return [(0, 1, done.stderr.strip())]
    return compare(tree.lines(name), done.stdout.split('\n'))


def plain(tree, name):
    """The rules that need no tool."""
    text = tree.text(name)
    if text and not text.endswith('\n'):
        yield Finding(name, text.count('\n') + 1, 'format', 'no final newline')
    for n, line in enumerate(text.split('\n'), 1):
        if line != line.rstrip() and not name.endswith('.md'):
            yield Finding(name, n, 'format', 'trailing blanks')
        if name.endswith(('.c', '.h', '.S')):
            if columns(line) > COLUMNS:
                yield Finding(name, n, 'format',
                              f'{columns(line)} columns, at most {COLUMNS}')
            if re.match(r' {8}', line):
                yield Finding(name, n, 'format', 'blanks for a tab')


def differences(tree):
    names = tree.files(*CODE)
    if not names:
        return {}
    with style_file(tree) as style, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda n: clang_format(tree, style, n), names)
        return dict(zip(names, found))


def check(tree):
    for name in tree.files(*TEXT):
        yield from plain(tree, name)
    have = version()
    if have != VERSION:
        notes.append(f'format: layout is judged by clang-format {VERSION}; '
                     f'this is {have or "not installed"}, so it was skipped')
        return
    for name, found in differences(tree).items():
        for line, _, text in found:
            yield Finding(name, line + 1, 'format', text)


def fix(tree, only):
    """Let clang-format rewrite exactly the lines that check() reports."""
    with style_file(tree) as style:
        for name, found in differences(tree).items():
            if found and (not only or name in only):
                lines = [f'--lines={a + 1}:{a + n}' for a, n, _ in found]
                subprocess.run(['clang-format', '-i', *lines,
                                f'--style=file:{style.name}',
                                str(tree.root / name)], check=True)
                print(f'{name}: {len(found)} places')


if __name__ == '__main__':
    if '--fix' in sys.argv:
        fix(Tree(), [a for a in sys.argv[1:] if a != '--fix'])
    else:
        findings = [f for f in check(Tree())
                    if not sys.argv[1:] or f.path in sys.argv[1:]]
        print(*notes, *findings, sep='\n')
        sys.exit(bool(findings))
