# SPDX-License-Identifier: MIT
#
# Host test of kern/fs: images of three block sizes, compared with the tree that
# they were made from, then damaged.  `make fs-test ROUNDS=n SEED=s`.

FST	:= kern/fs/test
FSB	:= build/host/fs
FS_FLAGS := -std=gnu11 $(WARN) -g -O1 -MMD -MP -fno-omit-frame-pointer \
	   -fno-strict-aliasing -fno-common -DDEBUG=1 -Ikern \
	   -fsanitize=address,undefined -fno-sanitize-recover=all
FS_KFLAGS := $(FS_FLAGS) -ffreestanding -Ikern/arch/host \
	   -include kern/arch/host/names.h
FS_SRCS	:= $(filter kern/lib/% kern/sync/%,$(KERN_SRCS_common)) \
	kern/vm/copy.c kern/vm/object.c kern/proc/file.c kern/proc/block.c kern/proc/device.c \
	$(filter-out kern/fs/procfs% kern/fs/writeback.c,$(filter kern/fs/%, \
	$(KERN_SRCS_files))) kern/dev/null.c $(FST)/kernel.c \
	$(FST)/fs_test.c $(FST)/damage.c $(FST)/fuzz.c $(FST)/write.c
FS_OBJS	:= $(patsubst %.c,$(FSB)/%.o,$(FS_SRCS)) $(FSB)/$(FST)/os.o
FS_IMAGES := $(foreach b,1024 2048 4096,$(FSB)/$(b).img)

$(FSB)/$(FST)/os.o: $(FST)/os.c
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(FS_FLAGS) -D_GNU_SOURCE -c -o $@ $<
$(FSB)/%.o: %.c
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(FS_KFLAGS) -c -o $@ $<
$(FSB)/fs_test: $(FS_OBJS)
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) -fsanitize=address,undefined -o $@ $^
-include $(FS_OBJS:.o=.d)

$(FSB)/tree.stamp: $(FST)/mktree.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $< $(FSB)/tree
	$(Q)touch $@
$(FS_IMAGES): $(FSB)/%.img: $(FSB)/tree.stamp
	$(call say,MKE2FS,$@)
	$(Q)rm -f $@
	$(Q)PATH=$$PATH:/usr/sbin:/sbin mke2fs -q -t ext2 -b $* -d $(FSB)/tree \
	    $@ 6M

.PHONY: fs-test
fs-test: $(FSB)/fs_test $(FS_IMAGES) ## paths, ext2, writing, damaged images (ROUNDS=500)
	$(Q)export PATH=$$PATH:/usr/sbin:/sbin; for image in $(FS_IMAGES); do \
	    $(FSB)/fs_test $(FSB)/tree $$image $(or $(SEED),1) \
	    $(or $(ROUNDS),500) || exit 1; \
	done

.PHONY: fs-planted
fs-planted: $(FSB)/4096.img	## planted bugs of ext2 that fs_test must find
	$(Q)$(PYTHON) $(FST)/planted.py $(NAME)
