/* SPDX-License-Identifier: Apache-2.0 */
/* The short form of a case: one call, one event, its result. What follows is about the event's other parameters. */
#ifndef CASE_H
#define CASE_H

#include "expect.h"

#define CASE(label, event, result_name, call)                                                                                    \
	do {                                                                                                                     \
		long case_result;                                                                                                \
                                                                                                                                 \
		expect_case(label);                                                                                              \
		case_result = called(call);                                                                                      \
		expect_event(0, event);                                                                                          \
		number(result_name, case_result);                                                                                \
	} while (0)

/* The same for a call that makes a descriptor, which is closed again. */
#define CASE_FD(label, event, result_name, call)                                                                                 \
	do {                                                                                                                     \
		long made_fd;                                                                                                    \
                                                                                                                                 \
		expect_case(label);                                                                                              \
		made_fd = called(call);                                                                                          \
		expect_event(0, event);                                                                                          \
		number(result_name, made_fd);                                                                                    \
		if (made_fd > 2)                                                                                                 \
			close((int)made_fd);                                                                                     \
	} while (0)

#endif
