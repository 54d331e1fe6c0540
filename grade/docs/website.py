# SPDX-License-Identifier: MIT
"""make docs: run doxygen, resolve the links to code, check every link.

usage: website.py

The site goes to build/docs/html.  Any warning of doxygen, and any link that
leads nowhere, is an error.
"""

import html
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
SITE = TOP / 'build/docs/html'
THEME = pathlib.Path('/usr/share/doxygen-awesome-css')
STYLES = ['doxygen-awesome.css', 'doxygen-awesome-sidebar-only.css']

CODE = re.compile(r'<a href="src:([^":]*):?(\w*)">(.*?)</a>', re.S)
TARGET = re.compile(r'\b(?:href|src|data|xlink:href)="([^"]*)"')
NAME = re.compile(r'\b(?:id|name)="([^"]*)"')


def version(doxygen='doxygen'):
    said = subprocess.run([doxygen, '--version'], capture_output=True,
                          text=True, check=True).stdout
    return tuple(map(int, re.match(r'(\d+)\.(\d+)\.(\d+)', said).groups()))


def configuration():
    """docs/Doxyfile and what depends on this machine."""
    lines = [(TOP / 'docs/Doxyfile').read_text(),
             f'STRIP_FROM_PATH = {TOP}']
    if all((THEME / style).exists() for style in STYLES):
        sheets = [THEME / style for style in STYLES] + ['docs/site.css']
        lines.append('HTML_EXTRA_STYLESHEET = ' + ' '.join(map(str, sheets)))
    if version() >= (1, 9, 5):
        lines.append('HTML_COLORSTYLE = LIGHT')     # as the theme demands
    return '\n'.join(lines) + '\n'


def run_doxygen():
    """True if doxygen had nothing to complain about."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(['doxygen', '-'], cwd=TOP, input=configuration(),
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    print(done.stdout.replace(f'{TOP}/', ''), end='')
    return done.returncode == 0


# --- links to code ----------------------------------------------------------

def pages_of_code():
    """{path: (page, {symbol: place})}, from what doxygen says it wrote."""
    pages = {}
    for compound in xml.parse(TOP / 'build/docs/tern.tag').getroot():
        if compound.get('kind') != 'file':
            continue
        folder = pathlib.Path(compound.findtext('path') or '')
        if folder.is_absolute():
            folder = folder.relative_to(TOP)
        path = str(folder / compound.findtext('name'))
        places = {}
        for member in compound.iter('member'):
            places.setdefault(
                member.findtext('name'),
                f"{member.findtext('anchorfile')}#{member.findtext('anchor')}")
        pages[path] = compound.findtext('filename'), places
    return pages


def source_line(path, page, symbol):
    """The listing at the first line that has the symbol: for fields and other
    names that doxygen gives no place."""
    listing = page.removesuffix('.html') + '_source.html'
    for n, line in enumerate((TOP / path).read_text().split('\n'), 1):
        if re.search(rf'\b{symbol}\b', line):
            return f'{listing}#l{n:05d}'
    return listing


def link_code(pages, m):
    path, symbol, text = m[1], m[2], m[3]
    if path not in pages:
        return text
    page, places = pages[path]
    if symbol:
        page = places.get(symbol) or source_line(path, page, symbol)
    return f'<a class="el" href="{page}">{text}</a>'


def resolve():
    pages = pages_of_code()
    for page in SITE.glob('*.html'):
        text = page.read_text()
        new = CODE.sub(lambda m: link_code(pages, m), text)
        if new != text:
            page.write_text(new)


# --- every link leads somewhere ---------------------------------------------

def broken(site=SITE):
    """(page, link) of each link inside of the site that leads nowhere."""
    names = {}
    for page in sorted(site.rglob('*.html')):
        names[page] = set(NAME.findall(page.read_text()))
    for page in names:
        for link in TARGET.findall(page.read_text()):
            url = urllib.parse.urlsplit(html.unescape(link))
            if url.scheme in ('http', 'https', 'mailto', 'javascript'):
                continue
            place = page if not url.path else \
                (page.parent / urllib.parse.unquote(url.path)).resolve()
            if url.scheme or not place.exists() or \
                    (url.fragment and place.suffix == '.html' and
                     url.fragment not in names.get(place, ())):
                yield page.relative_to(site), link


def main():
    for tool, package in ('doxygen', 'doxygen'), ('dot', 'graphviz'):
        if not shutil.which(tool):
            sys.exit(f'docs: {tool} is missing (Debian package {package}): '
                     'run `sh grade/setup.sh --docs`')
    sound = run_doxygen()
    resolve()
    bad = sorted(set(broken()))
    for page, link in bad:
        print(f'docs: {page}: {link} leads nowhere')
    if not sound or bad:
        sys.exit('docs: see above')
    print(f'docs: {SITE.relative_to(TOP)}/index.html')


if __name__ == '__main__':
    main()
