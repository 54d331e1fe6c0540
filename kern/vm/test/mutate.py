# SPDX-License-Identifier: MIT
"""Mechanical mutants: take one thing away, and see who notices.

usage: mutate.py [--kind KIND] [--sample N] [--seed S] [--jobs N] [--again]
                 [--list] [FILE ...]

A mutant deletes one flush or fence, one lock (each lock and unlock of it in one
function), one change of a reference count, one zeroing, or one check that
returns an error, in kern/vm with all designs.
The host tests of TOOLS run until one of them fails: killed.  What does not
compile is counted apart.

Verdicts are kept in build/mutate.jsonl, by the text of the function, so a run
that was stopped goes on where it was, and code that was changed is tried again.
Survivors that cannot be told from the original stand in mutate.txt with the
reason; the others are named, and make the run fail.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import random
import re
import shutil
import sys
import threading
import time

import mutants

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
BUILD = TOP / 'build' / 'host'
KNOWN = HERE / 'mutate.txt'
KEPT = TOP / 'build' / 'mutate.jsonl'
# Cheapest first; each design has its own random operations.
TOOLS = [('unit', []), ('conformance', ['-q']),
         ('litmus', ['-p', '-n', '20'])] + [
    ('fuzz', ['-1', '-t', '600', '-n', '40000', '-s', '1',
              '-d', design])
    for design in ('classic', 'mach', 'l4')]
LIMIT = 240 * mutants.SCALE

STATEMENTS = {
    'flush': r'(?:tlb_gather_(?:note|flush|table)|mmu_flush_\w+|mmu_sync_\w+'
             r'|pmap_user_fence|flush_(?:whole|local|everything)|mb)\(',
    'reference': r'(?:\w+_(?:hold|drop|unpin)|page_(?:hold|drop|unpin))\('
                 r'|(?:\S*->)?(?:refs|holds|wpins|count|nleaves|offset)'
                 r'(?:\+\+|--| [-+]= )'
                 r'|__atomic_(?:fetch_add|fetch_sub)\(&\S*(?:refs|holds|pins)',
    'zeroing': r'(?:page_zero|memset)\(',
}
CHECK = re.compile(r'(\t+)if \((.*)\)\n\t+return (?:-?E[A-Z]+|false|NULL|'
                   r'VM_WAIT)[^;]*;\n')
LOCK = re.compile(r'^\t+(?:\(void\))?spin_(?:un)?lock(?:_nested|_irq)?'
                  r'\(([^;]*)\);\n', re.M)


def functions(text):
    """(name, start, end) of the bodies, brace in column 0 to brace."""
    for m in re.finditer(r'^(?:\w[^\n;]*\n)?(\w+)\([^;{]*\)\n\{\n', text,
                         re.M):
        end = text.find('\n}\n', m.end())
        if end > 0:
            yield m[1], m.end(), end + 1


def in_function(name, body):
    """(kind, what, changed body) of every mutant of one function."""
    for kind, pattern in STATEMENTS.items():
        # One statement, over several lines if need be, that uses no result.
        statement = re.compile(
            rf'^(\t+)((?:\(void\))?(?:{pattern})[^;]*);[^\n]*\n', re.M)
        for m in statement.finditer(body):
            yield kind, ' '.join(m[2].split()), \
                body[:m.start()] + m[1] + ';\n' + body[m.end():]
    for m in CHECK.finditer(body):
        yield 'check', 'if (' + ' '.join(m[2].split()) + ')', \
            body[:m.start(2)] + '0 && (' + m[2] + ')' + body[m.end(2):]
    for lock in dict.fromkeys(LOCK.findall(body)):
        yield 'lock', lock, LOCK.sub(
            lambda m: '\t;\n' if m[1] == lock else m[0], body)


def sites(names):
    """Every mutant: dict with file, function, kind, what, text, key."""
    for path in sorted(TOP.glob('kern/vm/**/*.c')):
        name = str(path.relative_to(TOP))
        if '/test/' in name or names and not any(n in name for n in names):
            continue
        text = path.read_text()
        for function, start, end in functions(text):
            seen = {}
            body = text[start:end]
            for kind, what, changed in in_function(function, body):
                seen[what] = seen.get(what, 0) + 1
                again = f' #{seen[what]}' if seen[what] > 1 else ''
                key = hashlib.sha256(
                    f'{name}{kind}{what}{again}{body}'.encode()).hexdigest()
                yield {'file': name, 'function': function, 'kind': kind,
                       'what': what + again, 'key': key[:16],
                       'text': text[:start] + changed + text[end:]}


def label(m):
    return f"{m['file']}:{m['function']} {m['kind']} {m['what']}"


def equivalent():
    """{label: reason} from mutate.txt: a label, then the reason indented."""
    found, last = {}, None
    for line in KNOWN.read_text().split('\n'):
        if line.startswith('\t') and last:
            found[last] = (found[last] + ' ' + line.strip()).strip()
        elif line and not line.startswith('#'):
            last = line
            found[last] = ''
    return found


def build(work, mutant, tool, made):
    objects = [str(BUILD / 'asan' / 'kern/arch/host/os.o')]
    for source in mutants.environment('M_SOURCES') + \
            mutants.environment(f'M_PROG_{tool}'):
        clean = BUILD / 'asan' / (source[:-2] + '.o')
        objects.append(str(made if source == mutant['file'] else clean))
    return mutants.run(mutants.environment('M_CC') +
                       mutants.environment('M_SAN') +
                       ['-pthread', '-o', str(work / tool)] + objects,
                       TOP, 120 * mutants.SCALE)


def try_one(mutant):
    work = BUILD / 'mutate' / mutant['key']
    shutil.rmtree(work, ignore_errors=True)
    (work / 'build').mkdir(parents=True)
    source = work / pathlib.Path(mutant['file']).name
    made = work / 'mutant.o'
    source.write_text(mutant['text'])
    start = time.monotonic()
    code, _ = mutants.run(
        mutants.environment('M_CC') + mutants.environment('M_FLAGS') +
        ['-w', '-c', '-o', str(made), str(source)], TOP, 120 * mutants.SCALE)
    verdict = 'survived' if code == 0 else 'does not compile'
    for tool, arguments in TOOLS if code == 0 else []:
        if not (work / tool).exists():
            code, out = build(work, mutant, tool, made)
            if code != 0:
                raise RuntimeError(f'{label(mutant)} does not link: {out}')
        code, _ = mutants.run([str(work / tool)] + arguments, work, LIMIT)
        if code != 0:
            verdict = 'killed by ' + ' '.join([tool] + arguments[-1:] * (
                tool == 'fuzz'))
            break
    shutil.rmtree(work, ignore_errors=True)
    return {'key': mutant['key'], 'verdict': verdict,
            'seconds': round(time.monotonic() - start, 1)}


def baseline():
    """The unchanged kernel passes here and now, or no verdict counts."""
    for tool, arguments in TOOLS:
        code, out = mutants.run([str(BUILD / tool)] + arguments, TOP, LIMIT)
        if code != 0:
            sys.exit(f'{tool} fails on the unchanged kernel:\n{out[-2000:]}')


def kept():
    rows = {}
    if KEPT.exists():
        for line in KEPT.read_text().split('\n'):
            if line:
                row = json.loads(line)
                rows[row['key']] = row
    return rows


def summary(done, reasons):
    """The table; the labels that survived without a reason."""
    table, bad = {}, []
    for m, verdict in done:
        row = table.setdefault(m['kind'], {
            'kind': m['kind'], 'tried': 0, 'killed': 0, 'equivalent': 0,
            'survived': 0})
        if verdict == 'does not compile':
            continue
        row['tried'] += 1
        if verdict != 'survived':
            row['killed'] += 1
        elif label(m) in reasons:
            row['equivalent'] += 1
        else:
            row['survived'] += 1
            bad.append(label(m))
    return list(table.values()), bad


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument('--kind', choices=[*STATEMENTS, 'check', 'lock'])
    ask.add_argument('--sample', type=int)
    ask.add_argument('--seed', type=int, default=int(time.time()) // 86400)
    ask.add_argument('--jobs', type=int, default=2)
    ask.add_argument('--again', action='store_true')
    ask.add_argument('--list', action='store_true')
    ask.add_argument('files', nargs='*')
    args = ask.parse_args()
    every = [m for m in sites(args.files)
             if args.kind in (None, m['kind'])]
    if args.list:
        for m in every:
            print(label(m))
        print(f'{len(every)} mutants')
        return 0
    if args.sample is not None and args.sample < len(every):
        print(f'{args.sample} of {len(every)} mutants, seed {args.seed}')
        every = random.Random(args.seed).sample(every, args.sample)
    before = {} if args.again else kept()
    reasons, lock = equivalent(), threading.Lock()
    if any(m['key'] not in before for m in every):
        baseline()

    def verdict(m):
        row = before.get(m['key'])
        if row is None:
            row = try_one(m)
            with lock, open(KEPT, 'a') as out:
                out.write(json.dumps(row) + '\n')
            print(f"{row['verdict']:26} {row['seconds']:6.1f} s  "
                  f"{label(m)[:120]}", flush=True)
        return m, row['verdict']

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        done = list(pool.map(verdict, every))
    rows, bad = summary(done, reasons)
    for row in rows:
        print(f"{row['kind']:10} tried {row['tried']:4}, killed "
              f"{row['killed']:4}, equivalent {row['equivalent']:3}, "
              f"survived {row['survived']:3}")
    for text in bad:
        print(f'survived: {text}')
    tried = sum(r['tried'] for r in rows)
    killed = sum(r['killed'] for r in rows)
    same = sum(r['equivalent'] for r in rows)
    print(f'{killed} of {tried} mutants killed, {same} equivalent, '
          f'{len(bad)} survived')
    (TOP / 'build/mutate.json').write_text(json.dumps({
        'kind': 'mutate', 'passed': not bad, 'mutants': tried,
        'found': killed, 'equivalent': same, 'rows': rows,
        'failures': bad}, indent=1) + '\n')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
