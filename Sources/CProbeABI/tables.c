/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The rows of the .def files as arrays, for the agent. */
#include "probe_abi.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct probe_event_row event_rows[] = {
#define EVENT(code, identifier, name, category, flags, parameter_count, parameters) \
	[code] = {#identifier, name, parameters, category, flags, parameter_count},
#include "events.def"
#undef EVENT
};

static const struct probe_flag_row flag_rows[] = {
#define FLAG(table, name, value) {#table, name, value},
#include "flags.def"
#undef FLAG
};

static const struct probe_dynamic_row dynamic_rows[] = {
#define DYNAMIC(set, index, type, format) {#set, #type, #format, index},
#include "dynamic.def"
#undef DYNAMIC
};

static const struct probe_syscall_row syscall_rows[] = {
#define SYSCALL(number, name, ppm_sc, exit_event, flags) {name, number, ppm_sc, exit_event, flags},
#include "syscalls.def"
#undef SYSCALL
};

static const struct probe_ia32_row ia32_rows[] = {
#define IA32(number, name, call, shape)
#define IA32_ONLY(number, name, ppm_sc) {name, PROBE_IA32_BASE + number, ppm_sc},
#include "ia32.def"
#undef IA32
#undef IA32_ONLY
};

static const struct probe_sc_row sc_rows[] = {
#define PPM_SC(code, name, generic, event) {name, code, generic, event},
#include "ppm_sc.def"
#undef PPM_SC
};

static const struct probe_conversion_row conversion_rows[] = {
#define CONVERT(event, parameter_count, action, new_event, instructions) \
	{instructions, event, parameter_count, new_event, CONVERSION_##action},
#include "conversions.def"
#undef CONVERT
};

#define ROWS(row, function, array) \
	const struct row *function(probe_u32 *count) \
	{ \
		*count = COUNT(array); \
		return array; \
	}

ROWS(probe_event_row, probe_event_rows, event_rows)
ROWS(probe_flag_row, probe_flag_rows, flag_rows)
ROWS(probe_dynamic_row, probe_dynamic_rows, dynamic_rows)
ROWS(probe_syscall_row, probe_syscall_rows, syscall_rows)
ROWS(probe_ia32_row, probe_ia32_rows, ia32_rows)
ROWS(probe_sc_row, probe_sc_rows, sc_rows)
ROWS(probe_conversion_row, probe_conversion_rows, conversion_rows)
