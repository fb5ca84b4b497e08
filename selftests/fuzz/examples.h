/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EXAMPLES_H
#define EXAMPLES_H

int examples_main(void);

#endif /* EXAMPLES_H */
