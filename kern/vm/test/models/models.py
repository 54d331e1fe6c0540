# SPDX-License-Identifier: MIT
"""Check the Spin models of this folder: each as it is, where Spin must find
nothing, and once with each BUG_* that it names, where it must find something.

usage: models.py [MODEL ...]
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[3] / 'build'


def verify(model, bug):
    """(errors, states, what Spin says first) of one variant."""
    work = BUILD / 'models' / f'{model.stem}-{bug or "clean"}'
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    define = [f'-D{bug}'] if bug else []
    for command in (['spin', *define, '-a', str(model)],
                    ['cc', '-O1', '-DSAFETY', '-DCOLLAPSE', '-o', 'pan',
                     'pan.c']):
        subprocess.run(command, cwd=work, check=True, timeout=300,
                       stdout=subprocess.DEVNULL)
    out = subprocess.run(['./pan', '-m100000'], cwd=work, timeout=300,
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    errors = int(re.search(r'errors: (\d+)', out)[1])
    states = int(float(re.search(r'([\d.e+]+) states, stored', out)[1]))
    # A search that was cut off proves nothing.
    if 'max search depth too small' in out or 'Warning: Search not completed' \
            in out and not errors:
        errors = -1
    said = re.search(r'^pan:\d+: (.*?)(?: \(at depth|$)', out, re.M)
    return errors, states, said[1] if said else ''


def main():
    if not shutil.which('spin'):
        sys.exit('spin is missing (Debian package spin)')
    models = [HERE / f'{name}.pml' for name in sys.argv[1:]] or \
        sorted(HERE.glob('*.pml'))
    rows = []
    for model in models:
        bugs = sorted(set(re.findall(r'^#ifn?def (BUG_\w+)',
                                     model.read_text(), re.M)))
        for bug in [None, *bugs]:
            start = time.monotonic()
            errors, states, said = verify(model, bug)
            good = errors > 0 if bug else errors == 0
            rows.append({'model': model.stem, 'bug': bug or '-', 'ok': good,
                         'states': states, 'says': said,
                         'seconds': round(time.monotonic() - start, 1)})
            print(f"{'ok' if good else 'NOT OK':7}{model.stem:10}"
                  f'{bug or "as it is":26}{states:9,} states  {said}',
                  flush=True)
    (BUILD / 'models.json').write_text(json.dumps(
        {'kind': 'models', 'passed': sum(r['ok'] for r in rows),
         'rows': rows}, indent=1))
    return 0 if all(r['ok'] for r in rows) else 1


if __name__ == '__main__':
    sys.exit(main())
