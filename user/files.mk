# SPDX-License-Identifier: MIT
#
# User land: the library, programs, tests, benchmarks and the root image.
# Included by the top-level Makefile; also works alone (make -f user/files.mk).
# Everything builds for both machines, because the same sources run on Linux:
#   build/ARCH/user/{lib,bin,test}   and for Tern   build/ARCH/root.img

ARCH	?= riscv
Q	?= @

USER_ARCHS := riscv x86_64
UCROSS_riscv := riscv64-linux-gnu-
UCROSS_x86_64 := $(if $(filter x86_64%,$(shell gcc -dumpmachine \
	2>/dev/null)),,x86_64-linux-gnu-)
UFLAGS_riscv := -march=rv64gc -mabi=lp64d -mcmodel=medany
UFLAGS_x86_64 := -march=x86-64 -mno-red-zone -fcf-protection=none

USER_LIB := start env string printf input syscall signal term malloc \
	thread procinfo
USER_BIN := init sh ls cat echo wc grep kill ps free vmstat maps sleep time \
	stress true false uname env hexdump poweroff ktest mkdir rmdir rm ln \
	mv cp head tail tee df sync edit top
USER_TEST := proc pipe mem cow thread sig file badcall elf fp time tlb al \
	job tty edit shell glibc oom conformance machine write fmap swap powercut mach l4 sweep nth secret half
USER_BENCH := bench
USER_L4	:= heap_pager pager_chain hostile_pager

SH_FILES := sh_parse sh_word sh_job
EDIT_FILES := edit_text edit_screen
MACHINE_riscv := machine_riscv
MACHINE_x86_64 := machine_x86_64 oldcalls_x86_64
SWEEP_FILES := sweep_calls sweep_args
CT_FILES := ct conf_map conf_fork conf_al conf_error
UFLAGS_conformance := -Ikern/vm/test

UWARN	:= -Wall -Wextra -Werror -Wshadow -Wundef -Wvla -Wstrict-prototypes \
	   -Wmissing-prototypes -Wold-style-definition -Wwrite-strings \
	   -Wpointer-arith -Wcast-qual -Wredundant-decls -Wformat=2 \
	   -Wimplicit-fallthrough
UFLAGS	:= -std=gnu11 $(UWARN) -g -O2 -MMD -MP -ffreestanding -fno-common \
	   -fno-strict-aliasing -fno-stack-protector -fno-pic -fno-pie \
	   -ffunction-sections -fdata-sections -Ikern -Iuser/lib -Iuser/test
# string.c: a loop that sets memory must not become a call of memset.
UFLAGS_string := -fno-tree-loop-distribute-patterns
ULDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--gc-sections \
	   -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,-z,separate-code \
	   -Wl,--fatal-warnings

usay	= @printf '  %-7s %s\n' '$(1)' '$(2)'

# One machine.  $(1) = riscv | x86_64
define user_rules
UO_$(1)	:= build/$(1)/user
UCC_$(1) := $(UCROSS_$(1))gcc $(UFLAGS) $(UFLAGS_$(1)) -Iuser/lib/$(1)
ULIBO_$(1) := $(USER_LIB:%=build/$(1)/user/lib/%.o) \
	build/$(1)/user/lib/$(1)/crt0.o
UPROGS_$(1) := $(USER_BIN:%=build/$(1)/user/bin/%) \
	$(USER_BENCH:%=build/$(1)/user/bin/%) \
	$(USER_L4:%=build/$(1)/user/l4/%) \
	build/$(1)/user/bin/tiny build/$(1)/user/bin/hello-glibc \
	$(USER_TEST:%=build/$(1)/user/test/%)

build/$(1)/user/%.o: user/%.c
	$$(call usay,CC,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(UCC_$(1)) $$(UFLAGS_$$(notdir $$*)) -c -o $$@ $$<
build/$(1)/user/%.o: user/%.S
	$$(call usay,AS,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(UCC_$(1)) -c -o $$@ $$<
build/$(1)/user/libtern.a: $$(ULIBO_$(1))
	@rm -f $$@
	$(Q)$(UCROSS_$(1))ar rcsD $$@ $$^
$(USER_BIN:%=build/$(1)/user/bin/%): %: %.o build/$(1)/user/libtern.a
	$$(call usay,LD,$$@)
	$(Q)$$(UCC_$(1)) $(ULDFLAGS) -o $$@ $$(filter %.o,$$^) \
	    build/$(1)/user/libtern.a
$(USER_TEST:%=build/$(1)/user/test/%): %: %.o \
    build/$(1)/user/test/ktap.o build/$(1)/user/test/probe.o build/$(1)/user/libtern.a
	$$(call usay,LD,$$@)
	$(Q)$$(UCC_$(1)) $$(ULDFLAGS) -o $$@ $$^
build/$(1)/user/bin/sh: $(SH_FILES:%=build/$(1)/user/bin/%.o)
build/$(1)/user/bin/edit: $(EDIT_FILES:%=build/$(1)/user/bin/%.o)
# The suite that also runs on the host port; linked high, see conformance.c.
build/$(1)/user/ct/%.o: kern/vm/test/%.c
	$$(call usay,CC,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(UCC_$(1)) -c -o $$@ $$<
build/$(1)/user/test/conformance: $(CT_FILES:%=build/$(1)/user/ct/%.o)
build/$(1)/user/test/sweep: $(SWEEP_FILES:%=build/$(1)/user/test/%.o)
build/$(1)/user/test/machine: $$(MACHINE_$(1):%=build/$(1)/user/test/%.o)
build/$(1)/user/test/conformance: ULDFLAGS += -Wl,-Ttext-segment=0x40000000
$(USER_BENCH:%=build/$(1)/user/bin/%): build/$(1)/user/bin/%: \
    build/$(1)/user/bench/%.o build/$(1)/user/libtern.a
	$$(call usay,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(UCC_$(1)) $(ULDFLAGS) -o $$@ $$^
build/$(1)/user/bin/bench: build/$(1)/user/bench/bench_l4.o
# Pagers in user space; they need vm=l4.
$(USER_L4:%=build/$(1)/user/l4/%): %: %.o build/$(1)/user/l4/pager.o \
    build/$(1)/user/libtern.a
	$$(call usay,LD,$$@)
	$(Q)$$(UCC_$(1)) $(ULDFLAGS) -o $$@ $$^
# The exec benchmark's target is one segment, as the peers' was.
build/$(1)/user/bin/tiny: build/$(1)/user/bench/tiny.o
	$$(call usay,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(UCC_$(1)) $(ULDFLAGS) -Wl,-z,noseparate-code -o $$@ $$^
# What a distribution builds: its compiler, its static glibc, its defaults.
build/$(1)/user/bin/hello-glibc: user/test/hello-glibc.c
	$$(call usay,GLIBC,$$@)
	@mkdir -p $$(@D)
	$(Q)$(UCROSS_$(1))gcc -O2 -static -o $$@ $$< -lm
# EXTRA=FILES goes into the image too: docs/howto/run-linux-programs.md.  The
# list is rewritten when it changes, so that the image is made again.
EXTRA_$(1) := $(if $(filter $(1),$(ARCH)),$(EXTRA))
build/$(1)/extra: FORCE
	@mkdir -p $$(@D)
	@echo '$$(EXTRA_$(1))' | cmp -s - $$@ || echo '$$(EXTRA_$(1))' >$$@
build/$(1)/root.img: $$(UPROGS_$(1)) user/mkroot.py user/test/bad_elf.py \
    build/$(1)/extra $$(if $$(EXTRA_$(1)),$$(shell find $$(EXTRA_$(1)) -type f))
	$$(call usay,IMAGE,$$@)
	$(Q)$(or $(PYTHON),python3) user/mkroot.py build/$(1)/root --image $$@ \
	    --strip $(UCROSS_$(1))objcopy \
	    --bin $$(filter build/$(1)/user/bin/% build/$(1)/user/l4/%, \
		$$(UPROGS_$(1))) \
	    --test $$(filter build/$(1)/user/test/%,$$(UPROGS_$(1))) \
	    --machine $(1) --extra $$(EXTRA_$(1))
-include $$(wildcard build/$(1)/user/*/*.d build/$(1)/user/*/*/*.d)
endef
$(foreach a,$(USER_ARCHS),$(eval $(call user_rules,$(a))))

.SECONDARY:
.PHONY: FORCE user-progs
user-progs: $(UPROGS_$(ARCH))

# --- the same tests on Linux, the free reference ------------------------------
# Groups whose calls Linux has; what differs by right skips itself.
LINUX_GROUPS := $(filter-out oom powercut,$(USER_TEST))
EMULATOR_riscv := qemu-riscv64
LINUX_RUN = setpriv --pdeathsig KILL timeout 300

.PHONY: user-linux-test user-linux-test-x86_64 user-linux-test-riscv
user-linux-test: user-linux-test-x86_64 user-linux-test-riscv	## in-OS tests on Linux: native, then below qemu-riscv64
user-linux-test-x86_64: build/x86_64/root.img
	TEST_ROOT=$(CURDIR)/build/x86_64/root $(LINUX_RUN) \
	    build/x86_64/user/bin/ktest $(LINUX_GROUPS)
user-linux-test-riscv: build/riscv/root.img
	@failed=0; for g in $(LINUX_GROUPS); do \
	    KTAP_EMULATED=1 TEST_ROOT=$(CURDIR)/build/riscv/root $(LINUX_RUN) \
	    $(EMULATOR_riscv) build/riscv/user/test/$$g || failed=1; done; \
	    exit $$failed
