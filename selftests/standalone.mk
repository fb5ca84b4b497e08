# SPDX-License-Identifier: GPL-2.0-only
#
# What the Makefiles of the tests share outside the kernel's tree: they build
# $(programs) in OUTPUT, with the harness that KSFT holds, and tests.list, the names of
# the programs.  PATIENCE=N gives everything N times as long, for a kernel that is slow.

ifeq ($(filter clean,$(MAKECMDGOALS)),)
ifeq ($(OUTPUT),)
$(error say where to build: make OUTPUT=directory KSFT=directory)
endif
ifeq ($(wildcard $(KSFT)/kselftest_harness.h),)
$(error KSFT=$(KSFT) holds no kselftest_harness.h; the kernel source has it in tools/testing/selftests)
endif
endif

CPPFLAGS += $(if $(PATIENCE),-DPATIENCE=$(PATIENCE))

.PHONY: all clean
all: $(OUTPUT)/tests.list

$(OUTPUT)/tests.list: $(addprefix $(OUTPUT)/,$(programs)) Makefile
	@printf '%s\n' $(programs) > $@

$(OUTPUT):
	mkdir -p $@
