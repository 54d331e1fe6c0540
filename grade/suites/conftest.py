# SPDX-License-Identifier: MIT
"""Makes the harness importable, writes build/test.json, and says at the end
what was not run."""

import json
import pathlib
import sys

GRADE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(GRADE))
sys.path.insert(0, str(GRADE / 'check'))


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, 'workerinput'):
        return
    import matrix
    stats = terminalreporter.stats
    counts = {k: len(stats.get(k, [])) for k in
              ('passed', 'failed', 'error', 'skipped')}
    checks = sum(value for report in stats.get('passed', [])
                 for key, value in report.user_properties if key == 'checks')
    boots = sum('test_group[' in r.nodeid for k in ('passed', 'failed')
                for r in stats.get(k, []))
    total = len(matrix.full()) if matrix.GROUPS else 0
    build = GRADE.parent / 'build'
    build.mkdir(exist_ok=True)
    # A chosen part of the tests is no result of `make test`.
    if boots == len(matrix.pairwise()) and not config.option.keyword:
        (build / 'test.json').write_text(json.dumps(
            {'kind': 'test', **counts, 'boots': boots,
             'in-OS checks': checks, 'combinations': total}))
    terminalreporter.write_line(
        f'not run here: {total - boots} of {total} boots of `make test-all` '
        '(group, CPUs, build, lane, TLB policy)')
