# SPDX-License-Identifier: MIT
"""Run the tests against kernels with a planted bug; each must be found.

usage: mutants.py litmus | planted [--tool TOOL] [NAME ...]

A mutant is a patch in mutants/ (must fail its litmus test) or planted/ (must be
found by the tool that it names).  Its first lines say what it is:

    Test: c1                       the litmus test that must fail, or
    Tool: fuzz | conformance | unit | hypothesis | cover  what must find it
    Args: ...                      further arguments of that program
    Why: one sentence

It is applied to a copy of kern/ in build/host/mutants/NAME; a patch that does
not apply is an error.  --tool measures another tool with the planted bugs: what
it does not find is no failure then.  `cover` is libFuzzer's.  The Makefile passes compiler, flags and object
lists in the environment.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
BUILD = TOP / 'build' / 'host'
# A busy machine stretches what has to end, not how long a fuzzer runs.
SCALE = float(os.environ.get('TERN_TIMESCALE', 1))
LIMIT = {'litmus': 120, 'fuzz': 60, 'conformance': 60, 'unit': 60,
         'hypothesis': 90, 'cover': 90}
# The program of a tool, and the flavour of its objects, if not its own.
PROGRAM = {'hypothesis': 'fuzz', 'cover': 'fuzz-cover'}
FLAVOUR = {'cover': '_COVER'}


def environment(name):
    return os.environ[name].split()


def header(patch):
    """The 'Key: value' lines before the first hunk."""
    fields = {}
    for line in patch.read_text().splitlines():
        if line.startswith('--- '):
            break
        key, _, value = line.partition(':')
        fields[key.strip()] = value.strip()
    return fields


def run(command, cwd, seconds):
    """(exit code or None after the limit, output)."""
    try:
        done = subprocess.run(command, cwd=cwd, timeout=seconds,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors='replace')
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as stopped:
        out = stopped.stdout or b''
        return None, out.decode(errors='replace')


def copy_and_patch(patch, work):
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(TOP / 'kern', work / 'kern')
    (work / 'build').mkdir()
    code, out = run(['patch', '-p1', '-s', '-i', str(patch)], work, 30)
    if code != 0:
        raise RuntimeError(f'{patch.name} does not apply: {out.strip()}')
    return [line[6:].split()[0] for line in patch.read_text().splitlines()
            if line.startswith('+++ b/')]


def build(work, changed, tool):
    """Compile what changed, link it with the objects of the clean kernel."""
    program = PROGRAM.get(tool, tool)
    flavour = FLAVOUR.get(tool, '')
    folder = BUILD / ('cover' if flavour else 'asan')
    compiler = environment('M_CC' + flavour)
    sources = environment('M_SOURCES') + environment(
        f'M_PROG_{tool if flavour else program}')
    headers = any(name.endswith('.h') for name in changed)
    objects = [str(folder / 'kern/arch/host/os.o')]
    for source in sources:
        clean = folder / (source[:-2] + '.o')
        if source not in changed and not headers:
            objects.append(str(clean))
            continue
        made = work / (source.replace('/', '_')[:-2] + '.o')
        code, out = run(compiler + environment('M_FLAGS' + flavour) +
                        ['-c', '-o', str(made), source], work, 120)
        if code != 0:
            raise RuntimeError(f'{source} does not compile: {out}')
        objects.append(str(made))
    code, out = run(compiler + environment('M_SAN' + flavour) +
                    ['-pthread', '-o', str(work / program)] + objects, work,
                    120)
    if code != 0:
        raise RuntimeError(f'does not link: {out}')


def command(work, tool, fields):
    program = [str(work / PROGRAM.get(tool, tool))]
    extra = fields.get('Args', '').split()
    if tool == 'hypothesis':
        return [sys.executable, str(HERE / 'hypo.py'), '--program',
                program[0], '--examples', '1500'] + extra
    if tool == 'cover':
        return program + [f'-max_total_time={LIMIT[tool]}', '-seed=1',
                          '-max_len=3208', '-timeout=90', '-rss_limit_mb=0',
                          '-len_control=0', '-detect_leaks=0']
    if tool == 'litmus':
        return program + ['-t', fields['Test'], '-n', '300'] + extra
    if tool == 'fuzz':
        return program + ['-1', '-t', str(LIMIT[tool]), '-s', '1'] + extra
    return program + (['-q'] if tool == 'conformance' else []) + extra


def evidence(tool, out):
    """What was found, in one line, and after how many operations."""
    ops = re.search(r'finding after (\d+) operations: (.*)', out)
    if ops:
        return ops.group(2), int(ops.group(1))
    failed = re.search(r'^not ok (\d+) .*\n# .*?: ((?:panic|exit|signal|no end).*)', out, re.M)
    if failed:
        return failed.group(2), int(failed.group(1))
    return 'no verdict in the output', 0


def designs(fields):
    """The -d of the arguments: the others' programs cannot find the bug."""
    words = fields.get('Args', '').split()
    return words[words.index('-d') + 1] if '-d' in words else None


def try_one(patch, tool=None):
    fields = header(patch)
    if tool is None:
        tool = 'litmus' if 'Test' in fields else fields['Tool']
    else:
        design = designs(fields) or re.match(
            r'(?:(l4|mach)_)?', patch.stem)[1]
        os.environ.pop('DESIGN', None)
        fields = {'Args': ''}
        if design and tool == 'hypothesis':
            fields['Args'] = f'--design {design}'
        elif design and tool == 'fuzz':
            fields['Args'] = f'-d {design}'
        elif design:
            os.environ['DESIGN'] = design
    row = {'mutant': patch.stem, 'test': fields.get('Test', tool),
           'found': False, 'after': 0, 'seconds': 0.0, 'by': ''}
    work = BUILD / 'mutants' / patch.stem
    try:
        build(work, copy_and_patch(patch, work), tool)
        start = time.monotonic()
        code, out = run(command(work, tool, fields), work,
                        LIMIT[tool] * SCALE + 30)
        row['seconds'] = round(time.monotonic() - start, 1)
        row['by'], row['after'] = evidence(tool, out)
        # libFuzzer has exit codes of its own.
        row['found'] = (code == 1 or tool == 'cover' and bool(code)) and \
            row['after'] > 0
        if code is None:
            row['by'] = f'no end after {LIMIT[tool] * SCALE + 30:.0f} s'
    except RuntimeError as error:
        row['by'] = str(error)
    if row['found']:
        shutil.rmtree(work, ignore_errors=True)
    return row


def clean_litmus():
    """The unchanged kernel over all policies; rows of test and counts."""
    code, out = run([str(BUILD / 'litmus')], TOP, 900)
    rows = {}
    for ok, name in re.findall(r'^(ok|not ok) \d+ (\w+)/', out, re.M):
        row = rows.setdefault(name, {'passed': 0, 'failed': 0})
        row['passed' if ok == 'ok' else 'failed'] += 1
    if code != 0:
        print(out[-4000:])
    return code == 0, rows


def main():
    kind, names, tool = sys.argv[1], sys.argv[2:], None
    if names[:1] == ['--tool']:
        tool, names = names[1], names[2:]
    folder = HERE / ('mutants' if kind == 'litmus' else 'planted')
    patches = [p for p in sorted(folder.glob('*.patch'))
               if not names or p.stem in names]
    ok, report = True, {'kind': kind}
    if kind == 'litmus' and not names:
        ok, tests = clean_litmus()
        report['tests'] = {
            name: f"{r['passed']} of {r['passed'] + r['failed']} pass"
            for name, r in tests.items()}
        for name, row in tests.items():
            print(f"{name:6} unchanged kernel: {row['passed']} policies pass, "
                  f"{row['failed']} fail")
        print('c10    second-stage tables: nothing to test yet, not counted')
    rows = []
    for patch in patches:
        row = try_one(patch, tool)
        rows.append(row)
        print(f"{row['test']:12} {row['mutant']:32} "
              f"{'found' if row['found'] else 'NOT FOUND'} after "
              f"{row['after']}, {row['seconds']} s: {row['by'][:100]}",
              flush=True)
    found = sum(r['found'] for r in rows)
    print(f'{found} of {len(rows)} mutants found')
    ok = ok and (found == len(rows) or tool is not None)
    report.update(passed=ok, mutants=len(rows), found=found, rows=rows)
    if not names:
        path = TOP / 'build' / (f'{kind}-{tool}.json' if tool else
                                f'{kind}.json')
        path.write_text(json.dumps(report, indent=1) + '\n')
    return 0 if ok else 1


if __name__ == '__main__':
    sys.exit(main())
