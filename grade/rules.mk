# SPDX-License-Identifier: MIT
#
# Targets that run something: QEMU, tests, checks, benchmarks.

# Pytest and drivers get the settings of this make through the environment.
GRADE	= ARCHS='$(ARCHS)' ARCH=$(ARCH) VM=$(VM) CPUS=$(CPUS) MACHINE='$(MACHINE)' DEBUG=$(DEBUG) $(PYTHON)

.PHONY: qemu qemu-gdb gdb demo test test-all bench faults results check doctor
qemu: $(KERNEL) $(ROOT)	## boot to a shell on this terminal (CPUS=4)
	@$(GRADE) grade/qemu.py run

qemu-gdb: $(KERNEL) $(ROOT)	## the same, stopped, waiting for `make gdb`
	@$(GRADE) grade/qemu.py run --gdb

gdb:			## attach gdb to `make qemu-gdb`
	@$(GRADE) grade/qemu.py gdb

# The flags of `make check` for headers; symbols need the objects.
CHECK_ENV = ARCH=$(ARCH) CHECK_CC='$(CC)' CHECK_KFLAGS='$(KFLAGS)' \
	    CHECK_UFLAGS='$(UFLAGS) $(UFLAGS_$(ARCH)) -Iuser/lib/$(ARCH)'

# A kernel that does not build fails the check, after the other rules ran.
.PHONY: objects
objects: $(KOBJS_debug)

# One architecture; the second one needs only the rules that look at objects
# and flags.
.PHONY: check-arch
check-arch:
	@$(MAKE) -ks DEBUG=1 objects >/dev/null 2>&1; built=$$?; \
	$(CHECK_ENV) $(PYTHON) grade/check/run.py $(RULES) && \
	{ [ $$built = 0 ] || { echo 'check: the kernel does not build'; \
	exit 1; }; }

check:			## format, layers, symbols, headers, sizes, docs (under 60 s)
	@$(MAKE) -s check-arch ARCH=$(firstword $(ARCHS))
	@for arch in $(wordlist 2,9,$(ARCHS)); do echo "check $$arch"; \
	$(MAKE) -s check-arch ARCH=$$arch RULES='symbols headers' || exit 1; done

# Prerequisites are expanded where they stand: names come before rules.
GUEST_DIR := grade/selftest_kernels
GUESTS	:= chatter empty_plan exit_code flood flood_results forged hang late \
	   late_panic lie lingers long_plan midplan no_plan numbers panic \
	   panic_early pass reset short_plan silent spin stdin subtests two_plans
GUEST_ELFS := $(GUESTS:%=build/selftest/%.elf)

# What the host port contributes comes from kern/vm/test/rules.mk.
HOST_TEST := $(if $(wildcard kern/vm/test/rules.mk),host-test)
KERNELS	:= $(O)/debug/tern.elf $(O)/release/tern.elf

# All that boots on one architecture.
.PHONY: bootable all-bootable
bootable: $(KERNELS) $(ROOT)
all-bootable:
	@for arch in $(ARCHS); do $(MAKE) ARCH=$$arch bootable || exit 1; done

test: ROUNDS = 60
test: check $(HOST_TEST) fs-test models-sample $(GUEST_ELFS) all-bootable real	## all that must pass before a push (under 20 min)
	$(Q)mkdir -p build
	$(GRADE) -m pytest -q -n 2 --junitxml=build/junit.xml grade/suites

test-all: all-bootable	## the full matrix; goes on where it stopped
	@$(GRADE) grade/matrix.py $(ARGS)

bench: CPUS = 1
bench: $(O)/release/tern.elf $(ROOT)	## guest instructions per operation
	@$(GRADE) grade/bench.py $(NAME)

build/host/fold: grade/trace/fold.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 $(WARN) -O2 -o $@ $<

.PHONY: trace
trace: $(O)/release/tern.elf $(ROOT) build/host/fold	## instructions by kernel function (NAME=cow_copy MINIMUM=50)
	@$(GRADE) grade/trace.py $(NAME) $(MINIMUM)

demo: bootable	## boot, run the tests in the OS, benchmarks
	@$(GRADE) grade/demo.py

faults: $(O)/debug/tern.elf $(ROOT)	## damaged images, failing allocations, bad arguments
	@$(GRADE) grade/faults.py $(ARGS)

.PHONY: sweep planted-os
sweep: $(O)/debug/tern.elf $(ROOT)	## each system call 10^6 times, leaks, racing unmaps (ARGS='--count N')
	@$(GRADE) grade/sweep.py $(ARGS)

planted-os: all-bootable	## kernels with a planted bug, which tests in the OS must find (NAME=)
	@$(GRADE) grade/planted.py $(NAME)

.PHONY: torture stress
stress: $(O)/debug/tern.elf $(ROOT)	## load on 8 CPUs for 10 minutes (ARGS='--minutes N --cpus N')
	@$(GRADE) grade/stress.py $(ARGS)

torture: $(O)/debug/tern.elf $(ROOT)	## cut the power while files are written (ROUNDS=20)
	@$(GRADE) grade/torture.py --rounds $(or $(ROUNDS),20) $(ARGS)

.PHONY: models models-sample models-long
# What `make test` has the time for.
models-sample: NAME = waitq mapdb
models-sample: models

models:			## prove the models of docs/models.md, find their planted bugs
	@$(PYTHON) grade/models/models.py $(NAME)

models-long:		## the shootdown with 4 CPUs, 2 initiators, every policy
	@$(PYTHON) grade/models/models.py --long $(NAME)

.PHONY: assurance
assurance:		## table: method, target, result, planted bugs (ARGS=--write)
	@$(PYTHON) grade/assurance.py $(ARGS)

results:		## rewrite docs/results.md from the runs in build/
	@$(PYTHON) grade/results.py

doctor:			## what is installed, and how to repair what is not
	@$(PYTHON) grade/doctor.py

# --- self-test kernels: each shows the harness one kind of ending -----------

build/selftest/%.elf: $(GUEST_DIR)/%.c $(GUEST_DIR)/start.S \
    $(GUEST_DIR)/guest.h $(GUEST_DIR)/kernel.ld | need-cc
	$(call say,GUEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CROSS_riscv)gcc -std=gnu11 $(WARN) -O1 -g -ffreestanding \
	    -fno-pic -fno-stack-protector $(CFLAGS_riscv) -nostdlib -static \
	    -Wl,--build-id=none,--no-warn-rwx-segments -T $(GUEST_DIR)/kernel.ld -o $@ \
	    $(GUEST_DIR)/start.S $<

.PHONY: selftest-kernels
selftest-kernels: $(GUEST_ELFS)
