// SPDX-License-Identifier: GPL-2.0-or-later
/* The program: it answers lines on standard input, see protocol.c. */
#include <stdio.h>

#include "runtime.h"

int main(int argc, char **argv)
{
	if (argc > 1) {
		fprintf(stderr, "usage: %s <FILE-OF-LINES\n", argv[0]);
		return 2;
	}
	return serve();
}
