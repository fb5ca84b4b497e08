/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of fuzz.  Each returns its exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

int sequential_main(int argc, char **argv);
int replay_main(int argc, char **argv);
int self_test_main(int argc, char **argv);
int guided_main(int argc, char **argv);
int minimize_main(int argc, char **argv);
int concurrent_main(int argc, char **argv);
int check_history_main(int argc, char **argv);

#endif /* COMMANDS_H */
