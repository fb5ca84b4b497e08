# SPDX-License-Identifier: GPL-2.0-only
# How the kernels of scripts/kernel want to be run.  Sourced after lib.sh.
# shellcheck shell=bash disable=SC2034 # used by those who source this

kernels=(6.1 6.1-rt 6.12 newest debug race coverage)

# traits NAME: $words for its command line, $memory in MiB, $patience: how many
# times longer than on a stock kernel things may take, and $only: which of the tests
# it is for (see ../selftests/Makefile), or nothing: all.
#
# What catches a bug in a stock kernel is red zones and poison in slabs; KASAN does
# without.  Where lockdep looks at raw locks too, the serial console is a bug to it
# whenever something is printed under such a lock: the console is quiet there, the
# guest's init copies the log to it, and a panic prints all of it once more.  (The
# guest of a loaded machine is slow; KCSAN's delays, made for real ones, are longer.)
#
# How the kernel preempts itself differs from one to the other, so that most ways
# are tried: 6.1 as Debian has it (voluntary), 6.12 fully, newest lazily.
traits() {
	local quiet='loglevel=1 log_buf_len=2M panic_print=0x20'
	words='slub_debug=FZPU init_on_free=1' memory=1024 patience=1 only=''
	case $1 in
	debug)
		# An interrupt that comes while 6.1 asks its processor anew what it can do finds
		# five levels of page tables gone, and with them the memory of KASAN.
		words="$quiet kmemleak=on no5lvl" memory=3072 patience=10
		;;
	race)
		words="$quiet kcsan.udelay_task=1000 kcsan.skip_watch=500"
		memory=2048 patience=10 only=stress
		;;
	coverage) patience=2 ;;
	6.12) words+=' preempt=full' ;;
	esac
}
