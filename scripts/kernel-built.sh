# SPDX-License-Identifier: GPL-2.0-only
# Kernels built from Debian's source with fragments of ours.  Sourced by
# scripts/kernel.
# shellcheck shell=bash disable=SC2154 # $name, $top, $cache

# The smallest configuration with these fragments on top.
fragments=("$top/selftests/kernels/base.config" "$top/selftests/kernels/$name.config")

# Options of the fragments that the kernel's own rules have undone.
lost_options() {
	grep -h -E '^(# )?CONFIG_' "${fragments[@]}" | grep -v -x -F -f "$1/.config" || true
}

configure() {
	local source=$1 build=$2 lost
	make -C "$source" O="$build" tinyconfig &&
		(cd "$build" &&
			"$source/scripts/kconfig/merge_config.sh" -m -O "$build" .config "${fragments[@]}") &&
		make -C "$source" O="$build" olddefconfig || return
	lost=$(lost_options "$build")
	[[ ! $lost ]] || { echo "these options did not survive:"$'\n'"$lost" && return 1; }
}

# The build's own files are not needed any more; what modules are built with is.
shed() {
	find "$1/build" \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name '.tmp_*' \) \
		! -path '*/scripts/*' ! -path '*/tools/*' -delete
	rm -f "$1/build/vmlinux"
	rm -rf "$1/build/arch/x86/boot"
}

# The build directory goes by its final name, for it remembers that.
build() {
	local final=$1 source=$2 build=$1/build
	rm -rf "$final"
	mkdir -p "$build"
	say "building kernel $name: ten minutes and more (log: $final/log)"
	{ configure "$source" "$build" &&
		make -C "$source" O="$build" -j"$(nproc)" bzImage modules; } >"$final/log" 2>&1 || {
		tail -n 20 "$final/log" >&2
		die "kernel $name does not build; the last words of $final/log are above"
	}
	cp "$build/.config" "$final/config"
	cp "$build/arch/x86/boot/bzImage" "$final/vmlinuz"
	cp "$build/include/config/kernel.release" "$final/release.new"
	shed "$final"
	mv "$final/release.new" "$final/release"
}

# built DIR: the kernel for this source, these fragments and this compiler.  Where it
# is already, nobody waits for whoever builds another.
built() {
	local source digest
	"$top/scripts/deps" kernel
	source=$("$top/scripts/kernel-source" --tree)
	digest=$({ echo "$source" && gcc --version && cat "${fragments[@]}"; } |
		sha256sum | cut -c 1-16)
	[[ -e $1/$digest/release ]] || lock "kernel-$name"
	[[ -e $1/$digest/release ]] || build "$1/$digest" "$source"
	echo "$1/$digest"
}
