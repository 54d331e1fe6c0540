# SPDX-License-Identifier: MIT
"""The documentation builds without a warning, its links lead somewhere, its
manual pages say what the headers say, its figures what the code says.  What
needs a tool that is not installed is not run, which is no pass."""

import os
import shutil
import subprocess
import sys

import pytest

import qemu
from tree import TOP

sys.path.insert(0, str(TOP / 'grade/docs'))

import figures  # noqa: E402
import man  # noqa: E402
import page  # noqa: E402
import website  # noqa: E402


def needs(*tools):
    missing = [t for t in tools if not shutil.which(t)]
    return pytest.mark.skipif(
        bool(missing), reason=f'not run: {" and ".join(missing)} missing '
        '(sh grade/setup.sh --docs)')


def run(*command, cwd=TOP):
    env = {k: v for k, v in os.environ.items() if not k.startswith('MAKE')}
    return subprocess.run(command, cwd=cwd, env=env, text=True,
                          timeout=600 * qemu.TIMESCALE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


# --- the site ---------------------------------------------------------------

@needs('doxygen', 'dot')
def test_site():
    done = run(sys.executable, 'grade/docs/website.py')
    assert done.returncode == 0, done.stdout
    fault = (TOP / 'build/docs/html/fault.html').read_text()
    assert 'src:' not in fault
    assert '<code>kern/vm/fault.c:vm_fault</code></a>' in fault
    chapter = (TOP / 'build/docs/html/book-boot.html').read_text()
    assert 'boot.svg' in chapter


SMALL = {
    'README.md': '# Top\n\nSee [the page](docs/contents.md#a-heading) and '
                 '`kern/a.h:answer`.\n',
    'docs/contents.md': '# Page\n\n## A heading\n\nText.\n',
    'kern/a.h': '/** @file a.h\n * A header. */\n'
                '/** What to say. @retval EIO @retval ENOMEM */\n'
                'int answer(int question);\n',
    'user/lib/u.h': '/** @file u.h\n * Another. */\nint call(int n);\n',
}
BAD = {
    'nothing': ('README.md', '', None),
    'heading': ('README.md', '[x](docs/contents.md#no-heading)\n',
                'README.md:4: '),
    'function': ('kern/a.h', '/** @fn int cal(int n)\n * Wrong. */\n',
                  'kern/a.h:5: '),
    'parameter': ('kern/a.h', '/** @param m is none. */\nint f(int n);\n',
                  'kern/a.h:5: '),
    'page': ('docs/contents.md', '<a href="nowhere.html">x</a>\n',
             'contents.html: nowhere.html leads nowhere'),
}


@needs('doxygen', 'dot')
@pytest.mark.parametrize('what', BAD)
def test_site_refuses(what, tmp_path):
    """One wrong line in a small tree, and what is said of it."""
    for folder in 'grade/docs', 'grade/check':
        shutil.copytree(TOP / folder, tmp_path / folder)
    name, line, said = BAD[what]
    for path, text in SMALL.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text + (line if path == name else ''))
    for path in 'docs/Doxyfile', 'docs/site.css':
        shutil.copy(TOP / path, tmp_path / path)
    done = run(sys.executable, 'grade/docs/website.py', cwd=tmp_path)
    assert (done.returncode == 0) == (said is None), done.stdout
    assert said is None or said in done.stdout


def test_names_of_headings():
    """As web front ends make them, so that links work there too."""
    assert page.slug('The classic design') == 'the-classic-design'
    assert page.slug('Traps, `ecall` & co.') == 'traps-ecall--co'
    assert page.page_id('docs/howto/add-design.md') == 'howto-add-design'


def test_every_page_is_in_the_contents():
    text = (TOP / page.CONTENTS).read_text()
    for path in sorted((TOP / 'docs').rglob('*.md')):
        name = str(path.relative_to(TOP / 'docs'))
        assert name == 'contents.md' or f']({name})' in text, name


# --- manual pages -------------------------------------------------------------

@needs('mandoc')
def test_man():
    done = run(sys.executable, 'grade/docs/man.py')
    assert done.returncode == 0, done.stdout
    for name in man.numbered():
        assert f'.Nm {name}\n' in (man.OUT / f'man2/{name}.2').read_text()


@needs('mandoc')
def test_lint_finds_a_bad_page(tmp_path):
    (tmp_path / 'x.2').write_text('.Dd January 1, 2024\n.Dt X 2\n.Os\n'
                                  '.Sh NAME\n.Nm x\n.Nd y\n.Bl -tag\n')
    assert 'x.2:7' in man.lint(tmp_path)


@pytest.mark.parametrize('path, old, new, said', [
    ('kern/abi/al.h', '@fn int al_prot(const', '@fn long al_prot(const',
     'no header of user/lib declares long al_prot'),
    ('kern/abi/al.h', ' * @fn long al_dirty(', ' * long al_dirty(',
     'al_dirty: in SYSCALLS_TERN and in one @fn comment'),
    ('kern/abi/syscall.h', 'X(al_prot,', 'X(al_other, 0x1013, 0x1013, 1) \\\n'
     'X(al_prot,', 'al_other: in SYSCALLS_TERN and in one @fn comment'),
    ('user/lib/mach.h', 'int set_max,', 'long set_max,',
     'declares kern_return_t vm_protect'),
])
def test_man_follows_the_headers(path, old, new, said, tmp_path):
    for folder in 'kern/abi', 'user/lib':
        shutil.copytree(TOP / folder, tmp_path / folder)
    assert len(man.pages(tmp_path)) == \
        len(man.numbered(tmp_path)) + len(man.HEADERS)
    text = (tmp_path / path).read_text()
    assert text.count(old) == 1
    (tmp_path / path).write_text(text.replace(old, new))
    with pytest.raises(man.Bad, match=said.replace('(', r'\(')):
        man.pages(tmp_path)


# --- figures ------------------------------------------------------------------

@pytest.fixture(scope='module')
def drawn():
    done = run('make', '-s', 'build/host/figures')
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize('name', figures.ALL)
def test_figure_is_what_the_code_says(name, drawn):
    assert not figures.stale(name, figures.ALL[name]()), 'run `make figures`'


def test_no_figure_without_a_graph():
    assert {p.stem for p in figures.FIGURES.iterdir()} == set(figures.ALL)


def test_a_changed_graph_is_stale():
    assert figures.stale('thread', figures.thread() + ' ')


def test_figures_refuse_what_the_code_does_not_say():
    with pytest.raises(figures.Stale, match='no function vm_fall'):
        figures.call_graph('x', {'a': ['kern/vm/fault.c:vm_fall']})
    with pytest.raises(figures.Stale, match='nobody .* calls vm_fault'):
        figures.call_graph('x', {'a': ['kern/vm/fault.c:vm_fault',
                                       'kern/main.c:kmain',
                                       'kern/main.c:init_vm']})
    with pytest.raises(figures.Stale, match='sched_wake has no THREAD_DEAD'):
        figures.state_graph('x', ['A', 'B'], 'kern/proc/sched.c',
                            [('A', 'B', 'sched_wake', 'THREAD_DEAD')])


def test_links_to_nowhere_are_found(tmp_path):
    (tmp_path / 'a.html').write_text(
        '<a href="b.html#here">1</a><a href="b.html#gone">2</a>'
        '<img src="c.svg"><a href="https://example.org/">4</a>')
    (tmp_path / 'b.html').write_text('<p id="here">')
    assert [link for _, link in website.broken(tmp_path)] == \
        ['b.html#gone', 'c.svg']
