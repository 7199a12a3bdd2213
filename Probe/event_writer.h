/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Builds one record: prefix, event header, parameter lengths, parameters; then hands it to a ring.
 *
 *	struct scratch *event = scratch_acquire();
 *	if (!event) return 0;            (counted)
 *	event_begin(event, type, count, class, tid, tgid);
 *	put_…(event, …);                 (exactly `count` times)
 *	event_output(event);
 *	scratch_release(event);
 *
 * Functions marked __noinline are global for the verifier: it checks them once per program and not once per
 * call, which keeps loading fast. They cannot take a map pointer, so they find the slot again by `slot`.
 */
#ifndef PROBE_EVENT_WRITER_H
#define PROBE_EVENT_WRITER_H

#define RECORD_PREFIX_BYTES sizeof(struct probe_record_prefix)
#define RECORD_LENGTHS_OFFSET (RECORD_PREFIX_BYTES + PROBE_EVENT_HEADER_BYTES)
#define RECORD_BYTES_MAX (RECORD_PREFIX_BYTES + PROBE_EVENT_BYTES_MAX)
#define RECORD_MASK 0xffff

/* Which scratch slot a __noinline function works on. */
#define SLOT_CPU 0
#define SLOT_ITERATOR 1

/* Makes the compiler forget what it knows about a value, so that it keeps the bounds checks the verifier needs. */
#define FORGET(value) asm volatile("" : "+r"(value))

static __always_inline struct probe_counters *counters_of_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void count_drop(u32 reason)
{
	struct probe_counters *own = counters_of_cpu();

	if (own)
		own->drops[reason & (PROBE_DROP_REASON_MAX - 1)]++;
}

static __always_inline struct scratch *scratch_slot(u32 slot)
{
	u32 key = 0;

	if (slot == SLOT_ITERATOR)
		return bpf_map_lookup_elem(&iterator_scratch, &key);
	key = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&scratch, &key);
}

/* NULL if a program that this one interrupted on the same CPU is using the slot. */
static __always_inline struct scratch *scratch_acquire(void)
{
	struct scratch *event = scratch_slot(SLOT_CPU);

	if (!event || event->busy) {
		count_drop(PROBE_DROP_SCRATCH_BUSY);
		return NULL;
	}
	event->busy = 1;
	return event;
}

static __always_inline void scratch_release(struct scratch *event)
{
	event->busy = 0;
}

/* The verifier does not let a typed kernel pointer into a __noinline function; as a number it passes. */
static __always_inline void *as_number(struct scratch *event, const void *pointer)
{
	volatile u64 *word = (volatile u64 *)event->path;

	*word = (u64)pointer;
	return (void *)*word;
}

static __always_inline void event_begin(struct scratch *event, u16 type, u32 parameter_count, u32 event_class, u32 tid, u32 tgid)
{
	u8 *record = event->record;

	*(u16 *)(record + 0) = bpf_get_smp_processor_id();
	*(u16 *)(record + 2) = 0;
	*(u32 *)(record + 4) = tgid;
	*(u64 *)(record + 8) = bpf_ktime_get_boot_ns();
	*(u64 *)(record + 16) = tid;
	/* 24: length, written by event_finish */
	*(u16 *)(record + 28) = type;
	*(u32 *)(record + 30) = parameter_count;
	event->position = RECORD_LENGTHS_OFFSET + 2 * parameter_count;
	event->parameter = 0;
	event->event_class = event_class;
	event->faults = 0;
}

static __always_inline void put_length(struct scratch *event, u32 bytes)
{
	u32 index = event->parameter & 31;

	*(u16 *)(event->record + RECORD_LENGTHS_OFFSET + 2 * index) = bytes;
	event->parameter = index + 1;
	event->position += bytes;
}

static __always_inline void put_u64(struct scratch *event, u64 value)
{
	*(u64 *)(event->record + (event->position & RECORD_MASK)) = value;
	put_length(event, 8);
}

static __always_inline void put_s64(struct scratch *event, s64 value)
{
	put_u64(event, value);
}

static __always_inline void put_u32(struct scratch *event, u32 value)
{
	*(u32 *)(event->record + (event->position & RECORD_MASK)) = value;
	put_length(event, 4);
}

static __always_inline void put_u16(struct scratch *event, u16 value)
{
	*(u16 *)(event->record + (event->position & RECORD_MASK)) = value;
	put_length(event, 2);
}

static __always_inline void put_u8(struct scratch *event, u8 value)
{
	event->record[event->position & RECORD_MASK] = value;
	put_length(event, 1);
}

static __always_inline void put_empty(struct scratch *event)
{
	put_length(event, 0);
}

static __always_inline void note_fault(struct scratch *event)
{
	event->faults++;
}

/* A NUL-terminated string of the caller; empty if the pointer is NULL or cannot be read. */
static __always_inline void put_user_string(struct scratch *event, u64 address)
{
	long bytes = 0;

	if (address) {
		bytes = bpf_probe_read_user_str(
			event->record + (event->position & RECORD_MASK), PROBE_PATH_BYTES_MAX, (void *)address);
		if (bytes < 0) {
			note_fault(event);
			bytes = 0;
		}
	}
	put_length(event, bytes);
}

static __always_inline void put_kernel_string(struct scratch *event, const void *address)
{
	long bytes = bpf_probe_read_kernel_str(event->record + (event->position & RECORD_MASK), PROBE_PATH_BYTES_MAX, address);

	put_length(event, bytes < 0 ? 0 : bytes);
}

/* Appends bytes of the caller's memory to the current parameter, without ending it. */
static __always_inline u32 append_user_bytes(struct scratch *event, u32 at, u64 address, u32 bytes)
{
	if (!address || !bytes)
		return 0;
	if (bytes > RECORD_MASK)
		bytes = RECORD_MASK;
	if (bpf_probe_read_user(event->record + (at & RECORD_MASK), bytes, (void *)address)) {
		note_fault(event);
		return 0;
	}
	return bytes;
}

static __always_inline void put_user_bytes(struct scratch *event, u64 address, u32 bytes)
{
	put_length(event, append_user_bytes(event, event->position, address, bytes));
}

/* Ends the record and returns its size, or 0 if it grew beyond what an event may be. */
static __always_inline u32 event_finish(struct scratch *event)
{
	u32 bytes = event->position;

	if (bytes > RECORD_BYTES_MAX) {
		count_drop(PROBE_DROP_TOO_LARGE);
		return 0;
	}
	*(u32 *)(event->record + 24) = bytes - RECORD_PREFIX_BYTES;
	return bytes;
}

/* How often (in events of a CPU) the ring of a napping reader is looked at. */
#define NAP_CHECK_MASK 15

/*
 * Rings exactly once for a reader that sleeps, and for one that naps once its ring is over a quarter full. The reader
 * announces its sleep and then looks into the ring; here the record is in the ring before the announcement is read:
 * one of the two always sees the other. The bell itself is an empty record that readers skip.
 */
static __always_inline void wake_reader(void *ring, u32 index, u64 events)
{
	struct probe_ring_control *control = bpf_map_lookup_elem(&ring_control, &index);
	u32 asleep;
	void *bell;

	if (!control)
		return;
	asleep = *(volatile u32 *)&control->asleep;
	if (asleep == PROBE_READER_AWAKE)
		return;
	if (asleep == PROBE_READER_NAPPING && (events & NAP_CHECK_MASK || bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) <
										  bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 4))
		return;
	if (__sync_val_compare_and_swap(&control->asleep, asleep, PROBE_READER_AWAKE) != asleep)
		return;
	bell = bpf_ringbuf_reserve(ring, 8, 0);
	if (bell)
		bpf_ringbuf_discard(bell, BPF_RB_FORCE_WAKEUP);
}

/* Whether a reader will see it; counted otherwise. */
static __always_inline bool event_output(struct scratch *event)
{
	struct probe_counters *own = counters_of_cpu();
	u32 cpu = bpf_get_smp_processor_id();
	u32 bytes = event_finish(event);
	u32 *ring_index = bpf_map_lookup_elem(&ring_of_cpu, &cpu);
	void *ring;

	if (!own)
		return false;
	if (!(*(u16 *)(event->record + 2) & PROBE_RECORD_STATE_ONLY))
		own->events++;
	if (!bytes)
		return false;
	if (event->faults)
		own->drops[PROBE_DROP_READ_FAULT] += event->faults;
	ring = ring_index ? bpf_map_lookup_elem(&rings, ring_index) : NULL;
	if (!ring) {
		own->drops[PROBE_DROP_NO_RING]++;
		return false;
	}
	if (bpf_ringbuf_output(ring, event->record, bytes, BPF_RB_NO_WAKEUP)) {
		own->drops[PROBE_DROP_RING_FULL]++;
		own->ring_full_by_class[event->event_class & (PROBE_CLASS_MAX - 1)]++;
		return false;
	}
	wake_reader(ring, *ring_index, own->events);
	return true;
}

#endif
