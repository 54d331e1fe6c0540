# SPDX-License-Identifier: MIT
"""Strict parser of the KTAP that a run writes on its results channel.

The plan must come first and be kept exactly: tests are numbered 1..N in
order, nothing follows `# run complete`, and any other line is a breach of
protocol.  A lenient parser would let a broken or hostile kernel pass.
Subtests are indented by two spaces and end in their parent's result line.

usage: ktap.py [FILE]        prints the verdict on a saved results file
"""

import dataclasses
import re
import sys

VERSION = re.compile(r'KTAP version 1$')
PLAN = re.compile(r'1\.\.(\d+)(?: # SKIP ?(.*))?$')
POINT = re.compile(r'(ok|not ok) (\d+)(?: -)?(?: ([^#]*?))?'
                   r'(?: # (SKIP|TODO)\b ?(.*))?$')
BENCH = re.compile(r'bench (\w+) (\d+) (\d+) (\d+) (\d+) (\d+)$')
COMPLETE = '# run complete'
PANIC = '# panic:'
# What only the results channel may carry; on a console it is a forgery.
LOOKS_LIKE = re.compile(r'\s*(KTAP version \d|1\.\.\d+\s*$|(not )?ok \d+\b)')


@dataclasses.dataclass
class Point:
    """One result line.  name is parent.child for a subtest."""
    name: str
    ok: bool
    skip: bool = False
    reason: str = ''
    notes: list = dataclasses.field(default_factory=list)
    depth: int = 0
    leaf: bool = True           # has no subtests


@dataclasses.dataclass
class Record:
    """All that one results channel said, and how it broke the protocol."""
    points: list = dataclasses.field(default_factory=list)
    bench: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)
    breaches: list = dataclasses.field(default_factory=list)
    missing: list = dataclasses.field(default_factory=list)
    started: bool = False
    complete: bool = False
    panic: str = ''

    @property
    def failed(self):
        return [p for p in self.points if not p.ok]

    @property
    def skipped(self):
        return [p for p in self.points if p.skip]

    def counts(self):
        top = [p for p in self.points if p.depth == 0]
        bad = sum(not p.ok for p in top)
        skip = sum(p.skip for p in top)
        return {'total': len(top), 'fail': bad, 'skip': skip,
                'pass': len(top) - bad - skip,
                'checks': sum(p.leaf and not p.skip for p in self.points)}


class _Level:
    def __init__(self):
        self.plan = None
        self.seen = 0
        self.points = []
        self.notes = []
        self.bad = False


class Parser:
    """Feed it lines; close() ends it, the first time, and gives the Record."""

    def __init__(self):
        self.rec = Record()
        self.stack = [_Level()]
        self.closed = False

    def feed(self, line):
        rec = self.rec
        line = line.rstrip('\r\n')
        if not line.strip():
            return
        if rec.complete:
            if line.lstrip().startswith(PANIC):
                rec.panic = rec.panic or line.strip()[len(PANIC):].strip()
            self._breach('after the end of the run', line)
            return
        if line == COMPLETE:
            rec.complete = True
            return
        text = line.lstrip(' ')
        if text.startswith('#'):
            self._comment(text)
        elif BENCH.match(text):
            m = BENCH.match(text)
            rec.bench.append((m[1],) + tuple(int(m[i]) for i in range(2, 7)))
        else:
            self._structure(line, text)

    def _comment(self, text):
        if text.startswith(PANIC):
            self.rec.panic = self.rec.panic or text[len(PANIC):].strip()
        self.rec.notes.append(text)
        self.stack[-1].notes.append(text[1:].strip())

    def _structure(self, line, text):
        indent = len(line) - len(text)
        depth, odd = divmod(indent, 2)
        if odd or depth > len(self.stack):
            self._breach('odd indentation', line)
            return
        self.rec.started = True
        if VERSION.match(text):
            if depth == len(self.stack):
                self.stack.append(_Level())
            elif depth != len(self.stack) - 1 or self.stack[-1].plan \
                    is not None:
                self._breach('second version line', line)
            return
        if depth == len(self.stack):
            self.stack.append(_Level())
        while depth < len(self.stack) - 2:
            self._breach('a subtest has no parent line', line)
            self.stack.pop()
        if PLAN.match(text):
            self._plan(line, depth, PLAN.match(text))
        elif POINT.match(text):
            self._point(line, depth, POINT.match(text))
        else:
            self._breach('not KTAP', line)

    def _plan(self, line, depth, m):
        level = self.stack[-1]
        if depth != len(self.stack) - 1 or level.plan is not None:
            self._breach('second plan', line)
        elif level.seen:
            self._breach('plan after results', line)
        else:
            level.plan = int(m[1])

    def _point(self, line, depth, m):
        children = None
        if depth == len(self.stack) - 2:
            children = self.stack.pop()
        level = self.stack[-1]
        level.seen += 1
        name = (m[3] or '').strip() or f'test{m[2]}'
        if level.plan is None:
            self._breach('result before the plan', line)
        elif level.seen > level.plan:
            self._breach(f'more than the {level.plan} planned', line)
        elif int(m[2]) != level.seen:
            self._breach(f'number {m[2]} where {level.seen} is due', line)
        point = Point(name, m[1] == 'ok' or m[4] == 'TODO', m[4] == 'SKIP',
                      (m[5] or '').strip(), level.notes, depth)
        level.notes = []
        level.points.append(point)
        if children is not None:
            self._adopt(point, children, line)

    def _adopt(self, parent, level, line):
        """Hang the finished subtests under the line that closes them."""
        if level.plan is None or level.seen < level.plan:
            self._breach(f'{level.seen} of {level.plan} subtests', line)
        own = [p for p in level.points if p.depth == parent.depth + 1]
        parent.leaf = False
        if own and all(p.skip for p in own):
            parent.skip, parent.reason = True, own[0].reason
        if parent.ok and not parent.skip and any(not p.ok for p in own):
            self._breach('ok, but a subtest failed', line)
        for p in level.points:
            p.name = f'{parent.name}.{p.name}'
        parent.notes += level.notes
        self.stack[-1].points += level.points

    def _breach(self, why, line):
        if len(self.rec.breaches) < 20:
            self.rec.breaches.append(f'{why}: {line.strip()[:100]!r}')

    def close(self):
        rec, top = self.rec, self.stack[0]
        if self.closed:
            return rec
        self.closed = True
        for level in self.stack[1:]:
            rec.missing.append(f'subtests cut off after {level.seen} of '
                               f'{level.plan}')
            top.points += level.points
        rec.points = top.points
        if top.plan is None:
            if rec.started or not (rec.complete and rec.bench):
                rec.missing.append('no plan')
        elif top.plan == 0:
            rec.missing.append('an empty plan proves nothing')
        elif top.seen < top.plan:
            rec.missing.append(f'{top.seen} of {top.plan} planned results')
        if not rec.complete:
            rec.missing.append(f'no {COMPLETE!r}')
        return rec


def parse(text):
    """Parse a whole results file."""
    parser = Parser()
    for line in text.split('\n'):
        parser.feed(line)
    return parser.close()


def main():
    source = open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin
    rec = parse(source.read())
    for p in rec.points:
        mark = 'skip' if p.skip else 'ok' if p.ok else 'FAIL'
        print(f'{mark:5} {p.name}', f'({p.reason})' if p.reason else '')
    for why in rec.breaches + rec.missing:
        print(f'breach: {why}')
    bad = rec.failed or rec.breaches or rec.missing or rec.panic
    print(rec.counts(), 'FAIL' if bad else 'pass')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
