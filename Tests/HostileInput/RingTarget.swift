// SPDX-License-Identifier: Apache-2.0
import CLinux
import Capture
import CaptureProbe
import EventModel
import Glibc
import LinuxSystem

/// Input: mode, then for a ring its bytes as the kernel leaves them (header word, prefix, event …), for an iterator its stream.
/// A ring's memory is a file of ours, mapped as the kernel's is.
enum RingTarget {
    private static let page = 4096
    private static let ringBytes = 4096
    static func run(_ input: Bytes) {
        guard input.count > 1 else { return }
        let mode = input[0]
        if mode & 0x80 != 0 {
            let record = Enclosure(input.from(1))
            let sink = HostileRun(rules: HostileRules.all[Int(mode & 15)])
            let reader = IteratorReader(sink: sink.state, anchor: ClockAnchor(), hostStartNs: 1)
            let used = reader.consume(record.bytes)
            precondition(used >= 0 && used <= record.bytes.count, "no more is taken than there is")
            sink.state.finishSnapshot()
            sink.maintain()
            return
        }
        let content = input.from(1).prefix(ringBytes)
        var producer = UInt64(content.count)
        // The kernel's positions are multiples of eight; a mode of odd bits lets them lie, too.
        if mode & 0x40 == 0 { producer &= ~7 }
        let memory = linux_memory_file("ring")
        precondition(memory >= 0 && ftruncate(memory, page * 2 + 2 * ringBytes) == 0, "a file in memory can be made")
        pwrite(memory, &producer, 8, off_t(page))
        for copy in 0..<2 { pwrite(memory, content.base, content.count, off_t(2 * page + copy * ringBytes)) }
        guard let rings = try? RingSet(descriptors: [memory], bytes: ringBytes) else {
            preconditionFailure("a ring in memory can be mapped")
        }
        var run = HostileRun(rules: HostileRules.all[Int(mode & 15)])
        let batch = EventBatch(capacity: 4)
        for _ in 0..<8 {
            batch.removeAll()
            rings.release()
            rings.drain(into: batch, deadlineNs: .max, anchor: ClockAnchor())
            var before: UInt64 = 0
            for event in batch.events {
                precondition(event.timestampNs >= before, "a batch is in the order of time")
                before = event.timestampNs
                run.take(event)
            }
            if batch.events.isEmpty { break }
        }
        run.maintain()
    }
}
