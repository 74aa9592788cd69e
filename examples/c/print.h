/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the port tells of its state, as JSON on standard output. */
#ifndef PORT_PRINT_H
#define PORT_PRINT_H

void print_state(void);

/* What of a snapshot is known here; the rest is left out. */
void print_snapshot(void);

#endif
