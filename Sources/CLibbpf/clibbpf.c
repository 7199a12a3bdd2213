/* SPDX-License-Identifier: Apache-2.0 */
#include "clibbpf.h"
#include "probe_abi.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char log_text[64 * 1024];
static size_t log_length;

static int collect(enum libbpf_print_level level, const char *format, va_list arguments)
{
	size_t room = sizeof(log_text) - log_length;
	int length;

	if (level == LIBBPF_DEBUG || room <= 1)
		return 0;
	length = vsnprintf(log_text + log_length, room, format, arguments);
	if (length > 0)
		log_length += (size_t)length < room ? (size_t)length : room - 1;
	return 0;
}

void probe_log_start(void)
{
	log_length = 0;
	log_text[0] = 0;
	libbpf_set_print(collect);
}

const char *probe_log_stop(void)
{
	libbpf_set_print(NULL);
	return log_text;
}

int probe_ring_create(const char *name, uint32_t bytes)
{
	return bpf_map_create(BPF_MAP_TYPE_RINGBUF, name, 0, 0, bytes, NULL);
}

int probe_has_tracepoint(const struct btf *kernel, const char *name)
{
	char type[96];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) > 0;
}

int probe_iterator_open(struct bpf_program *program, uint32_t pid, uint32_t tid)
{
	union bpf_iter_link_info info = {0};
	LIBBPF_OPTS(bpf_iter_attach_opts, options);
	struct bpf_link *link;
	int fd;

	if (pid || tid) {
		info.task.pid = pid;
		info.task.tid = tid;
		options.link_info = &info;
		options.link_info_len = sizeof(info);
	}
	link = bpf_program__attach_iter(program, &options);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		fd = -errno;
	/* The open iterator keeps what it needs. */
	bpf_link__destroy(link);
	return fd;
}

int probe_tracepoint_attach(struct bpf_program *program, uint64_t id, struct bpf_link **link)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attributes),
		.config = id,
	};
	/* Opened for one CPU, but a program at a tracepoint runs on all of them. */
	int event = (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int reason;

	if (event < 0)
		return -errno;
	*link = bpf_program__attach_perf_event_opts(program, event, NULL);
	if (*link)
		return 0;
	reason = errno;
	close(event);
	return -reason;
}

uint32_t probe_constant(const struct bpf_object *object, const char *name)
{
	const struct btf *btf = bpf_object__btf(object);
	int section_id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
	const struct btf_type *section = section_id > 0 ? btf__type_by_id(btf, section_id) : NULL;
	const struct bpf_map *map;
	const char *map_name;
	size_t bytes;

	for (int row = 0; section && row < btf_vlen(section); row++) {
		const struct btf_var_secinfo *variable = btf_var_secinfos(section) + row;
		const struct btf_type *type = btf__type_by_id(btf, variable->type);
		uint32_t value;

		if (strcmp(btf__name_by_offset(btf, type->name_off), name) != 0)
			continue;
		bpf_object__for_each_map(map, object)
		{
			map_name = bpf_map__name(map);
			if (strlen(map_name) < 7 || strcmp(map_name + strlen(map_name) - 7, ".rodata") != 0)
				continue;
			const char *start = bpf_map__initial_value((struct bpf_map *)map, &bytes);

			if (!start || variable->offset + sizeof(value) > bytes)
				return 0;
			memcpy(&value, start + variable->offset, sizeof(value));
			return value;
		}
	}
	return 0;
}

const struct probe_tail_row *probe_tail_rows(uint32_t *count)
{
	static const struct probe_tail_row rows[] = {
#define PROBE_TAIL(number, program) {number, #program},
#include "tail_calls.def"
#undef PROBE_TAIL
	};

	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
