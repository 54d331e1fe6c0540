# SPDX-License-Identifier: MIT
"""Backtraces of the kernel: through traps, and of threads that do not run.

An unwinder of ours claims frames that no debug information describes.  A frame
in trap_entry.S is a trap frame: `bt` goes on with what was interrupted, and
ends in user mode.  And while `pending` is set, the innermost frame of the CPU gives
way to the saved context of a blocked thread, so that gdb unwinds the stack of
the thread; no register of the guest is written for it.
"""

import gdb
from gdb.unwinder import Unwinder

import kernel

DEPTH = 40


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def in_trap_entry(pc):
    symtab = gdb.find_pc_line(pc).symtab
    return symtab is not None and \
        symtab.filename.endswith(kernel.machine().trap_entry)


class TernUnwinder(Unwinder):
    """See above.  gdb asks it first, for every frame."""

    def __init__(self):
        super().__init__('tern')
        self.pending = None     # (pc, sp) of the CPU, {register: value}

    def __call__(self, frame):
        try:
            return self.claim(frame)
        except (gdb.error, gdb.GdbError):
            return None

    def claim(self, frame):
        pc = int(frame.read_register('pc'))
        sp = int(frame.read_register('sp'))
        if self.pending and self.pending[0] == (pc, sp):
            saved = self.pending[1]
            # Below the frames to come: gdb wants stacks to grow outwards.
            return self.info(frame, saved['sp'] - 16, pc, saved)
        if 0 < pc < kernel.machine().user_max:
            return self.outermost(frame, sp)
        if in_trap_entry(pc):
            if frame.level() == 0:      # perhaps without a trap frame yet
                return self.outermost(frame, sp)
            return self.info(frame, sp, pc, self.trapped(frame, sp))
        return None

    def outermost(self, frame, sp):
        """Its caller would be a frame like itself: there gdb stops."""
        return self.info(frame, (1 << 64) - 16, 0, {'pc': 1, 'sp': sp})

    def trapped(self, frame, sp):
        """Registers of what was interrupted, from the trap frame at sp; those
        that it lacks still have their values."""
        m = kernel.machine()
        tf = kernel.pointer(sp, 'struct trapframe')
        end = sp + kernel.ctype('struct trapframe').sizeof
        if end % m.kstack_size == 0:        # from user mode
            field = {'sp': 'sp', **dict(m.trapframe)}
            return {r: int(tf[field[r]]) for r in ('pc', 'sp')}
        saved = {r: int(frame.read_register(r)) for r, _ in m.context
                 if r not in ('pc', 'sp', 'gp')}
        saved['sp'] = end
        saved.update({r: int(tf[f]) for r, f in m.trapframe})
        return saved

    @staticmethod
    def info(frame, sp, pc, saved):
        """The answer to gdb: an identity, and the caller's registers."""
        info = frame.create_unwind_info(FrameId(gdb.Value(sp), gdb.Value(pc)))
        word = gdb.lookup_type('unsigned long')
        alias = kernel.machine().alias
        for name, value in saved.items():
            info.add_saved_register(alias.get(name, name),
                                    gdb.Value(value).cast(word))
        return info


UNWINDER = TernUnwinder()


def install():
    gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)


def describe(frame, n):
    """One line of a backtrace."""
    if frame.pc() < kernel.machine().user_max:
        return f'    #{n:<2} {frame.pc():#018x} in user mode'
    name = frame.name() or kernel.where(frame.pc())
    sal = frame.find_sal()
    at = f' at {sal.symtab.filename}:{sal.line}' if sal.symtab else ''
    return f'    #{n:<2} {frame.pc():#018x} in {name}{at}'


def frames_of(frame, lines=None):
    """gdb frames from the given one outwards (None: the innermost), and their
    lines."""
    found = []
    try:
        frame = frame or gdb.newest_frame()
        while frame is not None and len(found) < DEPTH and frame.pc() != 0:
            found.append(frame)
            if lines is not None:
                lines.append(describe(frame, len(lines)))
            frame = frame.older()
    except gdb.error:
        pass                # the outermost frame has no caller to be found
    return found


class thread_frames:
    """with thread_frames(t) as (frames, lines): of a thread that is not on a
    CPU; inside of kernel.view()."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        m = kernel.machine()
        ctx = self.thread['ctx']
        saved = {}
        for reg, field in m.context:
            array = field.split('[')
            value = ctx[array[0]]
            if len(array) > 1:
                value = value[int(array[1].rstrip(']'))]
            saved[reg] = int(value)
        here = (kernel.register('pc'), kernel.register('sp'))
        UNWINDER.pending = (here, saved)
        gdb.invalidate_cached_frames()
        frame, lines = gdb.newest_frame(), []
        # Skip what the CPU itself is doing: frames inlined into its pc too.
        while frame is not None and frame.pc() != saved['pc']:
            frame = frame.older()
        frames = frames_of(frame, lines)
        return frames, lines

    def __exit__(self, *_):
        UNWINDER.pending = None
        gdb.invalidate_cached_frames()


# --- what a blocked thread waits for ----------------------------------------

# Functions on the way from "I must wait" to the switch; the next one says why.
MACHINERY = {
    'context_switch', 'schedule', 'block', 'block_until', 'sched_block',
    'sched_yield', 'waitq_wait',
    'sleep_lock', 'sleep_lock_nested', 'sleep_lock_shared', 'lock_exclusive',
    'vm_env_wait', 'context_start', 'sched_finish_switch',
}


def waits_for(thread):
    """'child in proc_wait': queue (DEBUG builds name them) and function."""
    with thread_frames(thread) as (frames, _):
        queue, function = '', ''
        for f in frames:
            name = f.name() or ''
            if name == 'waitq_wait' and not queue:
                queue = queue_name(f)
            if name and name not in MACHINERY:
                function = name
                break
        return f'{queue} in {function}' if queue else function


def queue_name(frame):
    """The waiter stands on the stack and is linked into its queue; the head of
    the list is the only node that is not on a kernel stack."""
    lo, hi = kernel.machine().kstack
    try:
        at = frame.read_var('w')['link']['next']
        for _ in range(1000):
            if not lo <= int(at) < hi:
                break
            at = at['next']
        else:
            return ''       # a queue on a stack (vfork), or a broken list
        queue = kernel.pointer(
            int(at) - kernel.offset_of('struct waitq', 'waiters'),
            'struct waitq')
        return kernel.text(queue['lock']['name'])
    except (gdb.error, ValueError):
        return ''
