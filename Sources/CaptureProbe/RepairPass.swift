// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import LinuxSystem

/// One reading of the iterators, a read at a time: first all threads, then all descriptors.
final class RepairPass {
    private let loaded: LoadedProbe
    private let collector = RowCollector()
    private let reader: IteratorReader
    private let anchor: ClockAnchor
    private let wantsDescriptors: Bool
    private var isInFiles = false
    private var open: IteratorReading?
    private var processes: Set<Int64> = []
    /// Descriptors of the process whose list is not complete yet.
    private var pending: (pid: Int64, stampNs: UInt64, rows: [DescriptorRow], isStale: Bool)?

    init?(_ loaded: LoadedProbe, anchor: ClockAnchor, hostStartNs: UInt64, descriptors: Bool) {
        guard loaded.has(.iterTask), loaded.has(.iterTaskFile), let first = try? loaded.openIterator(.iterTask) else {
            return nil
        }
        self.loaded = loaded
        self.anchor = anchor
        wantsDescriptors = descriptors
        reader = IteratorReader(sink: collector, anchor: anchor, hostStartNs: hostStartNs)
        open = IteratorReading(first)
    }

    /// Reads on for about `budgetNs`. True at the end of the pass; a failing read ends it too.
    func read(budgetNs: UInt64, into found: inout [RepairRows]) -> Bool {
        let startNs = Clock.monotonicNs
        // Events were delivered since the last piece: a list that began before them is read again as a whole when it has ended.
        if pending != nil { pending!.isStale = true }
        repeat {
            if readOnce(into: &found) { return true }
        } while Clock.monotonicNs &- startNs < budgetNs
        return false
    }

    private var nowNs: UInt64 { anchor.epochNs(boottimeNs: Clock.boottimeNs) }

    private func readOnce(into found: inout [RepairRows]) -> Bool {
        guard let reading = open else { return true }
        let stampNs = nowNs
        let more = (try? reading.read(reader)) ?? false
        let taken = collector.take()
        if !taken.threads.isEmpty {
            var rows = RepairRows(stampNs: stampNs)
            rows.threads = taken.threads
            for thread in taken.threads where thread.tid == thread.pid { processes.insert(thread.pid) }
            insert(rows, into: &found)
        }
        for (pid, row) in taken.descriptors {
            if pending?.pid != pid {
                flush(into: &found)
                pending = (pid, stampNs, [], false)
            }
            pending!.rows.append(row)
        }
        if more { return false }
        if !isInFiles, wantsDescriptors, let next = try? loaded.openIterator(.iterTaskFile) {
            isInFiles = true
            open = IteratorReading(next)
            return false
        }
        flush(into: &found)
        open = nil
        return true
    }

    /// The descriptors of one process; nil where the kernel has no iterators over one.
    private func reread(_ pid: Int64) -> (stampNs: UInt64, rows: [DescriptorRow])? {
        let stampNs = nowNs
        let own = RowCollector()
        let reader = IteratorReader(sink: own, anchor: anchor, hostStartNs: 0)
        guard let open = try? loaded.openIterator(.iterTaskFile, pid: UInt32(truncatingIfNeeded: pid)),
            (try? reader.readAll(open)) != nil
        else { return nil }
        return (stampNs, own.descriptors.filter { $0.pid == pid }.map(\.row))
    }

    /// Stamped with the time before its first row was read: nothing of it is older.
    private func flush(into found: inout [RepairRows]) {
        guard let list = pending else { return }
        pending = nil
        guard processes.contains(list.pid) else { return }
        let fresh = list.isStale ? reread(list.pid) : nil
        var rows = RepairRows(stampNs: fresh?.stampNs ?? list.stampNs)
        rows.descriptors = [(list.pid, fresh?.rows ?? list.rows)]
        insert(rows, into: &found)
    }

    /// Pieces are in order of time.
    private func insert(_ rows: RepairRows, into found: inout [RepairRows]) {
        let place = found.lastIndex { $0.stampNs <= rows.stampNs }.map { $0 + 1 } ?? 0
        found.insert(rows, at: place)
    }
}

/// An open iterator and what of its output is not a whole record yet.
final class IteratorReading {
    private let descriptor: Descriptor
    private let buffer: UnsafeMutableRawBufferPointer
    private var kept = 0

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
        buffer = .allocate(byteCount: 512 * 1024, alignment: 16)
    }
    deinit { buffer.deallocate() }

    /// One read; false at the end.
    func read(_ reader: IteratorReader) throws(Errno) -> Bool {
        let count: Int
        do throws(Errno) {
            count = try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]))
        } catch {
            if error == .tryAgain { return true }
            throw error
        }
        guard count > 0 else { return false }
        kept += count
        let used = reader.consume(Bytes(UnsafeRawBufferPointer(rebasing: buffer[..<kept])))
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[used..<kept]))
        kept -= used
        // No record is larger than the buffer: a kept rest that fills it is no record.
        guard kept < buffer.count else { throw .invalid }
        return true
    }
}

extension ProbeSource: RepairSource {
    public var losses: LossCounters {
        var losses = LossCounters()
        for row in loaded.counters(possibleCPUs: possibleCPUs) {
            withUnsafeBytes(of: row.ring_full_by_class) { bytes in
                for (index, value) in bytes.bindMemory(to: UInt64.self).enumerated() {
                    switch UInt32(index) {
                    case PROBE_CLASS_CLONE_FORK.rawValue, PROBE_CLASS_EXECVE.rawValue, PROBE_CLASS_PROC.rawValue:
                        losses.processes &+= value
                    default: losses.others &+= value
                    }
                }
            }
            // Lost before their class was known.
            withUnsafeBytes(of: row.drops) { bytes in
                let drops = bytes.bindMemory(to: UInt64.self)
                for reason in [PROBE_DROP_SCRATCH_BUSY, PROBE_DROP_TOO_LARGE, PROBE_DROP_NO_RING] {
                    losses.processes &+= drops[Int(reason.rawValue)]
                    losses.others &+= drops[Int(reason.rawValue)]
                }
            }
        }
        return losses
    }

    public func beginPass(descriptors: Bool) -> Bool {
        guard !isClosed, isAttached else { return false }
        repairPass = RepairPass(loaded, anchor: anchor, hostStartNs: hostStartNs, descriptors: descriptors)
        return repairPass != nil
    }

    public func continuePass(budgetNs: UInt64, into found: inout [RepairRows]) -> Bool {
        guard let pass = repairPass else { return true }
        guard pass.read(budgetNs: budgetNs, into: &found) else { return false }
        repairPass = nil
        return true
    }
}
