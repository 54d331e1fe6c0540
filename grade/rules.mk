# SPDX-License-Identifier: MIT
#
# Targets that run something: QEMU, tests, checks, benchmarks.

# Pytest and drivers get the settings of this make through the environment.
GRADE	= ARCH=$(ARCH) VM=$(VM) CPUS=$(CPUS) DEBUG=$(DEBUG) $(PYTHON)

.PHONY: qemu qemu-gdb gdb demo test test-all bench results check doctor
qemu: $(KERNEL) $(ROOT)	## boot to a shell on this terminal (CPUS=4)
	@$(GRADE) grade/qemu.py run

qemu-gdb: $(KERNEL) $(ROOT)	## the same, stopped, waiting for `make gdb`
	@$(GRADE) grade/qemu.py run --gdb

gdb:			## attach gdb to `make qemu-gdb`
	@$(GRADE) grade/qemu.py gdb

# The flags of `make check` for headers; symbols need the objects.
CHECK_ENV = ARCH=$(ARCH) CHECK_CC='$(CC)' CHECK_KFLAGS='$(KFLAGS)' \
	    CHECK_UFLAGS='$(UFLAGS)'

check: $(KOBJS_debug)	## format, layers, symbols, headers, sizes, docs (< 60 s)
	@$(CHECK_ENV) $(PYTHON) grade/check/run.py

doctor:			## what is installed, and how to repair what is not
	@$(PYTHON) grade/doctor.py

# --- self-test kernels: each shows the harness one kind of ending -----------

GUEST_DIR := grade/selftest_kernels
GUESTS	:= chatter empty_plan exit_code flood flood_results forged hang late \
	   late_panic lie lingers long_plan midplan no_plan numbers panic \
	   panic_early pass reset short_plan silent spin stdin subtests two_plans
GUEST_ELFS := $(GUESTS:%=build/selftest/%.elf)

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
