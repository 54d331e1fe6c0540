# SPDX-License-Identifier: MIT
"""make man: manual pages of Tern's own system calls, from their headers.

usage: man.py            writes build/docs/man/man{2,7}/ and checks the pages

A header kern/abi/NAME.h becomes NAME(7): the comment at its top, its calls and
definitions.  Each `@fn` comment becomes CALL(2).  Every call of SYSCALLS_TERN
must have one, and its prototype must be that of user/lib.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = TOP / 'build/docs/man'
HEADERS = ['al', 'mach', 'l4', 'stat_tern']

INTRO = re.compile(r'/\*\n \* \S+ - (.*?)\n \*/', re.S)
CALL = re.compile(r'/\*\*\n \* @fn (.*?)\n \*/', re.S)
PROTOTYPE = re.compile(r'(.*?)(\w+)\((.*)\)$')
SECTION = re.compile(r'^@(return|retval|post|pre)\s+', re.M)


class Bad(Exception):
    """What is wrong with a header, in one line."""


class Call:
    """One @fn comment."""

    def __init__(self, comment, header):
        self.header = header
        lines = uncomment(comment)
        head, _, text = re.sub(r'\s*\\\n\s*', ' ', lines).partition('\n')
        m = PROTOTYPE.fullmatch(head.strip())
        if not m:
            raise Bad(f'{header}: @fn {head}')
        self.prototype, self.type, self.name = head, m[1].strip(), m[2]
        self.args = [] if m[3] == 'void' else m[3].split(', ')
        body, *rest = SECTION.split(text)
        self.brief, _, self.text = body.strip().partition('\n')
        self.parts = list(zip(rest[::2], rest[1::2]))
        if not self.brief:
            raise Bad(f'{header}: {self.name} is not described')

    def all(self, kind):
        return [text.strip() for k, text in self.parts if k == kind]


def uncomment(text):
    return re.sub(r'^ \*[ \t]?', '', text, flags=re.M)


def squeeze(text):
    return re.sub(r'\s+', ' ', text).strip()


# --- mdoc -------------------------------------------------------------------

def mdoc(text):
    """Paragraphs of a comment: a new line for each sentence, arguments in
    their font."""
    out = []
    for paragraph in re.split(r'\n\s*\n', text.strip()):
        line = squeeze(paragraph).replace('\\', r'\e')
        line = re.sub(r'@p (\*?\w+(?:->\w+)?)', r'\\fI\1\\fP', line)
        line = re.sub(r'([.:;?])( +)(?=[A-Z(\\])', r'\1\n', line)
        out.append('\n'.join(re.sub(r"^(?=[.'])", r'\\&', part)
                             for sentence in line.split('\n')
                             for part in textwrap.wrap(
                                 sentence, 78, break_long_words=False,
                                 break_on_hyphens=False)))
    return '\n.Pp\n'.join(out)


def lower(brief):
    """A sentence as the text behind a name: no capital, no full stop."""
    text = squeeze(brief).rstrip('.').replace('\\', r'\e')
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def date_of(path):
    """Of the last change that git knows."""
    done = subprocess.run(['git', '-C', str(TOP), 'log', '-1',
                           '--format=%cd', '--date=format:%B %-d, %Y', '--',
                           str(path)], capture_output=True, text=True)
    return done.stdout.strip() or '$Mdocdate$'


def head(name, section, path, brief):
    return [f'.Dd {date_of(path)}', f'.Dt {name.upper()} {section}',
            '.Os Tern', '.Sh NAME', f'.Nm {name}', f'.Nd {brief}']


def see_also(refs):
    lines = [f'.Xr {name} {section} ,' for name, section in
             sorted(refs, key=lambda r: (r[1], r[0]))]
    return ['.Sh SEE ALSO', *lines[:-1], lines[-1].rstrip(' ,')]


def tagged(call):
    """The list of errors: errno values or kern_return_t."""
    macro = 'Bq Er' if call.type != 'kern_return_t' else 'Dv'
    lines = ['.Bl -tag -width Er']
    for text in call.all('retval'):
        name, _, why = text.partition(' ')
        lines += [f'.It {macro} {name}', mdoc(why[:1].upper() + why[1:] + '.')]
    return lines + ['.El']


def page_of_call(call, others, library):
    mach, errors = call.type == 'kern_return_t', call.all('retval')
    pages = [*head(call.name, 2, call.header, lower(call.brief)),
             '.Sh SYNOPSIS', f'.In {library}',
             f'.In abi/{call.header.name}',
             f'.Ft {call.type}',
             f'.Fn {call.name} ' + ' '.join(f'"{a}"' for a in call.args),
             '.Sh DESCRIPTION', mdoc(call.brief),
             *(['.Pp', mdoc(call.text)] if call.text.strip() else [])]
    for text in call.all('post'):
        pages += ['.Pp', mdoc(f'Afterwards {text}.')]
    pages += ['.Sh RETURN VALUES']
    good = call.all('return')
    if mach:
        pages += ['.Dv KERN_SUCCESS ,', 'or why it failed:', *tagged(call),
                  '.Pp', 'What any call may return stands in',
                  f'.Xr {call.header.stem} 7 .']
    elif good or not errors:
        pages += ['On success: ' + mdoc((good or ['0'])[0] + '.')]
    else:
        pages += ['.Rv -std ' + call.name]
    if errors and not mach:
        if good:
            pages += ['On an error \\-1, and', '.Va errno', 'says why.']
        pages += ['.Sh ERRORS', *tagged(call)]
    return pages + see_also([(o.name, 2) for o in others] +
                            [(call.header.stem, 7)])


def definitions(text):
    """The C of a header: no guard, no includes, no manual."""
    text = CALL.sub('', text[INTRO.search(text).end():])
    text = re.sub(r'^#(?:ifndef|endif|define) *(?:/\* *!?)?\w+(?:_H|BLER__)'
                  r'(?: *\*/)?$|^#include.*$|^#endif.*$', '', text, flags=re.M)
    text = re.sub(r'/\*\*', '/*', text)
    text = re.sub(r'\n\n\n+', '\n\n', text).strip('\n')
    return text.expandtabs(8).replace('\\', r'\e').replace('\n.', '\n\\&.')


def page_of_header(path, calls):
    text = path.read_text()
    intro = uncomment(INTRO.search(text)[1])
    brief, _, rest = intro.partition('\n\n') if '\n\n' in intro else \
        intro.partition('\n')
    pages = [*head(path.stem, 7, path, brief.split(':')[0].rstrip('.')),
             '.Sh SYNOPSIS', f'.In abi/{path.name}',
             '.Sh DESCRIPTION', mdoc(brief[:1].upper() + brief[1:])]
    if rest.strip():
        pages += ['.Pp', mdoc(rest)]
    pages += ['.Ss Calls', '.Bl -tag -width Ds']
    for call in calls:
        pages += [f'.It Xr {call.name} 2', mdoc(call.brief)]
    pages += ['.El', '.Ss Definitions', '.Bd -literal', definitions(text),
              '.Ed']
    return pages + see_also([(c.name, 2) for c in calls])


# --- all of them --------------------------------------------------------------

def library_of(call, top=TOP):
    """The header of user/lib that declares just this prototype."""
    want = squeeze(call.prototype).replace('* ', '*') + ';'
    for path in sorted((top / 'user/lib').glob('*.h')):
        text = squeeze(path.read_text()).replace('* ', '*')
        if re.search(r'(?<![\w*])' + re.escape(want), text):
            return path.name
    raise Bad(f'{call.header.name}: no header of user/lib declares '
              f'{call.prototype}')


def numbered(top=TOP):
    text = (top / 'kern/abi/syscall.h').read_text()
    table = re.search(r'define SYSCALLS_TERN\(X\)(.*?)\n\n', text, re.S)[1]
    return re.findall(r'X\((\w+),', table)


def pages(top=TOP):
    """{file name: text}"""
    found, out = [], {}
    for stem in HEADERS:
        path = top / f'kern/abi/{stem}.h'
        calls = [Call(c, path) for c in CALL.findall(path.read_text())]
        found += [c.name for c in calls]
        out[f'man7/{stem}.7'] = page_of_header(path, calls)
        for call in calls:
            out[f'man2/{call.name}.2'] = page_of_call(
                call, [c for c in calls if c is not call],
                library_of(call, top))
    for name in set(numbered(top)) ^ set(found):
        raise Bad(f'{name}: in SYSCALLS_TERN and in one @fn comment, please')
    licence = '.\\" SPDX-License-Identifier: MIT'
    return {name: '\n'.join([licence, *lines]) + '\n'
            for name, lines in out.items()}


def lint(folder):
    """What mandoc has to say, or groff where mandoc is missing.  It looks
    for references among the installed pages; ours point to each other."""
    files = sorted(map(str, folder.rglob('*.[27]')))
    if shutil.which('mandoc'):
        done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'style', *files],
                              capture_output=True, text=True)
        return ''.join(f'{line}\n' for line in
                       (done.stdout + done.stderr).splitlines()
                       if 'referenced manual not found' not in line)
    done = subprocess.run(['groff', '-mdoc', '-ww', '-z', *files],
                          capture_output=True, text=True)
    return done.stdout + done.stderr


def main():
    if not shutil.which('mandoc') and not shutil.which('groff'):
        sys.exit('man: mandoc is missing (Debian package mandoc): '
                 'run `sh grade/setup.sh --docs`')
    shutil.rmtree(OUT, ignore_errors=True)
    try:
        made = pages()
    except Bad as why:
        sys.exit(f'man: {why}')
    for name, text in made.items():
        (OUT / name).parent.mkdir(parents=True, exist_ok=True)
        (OUT / name).write_text(text)
    said = lint(OUT)
    if said:
        sys.exit(said + 'man: see above')
    print(f'man: {len(made)} pages; `man -M {OUT.relative_to(TOP)} al_prot`')


if __name__ == '__main__':
    main()
