# SPDX-License-Identifier: GPL-2.0-only
#
# The peers from libraries and other languages, of Debian's packages (scripts/deps bench).
# Most are static.  Not all that ZeroMQ and nng need is there as static libraries; their
# shared ones scripts/initramfs takes along to the guest.

peers += boost-queue zeromq nng goroutines goroutines-locked crossbeam

# Debian's, whatever else is there.
GO := /usr/bin/go
RUSTC := /usr/bin/rustc
crates := /usr/share/cargo/registry

# For what is no program.
library_output := $(abspath $(OUTPUT))/library

$(library_output):
	mkdir -p $@

$(OUTPUT)/boost-queue: boost-queue.cc peer.h drive.h | $(OUTPUT)
	$(CXX) -O2 -g -std=gnu++20 -Wall -Wextra -Wno-missing-field-initializers \
		$(CXXFLAGS) $(CPPFLAGS) $< $(PEER_LDFLAGS) $(LDFLAGS) -o $@

$(OUTPUT)/zeromq $(OUTPUT)/nng: endpoints.h
$(OUTPUT)/zeromq $(OUTPUT)/nng: PEER_LDFLAGS := -pthread
$(OUTPUT)/zeromq: PEER_LIBS := -lzmq
$(OUTPUT)/nng: PEER_LIBS := -lnng

$(OUTPUT)/goroutines: goroutines.go | $(library_output)
	GOENV=off GOROOT= GOFLAGS= GO111MODULE=off CGO_ENABLED=0 GOPATH=$(library_output)/go \
		GOCACHE=$(library_output)/go-cache $(GO) build -o $@ $<

# It looks at its name.
$(OUTPUT)/goroutines-locked: $(OUTPUT)/goroutines
	cp $< $@

# As cargo builds a release.  The build script of crossbeam-utils has something to say only
# about processors that lack atomic operations.
rustc = $(RUSTC) -C opt-level=3 -L $(library_output) \
	$(foreach lib,$(filter %.rlib,$^),--extern $(patsubst lib%.rlib,%,$(notdir $(lib)))=$(lib))

$(library_output)/lib%.rlib: | $(library_output)
	$(rustc) --edition 2018 --cap-lints allow --crate-type rlib --crate-name $* \
		--cfg 'feature="std"' -o $@ \
		$(lastword $(sort $(wildcard $(crates)/$(subst _,-,$*)-[0-9]*/src/lib.rs)))

cfg_if := $(library_output)/libcfg_if.rlib
crossbeam_utils := $(library_output)/libcrossbeam_utils.rlib
crossbeam_channel := $(library_output)/libcrossbeam_channel.rlib
$(crossbeam_utils): $(cfg_if)
$(crossbeam_channel): $(cfg_if) $(crossbeam_utils)

$(OUTPUT)/crossbeam: crossbeam.rs $(crossbeam_utils) $(crossbeam_channel)
	$(rustc) --edition 2021 -C target-feature=+crt-static -o $@ $<

.PHONY: clean-library
clean: clean-library
clean-library:
	$(if $(OUTPUT),rm -rf $(library_output))
