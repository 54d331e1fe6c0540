# SPDX-License-Identifier: MIT
"""make results: rewrite docs/results.md from build/*.json.

Every harness run leaves a JSON file with a `kind` and its counts; this page
shows them and says from which commit and with which emulator they come.  What
was not run is listed as not run.
"""

import json
import re
import subprocess
import sys

import bench
import qemu

PAGE = qemu.TOP / 'docs' / 'results.md'
KINDS = ['test', 'matrix', 'check', 'unit', 'conformance', 'litmus', 'fuzz',
         'planted', 'models', 'tsan', 'faults', 'boot', 'suite']
# What is shown as one table, a run a row.
COLUMNS = {
    'conformance': ('where', 'planned', 'run', 'failed', 'skipped'),
    'fuzz': ('seed', 'seconds', 'operations', 'episodes', 'findings'),
    'unit': ('planned', 'run', 'failed', 'skipped'),
    'tsan': ('planned', 'run', 'failed', 'rounds'),
    'boot': ('seconds', 'fastest', 'kernel to prompt', 'target', 'met',
             'cpus', 'load of the host'),
    'suite': ('cases', 'seconds', 'seconds of a CPU', 'xv6', 'target', 'met',
              'load of the host'),
}


def output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              cwd=qemu.TOP)
        return done.stdout.strip()
    except OSError:
        return ''


def load():
    """{kind: [(path, data)]}, benchmarks under 'bench'."""
    found = {}
    for path in sorted(qemu.BUILD.glob('**/*.json')):
        try:
            data = json.loads(path.read_text())
        except ValueError:
            continue
        if not isinstance(data, dict):
            continue
        kind = 'bench' if 'benchmarks' in data else data.get('kind')
        if kind:
            found.setdefault(kind, []).append((path, data))
    return found


def head():
    commit = output('git', 'rev-parse', '--short=12', 'HEAD') or 'unknown'
    dirty = ' with local changes' if output(
        'git', 'status', '--porcelain', '--', 'kern', 'user', 'grade') else ''
    tools = [output(tool, '--version').split('\n')[0]
             for arch in qemu.ARCHES.values()
             for tool in (arch.qemu, arch.cross + 'gcc')]
    return ['# Results', '',
            'Written by `make results` from the runs in `build/`; do not '
            'edit.', '', f'- commit {commit}{dirty}',
            *(f'- {t}' for t in dict.fromkeys(tools)), '']


def cell(value):
    if isinstance(value, float):
        return f'{value:.1f}'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'{value:,}'
    return str(value).replace('|', '/').replace('\n', ' ')


def plain(kind, runs):
    """Any run: its scalar values, and lists of rows as tables."""
    lines = [f'## {kind}', '']
    for path, data in runs:
        scalars = {k: v for k, v in data.items() if k != 'kind' and
                   isinstance(v, (int, float, str))}
        flat = {k: v for k, v in data.items() if isinstance(v, dict) and
                k != 'rows' and all(isinstance(x, (int, float, str))
                                    for x in v.values())}
        name = path.relative_to(qemu.BUILD)
        said = ', '.join(f'{k} {cell(v)}' for k, v in scalars.items())
        lines.append(f'- {name}: {said}')
        for key, values in flat.items():
            said = ', '.join(f'{k} {cell(v)}' for k, v in values.items())
            lines.append(f'  - {key}: {said}')
        lines += [''] + rows_table(data.get('rows'))
    return lines + ['']


def rows_table(rows):
    """A list of dicts that have the same keys."""
    if not isinstance(rows, list) or not rows or \
            not isinstance(rows[0], dict):
        return []
    keys = list(rows[0])
    return ['| ' + ' | '.join(keys) + ' |', '|' + '-|' * len(keys)] + [
        '| ' + ' | '.join(cell(r.get(k, '')) for k in keys) + ' |'
        for r in rows] + ['']


def side_by_side(kind, runs, columns):
    """One row a run, the same columns for each."""
    lines = [f'## {kind}', '', '| run | ' + ' | '.join(columns) + ' |',
             '|-' * (len(columns) + 1) + '|']
    for path, data in runs:
        said = [cell(data[c]) if c in data else 'not said' for c in columns]
        name = path.relative_to(qemu.BUILD).with_suffix('')
        lines.append(f'| {name} | ' + ' | '.join(said) + ' |')
    failures = [f'- {path.name}: {cell(f)}' for path, data in runs
                for f in data.get('failures', []) + (
                    [data['finding']] if data.get('finding') else [])]
    return lines + [''] + failures + ['']


def matrix_table(runs):
    """Rows passed of rows run, by group."""
    lines = ['## matrix', '']
    for _, data in runs:
        lines += [f"{data['passed']:,} rows passed of {data['run']:,} run; "
                  f"{data['planned'] - data['run']:,} of {data['planned']:,} "
                  'were not run (`make test-all` goes on).', '',
                  '| group | run | passed | checks |', '|-|-|-|-|']
        groups = {}
        for name, row in data['rows'].items():
            groups.setdefault(name.split('-')[0], []).append(row)
        for group, rows in sorted(groups.items()):
            good = [r for r in rows if r['outcome'] == 'pass']
            lines.append(f'| {group} | {len(rows)} | {len(good)} | '
                         f"{sum(r['checks'] for r in good):,} |")
        lines += [''] + [f"- {n}: {r['outcome']}: {cell(r['why'])}"
                         for n, r in data['rows'].items()
                         if r['outcome'] != 'pass'] + ['']
    return lines


LINES_PLANNED = 9000    # of the kernel, without tests and the ABI headers
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)


def size_table():
    """Lines of the kernel that are neither blank nor comment, by folder."""
    parts = {}
    for name in output('git', 'ls-files', 'kern').split():
        folder = name.rpartition('/')[0].removeprefix('kern').strip('/')
        folder = re.sub('/machine$', '', folder) or '(top)'
        if not name.endswith(('.c', '.h', '.S', '.ld')) or \
                'test' in folder.split('/'):
            continue
        text = COMMENT.sub('', (qemu.TOP / name).read_text())
        parts[folder] = parts.get(folder, 0) + \
            sum(bool(line.strip()) for line in text.splitlines())
    host, abi = parts.pop('arch/host', 0), parts.pop('abi', 0)
    total = sum(parts.values())
    return ['## size', '',
            f'{total:,} lines of kernel without comments and blank lines; '
            f'planned {LINES_PLANNED:,}, '
            f"{'met' if total <= LINES_PLANNED else '**not met**'} "
            '([costs.md](costs.md) says why). Not counted: '
            f'{abi:,} lines of ABI headers, {host:,} of the host port, tests.',
            '', '| part | lines |', '|-|-|'] + [
                f'| {part} | {n:,} |' for part, n in sorted(
                    parts.items(), key=lambda x: -x[1])] + ['']


def bench_table(runs):
    lines = ['## bench', '',
             'Guest instructions, median; release build, one instruction '
             'is one tick. [costs.md](costs.md) says where they go and why a '
             'target is missed.', '']
    for path, data in runs:
        lines += [f'{path.stem}:', '',
                  '| operation | N | min | median | p90 | target | met | Linux '
                  '6.1 | xv6 |', '|-|-|-|-|-|-|-|-|-|']
        seen, rows = set(), bench.rows_of(*path.stem.split('-')[:2])
        for b in data['benchmarks']:
            seen.add(b['name'])
            peers = rows.get(b['name'], (None,) * 3)
            met = '-' if peers[0] is None else \
                'yes' if b['real_time'] <= peers[0] else '**no**'
            peers = ['-' if p is None else f'{p:,}' for p in peers]
            lines.append(
                f"| {b['name']} | {b['repetitions']:,} | {b['min']:,} | "
                f"{b['real_time']:,} | {b['p90']:,} | "
                f'{peers[0]} | {met} | {peers[1]} | {peers[2]} |')
        lines += [f'| {name} | not measured |' + ' |' * 7
                  for name in rows if name not in seen] + ['']
    return lines


def main():
    found, lines = load(), head()
    for kind in KINDS + sorted(set(found) - set(KINDS) - {'bench'}):
        if kind in COLUMNS and kind in found:
            lines += side_by_side(kind, found[kind], COLUMNS[kind])
        elif kind == 'matrix' and kind in found:
            lines += matrix_table(found[kind])
        elif kind in found:
            lines += plain(kind, found[kind])
        else:
            lines += [f'## {kind}', '', 'not run', '']
    lines += bench_table(found['bench']) if 'bench' in found else \
        ['## bench', '', 'not run', '']
    lines += size_table()
    text = re.sub(r'\n{3,}', '\n\n', '\n'.join(lines))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text.rstrip() + '\n')
    print(f'docs/results.md: {", ".join(sorted(found)) or "nothing run yet"}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
