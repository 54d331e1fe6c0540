# SPDX-License-Identifier: MIT
#
# Host tests: the machine-independent kernel on the simulated machine of
# kern/arch/host, under sanitizers.  Everything goes to build/host/.

HB	:= build/host
HSAN	:= -fsanitize=address,undefined -fno-sanitize-recover=all
# Assertions look at what others change; without DEBUG each report counts.
HTSAN	:= -fsanitize=thread -UDEBUG
# Counts from several threads; no sanitizers, which add branches.
HCOV	:= --coverage -fprofile-update=prefer-atomic -DCOVERAGE=1
# gcc looks at the warnings.
HCOVER	:= -w -fsanitize=fuzzer-no-link,address,undefined \
	   -fno-sanitize-recover=all
# The kernel's own string functions get other names: see names.h.
HFLAGS	:= -std=gnu11 $(WARN) -g -O1 -MMD -MP -fno-omit-frame-pointer \
	   -fno-strict-aliasing -fno-common -DDEBUG=1
HKFLAGS	:= $(HFLAGS) -ffreestanding -Ikern -Ikern/arch/host \
	   -include kern/arch/host/names.h
HOFLAGS	:= $(HFLAGS) -D_GNU_SOURCE -iquote kern/arch/host -pthread

HOST_SRCS := kern/arch/host/cpu.c kern/arch/host/sched.c \
	kern/arch/host/mmu.c kern/arch/host/vm_env.c kern/arch/host/boot.c
HT	:= kern/vm/test
CONF_SRCS := $(HT)/ct.c $(HT)/conf_map.c $(HT)/conf_fork.c $(HT)/conf_al.c \
	$(HT)/conf_error.c
HLIB_SRCS := $(KERN_SRCS_common) $(HOST_SRCS) $(HT)/report.c
HPROG_conformance := $(HT)/conf_host.c $(CONF_SRCS)
HPROG_fuzz := $(HT)/fuzz_main.c $(HT)/fuzz.c $(HT)/fuzz_ops.c $(HT)/model.c
HPROG_fuzz-cover := $(HT)/fuzz_cover.c $(HT)/fuzz.c $(HT)/fuzz_ops.c \
	$(HT)/model.c
HPROG_litmus := $(HT)/litmus_main.c $(HT)/litmus.c kern/proc/kstack.c
HPROG_unit := $(HT)/unit_main.c $(HT)/unit_lib.c $(HT)/unit_mem.c \
	$(HT)/unit_pmap.c $(HT)/unit_tlb.c $(HT)/unit_sync.c \
	$(HT)/unit_object.c $(HT)/unit_mach.c $(HT)/unit_calls.c \
	$(HT)/unit_page.c $(HT)/unit_pageout.c $(HT)/unit_pd.c \
	$(HT)/unit_l4.c $(HT)/unit_mapdb.c $(HT)/unit_root.c $(HT)/unit_null.c \
	$(HT)/unit_swap.c
HPROG_stress := $(HT)/stress.c
HPROG_figures := $(HT)/figure_main.c
HPROGS	:= unit conformance fuzz litmus

# One set of objects a flavour: asan is the default, tsan for threads, cov
# counts, cover is for libFuzzer, which only clang has.
define host_rules
$(HB)/$(1)/kern/arch/host/os.o: kern/arch/host/os.c
	$$(call say,HOSTCC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(or $(3),$$(HOSTCC)) $$(HOFLAGS) $(2) -c -o $$@ $$<
$(HB)/$(1)/%.o: %.c
	$$(call say,HOSTCC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(or $(3),$$(HOSTCC)) $$(HKFLAGS) $(2) -c -o $$@ $$<
HLIB_$(1) := $(HB)/$(1)/kern/arch/host/os.o \
	$$(patsubst %.c,$(HB)/$(1)/%.o,$$(HLIB_SRCS))
-include $$(HLIB_$(1):.o=.d)
endef
$(eval $(call host_rules,asan,$(HSAN)))
$(eval $(call host_rules,tsan,$(HTSAN)))
$(eval $(call host_rules,cov,$(HCOV)))
$(eval $(call host_rules,cover,$(HCOVER),clang))

# $(1) flavour, $(2) its flags, $(3) program, $(4) where
define host_prog
$(4): $$(HLIB_$(1)) $$(patsubst %.c,$(HB)/$(1)/%.o,$$(HPROG_$(3)))
	$$(call say,HOSTLD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(or $(5),$$(HOSTCC)) $(2) -pthread -o $$@ $$^
-include $$(patsubst %.c,$(HB)/$(1)/%.d,$$(HPROG_$(3)))
endef
$(foreach p,$(HPROGS),$(eval \
    $(call host_prog,asan,$(HSAN),$(p),$(HB)/$(p))))
$(eval $(call host_prog,asan,$(HSAN),figures,$(HB)/figures))
$(eval $(call host_prog,tsan,$(HTSAN),stress,$(HB)/stress-tsan))
$(eval $(call host_prog,asan,$(HSAN),stress,$(HB)/stress))

$(foreach p,$(HPROGS) stress,$(eval \
    $(call host_prog,cov,$(HCOV),$(p),$(HB)/cov/$(p))))

$(eval $(call host_prog,cover,$(HCOVER) -fsanitize=fuzzer,fuzz-cover,$(HB)/fuzz-cover,clang))

.PHONY: host-tsan
host-tsan: $(HB)/stress-tsan	## several CPUs as threads under the race detector
	$(Q)$(HB)/stress-tsan

.PHONY: conformance-host host-test faults-host
host-test: $(HPROGS:%=$(HB)/%)	## all host tests, quick (under 60 s)
	$(Q)BRIEF=1 $(HB)/unit
	$(Q)BRIEF=1 $(HB)/conformance -q
	$(Q)BRIEF=1 $(HB)/litmus -p -n 40
	$(Q)BRIEF=1 $(HB)/fuzz -t 10 -s 1

faults-host: $(HB)/conformance	## every allocation fails once, every configuration
	$(Q)BRIEF=1 $(HB)/conformance -f

conformance-host: $(HB)/conformance ## the suite for vm_ops on the host port
	$(Q)$(HB)/conformance

SECONDS	?= 10
SEED	?= 1
.PHONY: fuzz
fuzz: $(HB)/fuzz	## random operations against a model (SECONDS=, SEED=)
	$(Q)$(HB)/fuzz -t $(SECONDS) -s $(SEED) -o build/fuzz-$(SEED).json

.PHONY: coverage
coverage: $(addprefix $(HB)/cov/,$(HPROGS) stress) ## lines and branches that the host tests reach (SECONDS=)
	$(Q)GCOV='$(subst gcc,gcov,$(HOSTCC))' $(PYTHON) $(HT)/coverage.py \
	    --seconds $(SECONDS) $(ARGS)

# The corpus stays: each run goes on from what earlier ones have reached.
.PHONY: fuzz-cover differential hypothesis
fuzz-cover: $(HB)/fuzz-cover $(HB)/fuzz	## the same, led by coverage (libFuzzer; SECONDS=)
	$(Q)mkdir -p build/corpus
	$(Q)echo '{"kind": "fuzz-cover", "passed": false}' >build/fuzz-cover.json
	$(Q)$(HB)/fuzz-cover build/corpus -max_total_time=$(SECONDS) \
	    -max_len=3208 -timeout=90 -rss_limit_mb=0 -len_control=0 \
	    -artifact_prefix=build/fuzz-cover- $(ARGS)
	$(Q)printf '{"kind": "fuzz-cover", "passed": true, "corpus": %d}\n' \
	    $$(ls build/corpus | wc -l) >build/fuzz-cover.json

hypothesis: $(HB)/fuzz	## the same, short and shrunk (ARGS=--examples N)
	$(Q)$(PYTHON) $(HT)/hypo.py $(ARGS)

differential: $(HB)/fuzz	## the same operations through every design (SECONDS=, SEED=)
	$(Q)$(HB)/fuzz -c -t $(SECONDS) -s $(SEED) \
	    -o build/differential-$(SEED).json

# Everything that mutants.py needs to build a changed copy.
MUTANT_ENV = M_CC='$(HOSTCC)' M_FLAGS='$(HKFLAGS) $(HSAN)' M_SAN='$(HSAN)' \
	M_SOURCES='$(HLIB_SRCS)' M_PROG_litmus='$(HPROG_litmus)' \
	M_PROG_fuzz='$(HPROG_fuzz)' M_PROG_unit='$(HPROG_unit)' \
	M_PROG_conformance='$(HPROG_conformance)' \
	M_CC_COVER=clang M_FLAGS_COVER='$(HKFLAGS) $(HCOVER)' \
	M_SAN_COVER='$(HCOVER) -fsanitize=fuzzer' \
	M_PROG_cover='$(HPROG_fuzz-cover)'

.PHONY: litmus planted mutate
mutate: $(HPROGS:%=$(HB)/%)	## delete each flush, lock, check ... in turn (ARGS=--sample N)
	$(Q)$(MUTANT_ENV) $(PYTHON) $(HT)/mutate.py $(ARGS)

litmus: $(HB)/litmus	## shootdown conditions C1-C12, each with its mutants
	$(Q)$(MUTANT_ENV) $(PYTHON) $(HT)/mutants.py litmus $(NAME)

planted: $(HB)/fuzz $(HB)/conformance $(HB)/unit	## planted bugs that must be found (TOOL=hypothesis|cover|fuzz measures it)
	$(Q)$(MUTANT_ENV) $(PYTHON) $(HT)/mutants.py planted \
	    $(if $(TOOL),--tool $(TOOL)) $(NAME)

# The same cases as a program in the OS; see user/test/conformance.c.
.PHONY: conformance
conformance: conformance-host build/$(ARCH)/debug/tern.elf build/$(ARCH)/root.img ## host port, then the OS with 1 and 4 CPUs
	@ARCH=$(ARCH) VM=$(VM) $(PYTHON) grade/conformance.py
