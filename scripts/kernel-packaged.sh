# SPDX-License-Identifier: GPL-2.0-only
# Kernels out of Debian's packages.  Sourced by scripts/kernel, after apt.sh.
# shellcheck shell=bash disable=SC2154 # $name, $flavour, $suites: scripts/kernel

# resolve: what the meta package stands for today.  Lately the kernel and its
# configuration are in packages of their own.
resolve() {
	local part
	image=$(dependency "linux-image-$flavour" 'linux-image-.*')
	version=$(field "linux-image-$flavour" Version)
	[[ $image && $version ]] ||
		die "the mirror has no linux-image-$flavour for ${suites[0]}"
	release=${image#linux-image-}
	release=${release%-unsigned}
	headers=linux-headers-$release
	common=$(dependency "$headers" 'linux-headers-.*-common(-rt)?')
	kbuild=$(dependency "$headers" 'linux-kbuild-.*')
	[[ $common && $kbuild ]] || die "the mirror has no headers for $image"
	boot=("$image")
	for part in $(dependency "$image" 'linux-binary-.*') $(dependency "$image" 'linux-base-.*'); do
		boot+=("$part")
	done
}

# Do the headers' programs run here?  They want the C library that they were
# built with.
tools_run_here() { [[ ${suites[0]} != sid ]]; }

# The arch headers' Makefile names the common headers by an absolute path.
relocate_headers() {
	local root=$1 final=$2
	sed -i "s,/usr/src/,$final/root/usr/src/,g" "$root/usr/src/$headers/Makefile"
}

# number FILE OFFSET BYTES: a little-endian number in a file.
number() { od -A n -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# The kernel inside its self-extracting image, by the boot protocol's header:
# set-up sectors at 0x1f1, the payload's offset and length at 0x248.
payload() {
	local start
	start=$((($(number "$1" $((0x1f1)) 1) + 1) * 512 + $(number "$1" $((0x248)) 4)))
	tail -c +$((start + 1)) "$1" | head -c "$(number "$1" $((0x24c)) 4)"
}

# The compressed kernel takes seconds to unpack itself under emulation; unpacked
# it starts at once, through its PVH entry.  The payload ends in four bytes that
# are not the compressor's, hence no look at its exit status but at the result.
unpack_vmlinux() {
	local dir=$1 unpack=xz
	grep -q '^CONFIG_PVH=y' "$dir/config" || return 0
	! grep -q '^CONFIG_KERNEL_ZSTD=y' "$dir/config" || unpack=zstd
	{ payload "$dir/vmlinuz" | "$unpack" -dcq >"$dir/vmlinux" 2>/dev/null; } || true
	[[ $(head -c 4 "$dir/vmlinux") == $'\x7fELF' ]] || rm "$dir/vmlinux"
}

# unpack DIR DEB...
unpack() {
	local deb
	for deb in "${@:2}"; do dpkg-deb -x "$deb" "$1"; done
}

# A small system of that suite, to build modules in, for want of a C library new
# enough here.  Nothing in it needs to be configured, but for the name awk.
fetch_system() {
	local stage=$1
	download_with_dependencies "$stage/debs" base-files bash coreutils dash diffutils \
		findutils gawk grep libc6-dev make perl-base sed sparse "$headers"
	say "unpacking a small system of ${suites[0]}, to build modules in"
	unpack "$stage/root" "$stage"/debs/base-files_*.deb
	unpack "$stage/root" "$stage"/debs/*.deb
	ln -sf gawk "$stage/root/usr/bin/awk"
	mkdir -p "$stage/root/"{dev,mnt,proc}
}

fetch_headers() {
	local stage=$1 final=$2
	download "$stage/debs" "$headers" "$common" "$kbuild"
	unpack "$stage/root" "$stage"/debs/*.deb
	relocate_headers "$stage/root" "$final"
}

fetch() {
	local final=$1 stage file
	stage=$(staging "kernel-$name")
	mkdir "$stage"/{boot,debs,root}
	download "$stage/boot" "${boot[@]}"
	say "unpacking kernel $name ($version)"
	unpack "$stage/boot" "$stage"/boot/*.deb
	for file in vmlinuz config; do
		find "$stage/boot" \( -name "$file" -o -name "$file-$release" \) -exec mv {} "$stage/$file" \;
		[[ -e $stage/$file ]] || die "no $file is in ${boot[*]}"
	done
	if tools_run_here; then fetch_headers "$stage" "$final"; else fetch_system "$stage"; fi
	rm -r "${stage:?}"/{boot,debs}
	ln -s "root/usr/src/$headers" "$stage/build"
	echo "$release" >"$stage/release"
	unpack_vmlinux "$stage"
	publish "$stage" "$final"
}

# packaged DIR: the kernel of today, or of what the mirror last said.
packaged() {
	local current=$1/current
	need apt-get apt-cache dpkg-deb tar xz zstd flock
	lock downloads
	if ! is_fresh "$current" && private_apt "$current" "${suites[@]}"; then
		resolve
		[[ -e $1/$version/release ]] || fetch "$1/$version"
		ln -sfn "$version" "$current"
	fi
	realpath "$current"
}
