# SPDX-License-Identifier: GPL-2.0-only
#
# "make help" says what there is.

PREFIX  ?= /usr/local
KERNEL  ?= 6.1
SMP     ?= 2
INPUT   ?=
FUZZ    ?=
MINUTES ?= 60
BENCH   ?=

RUNNING := $(shell uname -r)
BUILD   := $(CURDIR)/build/module

# The running kernel's headers, where they are; KDIR=... names others.
KDIR ?= $(patsubst %/Makefile,%,$(wildcard /lib/modules/$(RUNNING)/build/Makefile))

# BTF for debuggers needs pahole, and may be missing.
BTF := $(if $(shell command -v pahole),,CONFIG_DEBUG_INFO_BTF_MODULES=)

.PHONY: all deps module libchan install load unload demo check check-all soak kills \
	seeded coverage bench bench-gate lint clean help

all: module libchan

deps:
	@scripts/deps build

# Built from a copy, so that the work tree stays clean.
module: deps
	@mkdir -p $(BUILD)
	@cp -u --parents Kbuild module/*.[ch] uapi/linux/*.h $(BUILD)
	@set -e; kdir='$(KDIR)'; \
	if [ -z "$$kdir" ]; then \
		echo "make: no headers for the running kernel, $(RUNNING): building the module for kernel $(KERNEL) of scripts/kernel"; \
		kdir=$$(scripts/kernel $(KERNEL))/build; \
	fi; \
	echo "$$kdir" > $(BUILD)/kdir; \
	$(MAKE) -C "$$kdir" M=$(BUILD) $(BTF) modules

libchan: deps
	$(MAKE) -C libchan

# A distribution sets DESTDIR and PREFIX=/usr.
install: module libchan
	$(MAKE) -C libchan install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	install -D -m 644 uapi/linux/kchan.h $(DESTDIR)$(PREFIX)/include/linux/kchan.h
	install -D -m 644 scripts/60-kchan.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-kchan.rules
	$(MAKE) -C "$$(cat $(BUILD)/kdir)" M=$(BUILD) modules_install \
		INSTALL_MOD_PATH=$(DESTDIR) DEPMOD=true CONFIG_MODULE_SIG_ALL=
	$(if $(DESTDIR),,depmod "$$(cat "$$(cat $(BUILD)/kdir)/include/config/kernel.release")")

load: $(if $(KDIR),module)
	@scripts/load $(BUILD)/kchan.ko

unload:
	@scripts/load --unload

demo:
	@scripts/demo $(INPUT)

check:
	@scripts/check --kernel $(KERNEL) --smp $(SMP) $(if $(FUZZ),--fuzz $(FUZZ))

check-all:
	@scripts/check-all --smp $(SMP)

# Guided mode needs KCOV, which only debug has.
soak:
	@selftests/fuzz/run --kernel debug --smp $(SMP) --seconds $$(($(MINUTES) * 60 / 3))
	@selftests/fuzz/run --kernel race --smp $(SMP) --seconds $$(($(MINUTES) * 60 / 2))

kills:
	@selftests/kills/run --kernel $(KERNEL) --smp $(SMP)

seeded:
	@selftests/seeded/run

coverage:
	@selftests/coverage/run --html build/coverage

bench:
	@selftests/bench/run --kernel $(KERNEL) $(or $(BENCH),--icount --smp $(SMP))

bench-gate:
	@selftests/bench/gate

lint:
	@scripts/check --lint --kernel $(KERNEL)

clean:
	rm -rf build
	$(MAKE) -C libchan clean

help:
	@echo 'make                      the module, libchan and its examples'
	@echo 'make install              all of it; as root, or with DESTDIR=...; PREFIX=$(PREFIX)'
	@echo 'make load, make unload    the module, in the running kernel; as root'
	@echo 'make demo [INPUT="FILE..."]'
	@echo '                          words counted, primes found, lines merged, files summed'
	@echo '                          and workers cancelled, in a virtual machine'
	@echo 'make check [KERNEL=NAME] [SMP=N] [FUZZ=SECONDS]'
	@echo '                          all tests, in a virtual machine too; scripts/kernel --help'
	@echo '                          lists the kernels; FUZZ: also, so long, on kernel debug'
	@echo 'make check-all [SMP=N]    the same with all kernels, and a table in the end'
	@echo 'make soak [MINUTES=60]    fuzz so long on kernel debug, and on kernel race'
	@echo 'make kills [KERNEL=NAME]  10,000 processes killed at any moment: is anything lost?'
	@echo 'make seeded               are bugs found that we have put in?'
	@echo 'make coverage             what of the module do the tests reach?  build/coverage'
	@echo 'make bench [SMP=N] [KERNEL=NAME] [BENCH="OPTION..."]'
	@echo '                          kchan against what people use today: a table, JSON and plots,'
	@echo '                          in build/bench; selftests/bench/run --help has the options'
	@echo 'make bench-gate           does kchan take more instructions than the figures kept?'
	@echo 'make lint                 only what reads the sources'
	@echo 'make clean                remove what was built'
	@echo 'scripts/vm -- CMD         run a command in a virtual machine; scripts/vm --help'
	@echo
	@echo 'Kernels are kept in $${XDG_CACHE_HOME:-~/.cache}/kchan; it may be removed at any time.'
