# SPDX-License-Identifier: MIT
"""Benchmarks and the results page, from made-up runs."""

import json
import pathlib
import subprocess
import sys

import assurance
import bench
import faults
import qemu
import results

LINES = [('getpid', 1000, 70, 71, 72, 90),
         ('fork_exec_wait', 100, 39000, 41000, 41500, 50000)]


def test_table_marks_what_misses_its_target():
    out = []
    assert bench.table(LINES, out.append) == ['fork_exec_wait']
    assert 'over target' in out[2] and 'over target' not in out[1]
    assert '152,488' in out[2]


def test_google_benchmark_format():
    data = bench.google_json(qemu.Config(arch='riscv', cpus=1), LINES)
    row = data['benchmarks'][0]
    assert (row['name'], row['real_time'], row['repetitions']) == \
        ('getpid', 71, 1000)
    assert row['run_type'] == 'iteration' and row['time_unit'] == 'ns'
    assert data['context']['num_cpus'] == 1


def test_smp_lines_are_by_cpu():
    lines = [(f'mprotect_1p_k{k}', 100, *[8 * (k + 1) * median] * 4)
             for k, median in enumerate((500, 1400, 1450, 1500, 1640))]
    rows = {name: values for name, *values in bench.smp_lines(lines)}
    assert rows['mprotect_1p_k1'] == [100] + [1400] * 4
    assert rows['mprotect_1p_first'] == [100] + [900] * 4
    assert rows['mprotect_1p_further'] == [100] + [80] * 4
    # Nothing is made up of a run that broke off.
    assert len(bench.smp_lines(lines[:3])) == 3
    assert all(name in bench.ROWS['riscv'] for name in rows)


def test_results_page(tmp_path, monkeypatch):
    build = tmp_path / 'build'
    (build / 'bench').mkdir(parents=True)
    (build / 'bench/riscv-classic-1.json').write_text(
        json.dumps(bench.google_json(qemu.Config(arch='riscv', cpus=1), LINES)))
    (build / 'litmus.json').write_text(json.dumps(
        {'kind': 'litmus', 'passed': 12, 'rows': [{'name': 'C1', 'ok': 1}]}))
    (build / 'broken.json').write_text('{')
    monkeypatch.setattr(results.qemu, 'BUILD', build)
    monkeypatch.setattr(results, 'PAGE', tmp_path / 'docs/results.md')
    assert results.main() == 0
    page = (tmp_path / 'docs/results.md').read_text()
    assert '- litmus.json: passed 12' in page and '| C1 | 1 |' in page
    assert '## fuzz\n\nnot run' in page
    assert '| 41,000 | 41,500 | 40,000 | **no** |' in page
    assert '| 71 | 72 | 80 | yes |' in page
    assert '| cow_copy | not measured |' in page


def test_results_matrix_and_sides(tmp_path):
    row = {'outcome': 'pass', 'why': '', 'checks': 9}
    page = '\n'.join(results.matrix_table([(tmp_path, {
        'passed': 1, 'run': 2, 'planned': 10, 'rows': {
            'mem-a': row, 'mem-b': {**row, 'outcome': 'hang', 'why': 'x'}}})]))
    assert '1 rows passed of 2 run; 8 of 10 were not run' in page
    assert '| mem | 2 | 1 | 9 |' in page and '- mem-b: hang: x' in page
    page = '\n'.join(results.side_by_side('fuzz', [
        (results.qemu.BUILD / 'fuzz-1.json', {'seed': 1, 'finding': 'boo'})],
        ('seed', 'findings')))
    assert '| fuzz-1 | 1 | not said |' in page and 'fuzz-1.json: boo' in page


def test_faults_judge():
    def result(outcome, why=''):
        return qemu.Result(outcome, why, None, '', 0)
    assert not faults.judge(result('fail'))
    assert not faults.judge(result('panic', 'cannot mount ram0 as root: error 5'))
    assert faults.judge(result('panic', 'pmap.c:12: assertion failed'))
    assert faults.judge(result('hang', 'silent'))


def test_figures_of_the_l4_chapter_are_current():
    """They show trees that the unit tests prove, and not older ones."""
    script = pathlib.Path(__file__).parents[2] / 'kern/vm/test/figures.py'
    assert subprocess.run([sys.executable, script, '--check']).returncode == 0
    page = (script.parents[3] / 'docs/l4.md').read_text()
    assert page.count('<!-- tree: ') >= 6 and '`-- ' in page


def test_assurance_table(tmp_path, monkeypatch, capsys):
    def put(name, **data):
        (tmp_path / name).write_text(json.dumps(data))
    monkeypatch.setattr(assurance.qemu, 'BUILD', tmp_path)
    put('models.json', passed=True, proved=3, searched=3, mutants=7, found=7)
    put('unit.json', planned=9, run=9, failed=0)
    put('differential-1.json', planned=1, run=1, failed=0, operations=5,
        findings=0, compared=10)
    assert assurance.main() == 0
    page = capsys.readouterr().out
    assert '| 3 of 3 proved | 7/7 |' in page
    assert '| 9 of 9 ran, 0 failed | - |' in page
    assert '10 results compared, 0 differ' in page
    assert '`make torture` | not run' in page
    # Each way to fail is seen: a test, a finding, a run that was cut short.
    for name, data in [
            ('unit.json', {'planned': 9, 'run': 9, 'failed': 1}),
            ('unit.json', {'planned': 9, 'run': 8, 'failed': 0}),
            ('fuzz-1.json', {'planned': 1, 'run': 1, 'failed': 1,
                             'operations': 5, 'findings': 1}),
            ('mutate.json', {'passed': False, 'mutants': 5, 'found': 4}),
            ('coverage.json', {'passed': False, 'lines': 80.0,
                               'branches': 70.0})]:
        before = (tmp_path / name).read_text() \
            if (tmp_path / name).exists() else None
        put(name, **data)
        assert assurance.main() == 1, name
        (tmp_path / name).unlink()
        if before:
            (tmp_path / name).write_text(before)
    assert assurance.main() == 0
