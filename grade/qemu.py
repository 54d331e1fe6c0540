# SPDX-License-Identifier: MIT
"""The one QEMU driver: everything that boots Tern goes through Machine.

A machine has three sockets to this process: the console (first serial port,
for people), the results (a second serial port, KTAP only), and QMP (why it
stopped).  The verdict comes from these and from timeouts, never from an exit
code, which the guest can choose.

Lanes: `mttcg` runs one host thread per CPU; `icount` is deterministic, and
needs a short tick and a yielding cpu_relax() on every CPU, because QEMU's
round robin starves CPUs otherwise; `bench` is icount with the usual tick,
for one CPU, where instruction counts are exact; `turns` is icount where the
CPUs take turns of 125 instructions, as if they ran at the same time.

usage: qemu.py run [--gdb] [--lane L] [--append ARGS]   a shell on this tty
       qemu.py gdb                                      attach to run --gdb
       qemu.py boot [--lane L] [--append ARGS]          one run, verdict
Settings come from the environment: ARCH VM CPUS MACHINE DEBUG.
"""

import argparse
import dataclasses
import json
import math
import os
import pathlib
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import ktap
import postmortem

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / 'build'
ARTIFACTS = BUILD / 'artifacts'
# A slow or busy host may stretch every timeout.
TIMESCALE = float(os.environ.get('TERN_TIMESCALE', '1'))


@dataclasses.dataclass(frozen=True)
class Arch:
    """What the driver must know about one emulated machine."""
    qemu: str
    machine: tuple          # machine and firmware options
    cross: str              # prefix of binutils
    gdb: str                # gdb's name of the architecture
    package: str            # Debian package of the emulator
    smallest: tuple         # oldest QEMU that is known to work
    results: tuple          # options of the second serial port, on chardev res


# Native tools where they make x86-64 programs, else cross ones.
CROSS_X86_64 = '' if os.uname().machine == 'x86_64' else 'x86_64-linux-gnu-'

ARCHES = {
    'riscv': Arch('qemu-system-riscv64', ('-M', 'virt'),
                  'riscv64-linux-gnu-', 'riscv:rv64',
                  'qemu-system-misc (qemu-system-riscv)', (7, 2),
                  ('-device', 'pci-serial,chardev=res')),
    # A status from isa-debug-exit is odd, never 0: a panic cannot look clean.
    'x86_64': Arch('qemu-system-x86_64',
                   ('-M', 'q35', '-cpu', 'max',
                    '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'),
                   CROSS_X86_64, 'i386:x86-64', 'qemu-system-x86', (7, 2),
                   ('-serial', 'chardev:res')),
}

# The one of this make, and what `make test` goes over; ARCH= narrows it.
ARCH = os.environ.get('ARCH', 'riscv')
TESTED = [a for a in ARCHES
          if a in os.environ.get('ARCHS', ' '.join(ARCHES)).split()]

# A tick of 10us starves a CPU that is in the firmware (test=al with 4 CPUs
# never ends): QEMU gives each CPU the time to the next deadline, and with
# deadlines this close the first one that spins takes all of it.
LANES = {
    'mttcg': ((), {}),
    'icount': (('-icount', 'shift=0,sleep=off', '-seed', '1'),
               {'tick': '30us', 'tick.jitter': '40us', 'relax': 'wfi'}),
    'bench': (('-icount', 'shift=0,sleep=off', '-seed', '1'), {}),
    # 8 ns an instruction, and a timer of QEMU's own each 1,000 ns (that of a
    # network without a card) ends each turn.  Fair for odd numbers of CPUs; a
    # spin loop that gave its turn away would wait for less than the others run.
    'turns': (('-icount', 'shift=3,sleep=off', '-seed', '1',
               '-netdev', 'user,id=turns', '-object',
               'filter-buffer,id=turn,netdev=turns,interval=1'),
              {'relax': 'none'}),
}


@dataclasses.dataclass
class Config:
    """One boot.  kernel and initrd default to what make built."""
    arch: str = ARCH
    vm: str = 'classic'
    cpus: int = 4
    machine: str = ''           # further options of -M, as aclint=on
    debug: bool = True
    lane: str = 'mttcg'
    mem: str = '256M'
    args: dict = dataclasses.field(default_factory=dict)
    kernel: object = None
    initrd: object = None
    extra: tuple = ()           # further QEMU options, for drives and plugins
    silence: float = 30         # seconds without a byte: a hang
    total: float = 180          # seconds for the whole run
    grace: float = 10           # seconds from the last word to power-off
    flood: int = 1 << 20        # bytes a channel may carry
    name: str = ''              # of the artifacts folder

    def __post_init__(self):
        if self.kernel is None:
            mode = 'debug' if self.debug else 'release'
            self.kernel = BUILD / self.arch / mode / 'tern.elf'
            if self.initrd is None:
                self.initrd = BUILD / self.arch / 'root.img'
        self.name = self.name or '-'.join(
            [self.arch, self.vm, str(self.cpus), self.lane])

    def append(self):
        words = {'vm': self.vm, **LANES[self.lane][1], **self.args}
        # The tests' own limits; with -icount the host's speed is no matter.
        if TIMESCALE > 1 and not LANES[self.lane][0]:
            words.setdefault('timescale', math.ceil(TIMESCALE))
        return ' '.join(f'{k}={v}' for k, v in words.items())

    def command(self, console, results):
        """QEMU's command line, with the two channels given as options."""
        arch = ARCHES[self.arch]
        cmd = [arch.qemu, *arch.machine,
               *(('-M', self.machine) if self.machine else ()), '-m', self.mem,
               '-smp', str(self.cpus), '-nodefaults', '-display', 'none',
               '-no-reboot', *LANES[self.lane][0], *console, *results,
               *arch.results,
               '-kernel', str(self.kernel), '-append', self.append()]
        if self.initrd:
            cmd += ['-initrd', str(self.initrd)]
        return cmd + list(self.extra)


@dataclasses.dataclass
class Result:
    """How a run ended: see verdict() for the outcomes."""
    outcome: str
    why: str
    record: ktap.Record
    console: str
    seconds: float
    artifacts: object = None

    @property
    def passed(self):
        return self.outcome == 'pass'

    def explain(self):
        lines = [f'{self.outcome}: {self.why}']
        if self.record.panic:
            lines += [n for n in self.record.notes if 'backtrace' in n]
        lines += [f'not ok: {p.name} {"; ".join(p.notes[-5:])}'
                  for p in self.record.failed]
        lines += self.record.breaches
        if self.artifacts:
            lines.append(f'artifacts: {os.path.relpath(self.artifacts)}  '
                         f'(sh {os.path.relpath(self.artifacts)}/reopen)')
        return '\n'.join(lines)


class Channel:
    """One socket from the guest: bytes so far, bounded, cut into lines.
    As a pipe it goes one way."""

    def __init__(self, limit, on_line=None, pipe=False):
        if pipe:
            self.ours, self.theirs = [
                open(fd, mode, 0) for fd, mode in zip(os.pipe(), ('rb', 'wb'))]
        else:
            self.ours, self.theirs = socket.socketpair()
        fd = self.theirs.fileno()
        self.option = f'file,path=/dev/fd/{fd}' if pipe else f'socket,fd={fd}'
        self.data = bytearray()
        self.limit = limit
        self.chunk = 65536
        self.on_line = on_line
        self.cut = 0

    def read(self):
        """Take what is there; returns the number of bytes, 0 at the end."""
        try:
            chunk = os.read(self.ours.fileno(), self.chunk)
        except ConnectionResetError:
            return 0
        room = self.limit + 1 - len(self.data)
        self.data += chunk[:max(room, 0)]
        while self.on_line and (end := self.data.find(b'\n', self.cut)) >= 0:
            self.on_line(self.data[self.cut:end].decode('utf-8', 'replace'))
            self.cut = end + 1
        return len(chunk)

    @property
    def flooded(self):
        return len(self.data) > self.limit

    def text(self):
        return self.data.decode('utf-8', 'replace')


class Machine:
    """A running guest.  run() it to its end, or expect() and send()."""

    def __init__(self, config, on_console=None, on_result=None):
        self.config = config
        self.parser = ktap.Parser()
        self.on_result = on_result
        # Under icount nothing may come in from the host while the guest runs,
        # not even the wake-ups of a socket: they change where one CPU takes
        # over from another.
        self.quiet = bool(LANES[config.lane][0])
        self.console = Channel(config.flood, on_console, self.quiet)
        self.results = Channel(config.flood, self._result_line, self.quiet)
        self.qmp = Channel(1 << 24, self._qmp_line)
        self.proc = None
        self.stopped = None         # reason of QMP's SHUTDOWN event
        self.listening = False      # QMP is negotiated
        self.replies = []
        self.end = None             # (outcome, why) when the driver ends it
        self.deadline = None        # set once the guest announced its end

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def start(self):
        for path in (self.config.kernel, self.config.initrd):
            if path and not os.path.exists(path):
                raise FileNotFoundError(f'{path}: run `make` first')
        self.dir = tempfile.mkdtemp(prefix='tern-')
        fds = [c.theirs.fileno() for c in
               (self.console, self.results, self.qmp)]
        con, res, qmp = [f'{channel.option},id={name}' for name, channel in (
            ('con', self.console), ('res', self.results), ('qmp', self.qmp))]
        cmd = ['setpriv', '--pdeathsig', 'KILL'] + self.config.command(
            ['-chardev', con, '-serial', 'chardev:con'], ['-chardev', res])
        cmd += ['-chardev', qmp, '-mon', 'chardev=qmp,mode=control']
        # Stopped until we listen for events, so that no end goes unseen.
        if not self.quiet:
            cmd.append('-S')
        self.errors = open(os.path.join(self.dir, 'stderr'), 'w+b')
        self.proc = subprocess.Popen(
            cmd, stdin=subprocess.DEVNULL, stdout=self.errors,
            stderr=self.errors, pass_fds=fds)
        self.select = selectors.DefaultSelector()
        for channel in (self.console, self.results, self.qmp):
            channel.theirs.close()
            self.select.register(channel.ours, selectors.EVENT_READ, channel)
        self.born = self.heard = time.monotonic()
        if not self.quiet:
            self.command('cont')
        return self

    # --- talking to it ----------------------------------------------------

    def command(self, name, timeout=10, **args):
        """One QMP command; returns its value, or None if QEMU is gone."""
        if not self.listening:
            self.listening = True
            self.command('qmp_capabilities')
        message = {'execute': name}
        if args:
            message['arguments'] = args
        self.replies.clear()
        try:
            self.qmp.ours.sendall(json.dumps(message).encode() + b'\n')
        except OSError:
            return None
        limit = time.monotonic() + timeout
        while not self.replies and time.monotonic() < limit:
            if not self.pump(0.2) and self.proc.poll() is not None:
                return None
        reply = self.replies[0] if self.replies else {}
        return reply.get('return')

    def monitor(self, line, timeout=10):
        """One command of the human monitor."""
        return self.command('human-monitor-command', timeout,
                            **{'command-line': line})

    def send(self, text):
        """Type on the console."""
        self.console.ours.sendall(text.encode())

    def expect(self, pattern, timeout=30):
        """Wait for a regular expression on the console, from where the last
        match ended; returns the match or raises TimeoutError."""
        limit = time.monotonic() + timeout * TIMESCALE
        start = getattr(self, '_mark', 0)
        while True:
            m = re.compile(pattern.encode()).search(self.console.data, start)
            if m:
                self._mark = m.end()
                return m
            if time.monotonic() > limit or self.over():
                tail = bytes(self.console.data[start:])[-2000:]
                raise TimeoutError(
                    f'no {pattern!r} on the console; it said: '
                    f'{tail.decode("utf-8", "replace")}')
            self.pump(0.2)

    # --- listening --------------------------------------------------------

    def pump(self, timeout):
        """Take in what arrives within timeout; True if anything did."""
        got = False
        for key, _ in self.select.select(timeout):
            n = key.data.read()
            if n == 0:
                self.select.unregister(key.fileobj)
            elif key.data is not self.qmp:
                self.heard = time.monotonic()
            got = got or n > 0
        return got

    def _qmp_line(self, line):
        message = json.loads(line)
        if message.get('event') == 'SHUTDOWN':
            self.stopped = message['data']['reason']
        elif 'return' in message or 'error' in message:
            self.replies.append(message)

    def _result_line(self, line):
        self.parser.feed(line)
        rec = self.parser.rec
        if (rec.complete or rec.panic) and self.deadline is None:
            self.deadline = time.monotonic() + self.config.grace * TIMESCALE
        if self.on_result:
            self.on_result(line.rstrip('\r'))

    def over(self):
        """Sets and returns self.end once nothing more can come."""
        now, cfg = time.monotonic(), self.config
        if self.end:
            return self.end
        if self.console.flooded or self.results.flooded:
            which = 'console' if self.console.flooded else 'results channel'
            self.end = ('flood', f'more than {cfg.flood} bytes on the {which}')
        elif not self.select.get_map():
            self.end = ('stopped', self._how_it_stopped())
        elif self.deadline and now > self.deadline:
            self.end = ('hang', 'said that it was at its end, and stayed')
        elif now - self.heard > cfg.silence * TIMESCALE:
            self.end = ('hang', f'silent for {cfg.silence:g} s')
        elif now - self.born > cfg.total * TIMESCALE:
            self.end = ('timeout', f'not done after {cfg.total:g} s')
        return self.end

    def _how_it_stopped(self):
        """QEMU 7.2 leaves without an event when virt's power device is used,
        and under icount nobody listens.  Its status can then only make a
        verdict worse: 0 proves nothing."""
        status = self.proc.wait()
        if self.stopped is None and status == 0:
            self.stopped = 'guest-shutdown'
        return self.stopped or (
            f'emulator killed by signal {-status}' if status < 0
            else f'guest stopped with status {status}')

    def run(self):
        """Start unless started, wait for the end, judge, clean up."""
        if self.proc is None:
            self.start()
        try:
            while not self.over():
                self.pump(0.25)
            outcome, why = self.verdict()
            result = Result(outcome, why, self.parser.close(),
                            self.console.text(),
                            time.monotonic() - self.born)
            if outcome != 'pass':
                result.artifacts = postmortem.collect(self, result, ARTIFACTS)
            return result
        finally:
            self.kill()

    def verdict(self):
        """One of pass fail panic hang timeout flood crash incomplete forged;
        the first that applies, worst evidence first."""
        how, why = self.end
        rec = self.parser.close()
        said = [line for line in self.console.text().splitlines()
                if line.startswith(ktap.PANIC)]
        if how == 'flood':
            return how, why
        if rec.panic or said:
            return 'panic', rec.panic or said[0][len(ktap.PANIC):].strip()
        if how != 'stopped':
            return how, why
        if self.stopped != 'guest-shutdown':
            return 'crash', f'{why}; {self.stderr()}'.rstrip('; ')
        if rec.breaches:
            return 'forged', rec.breaches[0]
        if not rec.started and not rec.bench:
            fakes = [line for line in self.console.text().splitlines()
                     if ktap.LOOKS_LIKE.match(line)]
            if fakes:
                return 'forged', f'results on the console: {fakes[0]!r}'
        if rec.missing:
            return 'incomplete', '; '.join(dict.fromkeys(rec.missing))
        if rec.failed:
            return 'fail', f'{len(rec.failed)} of {len(rec.points)} failed'
        if rec.points and all(p.skip for p in rec.points if p.leaf):
            return 'incomplete', f'all skipped: {rec.skipped[0].reason}'
        return 'pass', f'{len(rec.points)} results'

    def stderr(self):
        self.errors.flush()
        self.errors.seek(0)
        return self.errors.read(4096).decode('utf-8', 'replace').strip()

    def kill(self):
        if self.proc is None:
            return
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        for channel in (self.console, self.results, self.qmp):
            channel.ours.close()
        self.select.close()
        self.errors.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def boot(**kw):
    """Boot a Config to its end and return the Result."""
    return Machine(Config(**kw)).run()


# --- command line -----------------------------------------------------------

def from_environment(args):
    words = dict(w.partition('=')[::2] for w in shlex.split(args.append or ''))
    return Config(vm=os.environ.get('VM', 'classic'),
                  cpus=int(os.environ.get('CPUS', '4')),
                  machine=os.environ.get('MACHINE', ''),
                  debug=os.environ.get('DEBUG', '1') != '0',
                  lane=args.lane, args=words)


def interactive(config, args):
    """Become QEMU, with console and monitor on this terminal."""
    BUILD.mkdir(exist_ok=True)
    cmd = config.command(
        ['-chardev', 'stdio,id=con,mux=on,signal=off',
         '-serial', 'chardev:con', '-mon', 'chardev=con'],
        ['-chardev', f'file,id=res,path={BUILD / "results.txt"}'])
    print('Ctrl-A X ends QEMU, Ctrl-A C is its monitor.', flush=True)
    if args.gdb:
        cmd += ['-S', '-gdb', f'tcp:127.0.0.1:{args.port}']
        print('Waiting for `make gdb`.', flush=True)
    os.execvp('setpriv', ['setpriv', '--pdeathsig', 'KILL'] + cmd)


def main():
    ap = argparse.ArgumentParser(usage=__doc__.split('usage:')[1])
    ap.add_argument('what', choices=['run', 'gdb', 'boot'])
    ap.add_argument('--gdb', action='store_true')
    ap.add_argument('--port', type=int, default=1234)
    ap.add_argument('--lane', choices=LANES, default='mttcg')
    ap.add_argument('--append', default='')
    args = ap.parse_args()
    config = from_environment(args)
    if args.what != 'gdb' and not shutil.which(ARCHES[config.arch].qemu):
        sys.exit(f'{ARCHES[config.arch].qemu} is missing: '
                 'run `sh grade/setup.sh`')
    if args.what == 'run':
        interactive(config, args)
    elif args.what == 'gdb':
        os.execvp('gdb-multiarch', postmortem.gdb_command(
            config, f':{args.port}'))
    else:
        result = Machine(config, on_result=print).run()
        print(result.explain())
        return 0 if result.passed else 1


if __name__ == '__main__':
    sys.exit(main())
