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

check:			## format, layers, symbols, headers, sizes, docs (< 60 s)
	@$(PYTHON) grade/check/run.py

doctor:			## what is installed, and how to repair what is not
	@$(PYTHON) grade/doctor.py
