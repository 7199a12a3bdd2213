// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel

/// What only our captures hold, where other readers skip it: in front of the first event, blocks of types they do not know; between
/// events, state-only records (block 0x222, flags 1) of event types far above theirs.
public enum OwnFormat {
    /// Where the run stood when the recording began.
    static let runBlock: UInt32 = 0x8FA1_C001
    /// What the state knows of threads, respectively descriptors, beyond the lists that follow.
    static let threadBlock: UInt32 = 0x8FA1_C002
    static let descriptorBlock: UInt32 = 0x8FA1_C003

    /// Rows that a look-up found in the middle of a run: the data are blocks as in front of the events.
    public static let rowsRecord: UInt16 = 0xFE01
    /// The thread in the header was found to be gone; no data.
    public static let goneRecord: UInt16 = 0xFE02

    static func isRecord(_ type: UInt16) -> Bool { type == rowsRecord || type == goneRecord }
    static let recordHeaderBytes = EventView.headerBytes

    struct Record {
        let type: UInt16
        let tid: Int64
        /// Of the data in the block.
        let dataOffset: Int
        let dataBytes: Int
    }

    /// A record of these two types in a whole block 0x222; nil for another event, or lengths that do not fit.
    static func record(inBlock block: Bytes) -> Record? {
        let prefixBytes = 8 + 6
        guard block.count >= prefixBytes + recordHeaderBytes + 4, let flags: UInt32 = block.integer(at: 10), flags & 1 != 0,
            let tid: Int64 = block.integer(at: prefixBytes + 8), let length: UInt32 = block.integer(at: prefixBytes + 16),
            let type: UInt16 = block.integer(at: prefixBytes + 20), isRecord(type),
            Int(length) >= recordHeaderBytes, Int(length) <= block.count - prefixBytes - 4
        else { return nil }
        let dataOffset = prefixBytes + recordHeaderBytes + 4
        return Record(
            type: type, tid: tid, dataOffset: dataOffset, dataBytes: max(0, Int(length) - recordHeaderBytes - 4))
    }
}

extension BlockKind {
    var isRows: Bool {
        switch self {
        case .threads, .descriptors, .threadDetails, .descriptorDetails: true
        default: false
        }
    }
}

extension CaptureEncoder {
    public mutating func append(_ position: RunPosition) {
        appendBlock(OwnFormat.runBlock) { encoder in
            encoder.put(position.eventNumber)
            encoder.put(position.firstTimestampNs)
            encoder.put(position.previousTimestampNs)
            encoder.put(UInt8((position.numbersStateOnly ? 1 : 0) | (position.hasKernelRecords ? 2 : 0)))
        }
    }

    /// Nothing for rows without details.
    mutating func appendDetails(of rows: [ThreadRow]) {
        guard rows.contains(where: { $0.details != nil }) else { return }
        appendBlock(OwnFormat.threadBlock) { encoder in
            for row in rows {
                guard let details = row.details else { continue }
                encoder.appendEntry { $0.put(details, of: row) }
            }
        }
    }

    private mutating func put(_ details: ThreadDetails, of row: ThreadRow) {
        put(row.tid)
        put(UInt8((details.isPlaceholder ? 1 : 0) | (details.isDead ? 2 : 0) | (details.isSubreaper ? 4 : 0)))
        put(details.cloneTimeNs)
        put(details.lastExecTimeNs)
        put(details.lastAccessNs)
        put(details.previousEventNs)
        put(details.exeInoCtimeDurationCloneNs)
        put(details.exeInoCtimeDurationPidnsNs)
        put(details.reaperTid)
        put(details.enterType)
        put(long: details.enterPath)
        // Texts that the list cuts.
        let texts = [row.comm, row.exe, row.exepath, row.cwd, row.root].map { $0.count > Self.pathBytesMax ? $0 : [] }
        let lists = [row.args, row.env, row.cgroups].map { $0.count > Self.listBytesMax ? $0 : [] }
        for text in texts + lists { put(long: text) }
        put(details.argumentsBytes)
        put(long: details.argumentsTail)
    }

    mutating func appendDetails(of rows: [DescriptorRow], tid: Int64) {
        guard rows.contains(where: { $0.details != nil && $0.kind != .unknown }) else { return }
        appendBlock(OwnFormat.descriptorBlock) { encoder in
            encoder.put(tid)
            for row in rows where row.kind != .unknown {
                guard let details = row.details else { continue }
                encoder.appendEntry { encoder in
                    encoder.put(row.fd)
                    encoder.put(details.flags)
                    let name = details.name ?? (row.name.count > Self.pathBytesMax ? row.name : nil)
                    encoder.put(UInt8(name == nil ? 0 : 1))
                    encoder.put(row.openFlags)
                    encoder.put(row.device)
                    encoder.put(row.mountID)
                    encoder.put(long: details.rawName)
                    if let name { encoder.put(long: name) }
                    encoder.put(long: details.kernelPath)
                    encoder.put(long: details.kernelFSPath)
                }
            }
        }
    }

    private mutating func put(long text: [UInt8]) {
        put(UInt32(text.count))
        put(raw: text)
    }

    /// Threads and their descriptors that a look-up found between two events.
    public mutating func appendRecord(threads: [ThreadRow], descriptors: [(tid: Int64, rows: [DescriptorRow])]) {
        var body = CaptureEncoder()
        body.appendDetails(of: threads)
        if !threads.isEmpty { body.append(threads) }
        for (tid, rows) in descriptors {
            body.appendDetails(of: rows, tid: tid)
            body.append(rows, tid: tid)
        }
        appendOwnRecord(OwnFormat.rowsRecord, tid: threads.first?.tid ?? 0, body.bytes)
    }

    /// The thread ended unseen.
    public mutating func appendRecord(gone tid: Int64) {
        appendOwnRecord(OwnFormat.goneRecord, tid: tid, [])
    }

    private mutating func appendOwnRecord(_ type: UInt16, tid: Int64, _ data: [UInt8]) {
        let hasData = !data.isEmpty
        appendBlock(0x222) { encoder in
            encoder.put(UInt16(0))
            encoder.put(UInt32(1))
            encoder.put(UInt64(0))
            encoder.put(tid)
            encoder.put(UInt32(OwnFormat.recordHeaderBytes + (hasData ? 4 : 0) + data.count))
            encoder.put(type)
            encoder.put(UInt32(hasData ? 1 : 0))
            if hasData { encoder.put(UInt32(data.count)) }
            encoder.put(raw: data)
        }
    }
}

/// Details read and not yet joined with their rows.
struct PendingDetails {
    struct Thread {
        var details: ThreadDetails
        /// comm, exe, exepath, cwd, root, args, env, cgroups; empty where the list has the whole text.
        var texts: [[UInt8]]
    }
    struct Descriptor {
        var details: DescriptorDetails
        var openFlags: UInt32
        var device: UInt32
        var mountID: UInt32
    }
    var threads: [Int64: Thread] = [:]
    var descriptors: [Int64: [Int64: Descriptor]] = [:]
    /// Details that may wait for their rows: as many as the state keeps rows by default. A writer puts them close to their rows.
    static let waitingMax = 1 << 20
    private var taken = 0

    /// Room for one more; false where a capture brings details without end.
    mutating func takeRoom() -> Bool {
        taken += 1
        return taken <= Self.waitingMax
    }

    mutating func join(_ row: inout ThreadRow) {
        guard let found = threads.removeValue(forKey: row.tid) else { return }
        row.details = found.details
        row.startTimeNs = found.details.cloneTimeNs
        func restore(_ index: Int, _ place: WritableKeyPath<ThreadRow, [UInt8]>) {
            if !found.texts[index].isEmpty { row[keyPath: place] = found.texts[index] }
        }
        restore(0, \.comm)
        restore(1, \.exe)
        restore(2, \.exepath)
        restore(3, \.cwd)
        restore(4, \.root)
        restore(5, \.args)
        restore(6, \.env)
        restore(7, \.cgroups)
    }

    mutating func join(_ row: inout DescriptorRow, tid: Int64) {
        guard let found = descriptors[tid]?.removeValue(forKey: row.fd) else { return }
        row.details = found.details
        (row.openFlags, row.device, row.mountID) = (found.openFlags, found.device, found.mountID)
    }
}

extension MetadataCursor {
    mutating func readRunPosition() throws(CaptureError) -> RunPosition {
        var position = RunPosition()
        position.eventNumber = try u64()
        position.firstTimestampNs = try u64()
        position.previousTimestampNs = try u64()
        let marks = try u8()
        position.numbersStateOnly = marks & 1 != 0
        position.hasKernelRecords = marks & 2 != 0
        return position
    }

    mutating func readThreadDetails(into pending: inout PendingDetails) throws(CaptureError) {
        while hasEntry {
            try beginEntry(lengthCountsItself: true)
            let tid = try i64()
            var details = ThreadDetails()
            let marks = try u8()
            details.isPlaceholder = marks & 1 != 0
            details.isDead = marks & 2 != 0
            details.isSubreaper = marks & 4 != 0
            details.cloneTimeNs = try u64()
            details.lastExecTimeNs = try u64()
            details.lastAccessNs = try u64()
            details.previousEventNs = try u64()
            details.exeInoCtimeDurationCloneNs = try u64()
            details.exeInoCtimeDurationPidnsNs = try u64()
            details.reaperTid = try i64()
            details.enterType = try u16()
            details.enterPath = try longString()
            var texts: [[UInt8]] = []
            for _ in 0..<8 { texts.append(try longString()) }
            details.argumentsBytes = try u64()
            details.argumentsTail = try longString()
            try endEntry()
            guard pending.takeRoom() else { throw stream.damaged(at: stream.offset, "\(kind.name) holds details without rows") }
            pending.threads[tid] = .init(details: details, texts: texts)
        }
    }

    mutating func readDescriptorDetails(into pending: inout PendingDetails) throws(CaptureError) {
        let tid = try i64()
        while hasEntry {
            try beginEntry(lengthCountsItself: true)
            let fd = try i64()
            var found = PendingDetails.Descriptor(details: .init(), openFlags: 0, device: 0, mountID: 0)
            found.details.flags = try u16()
            let hasName = try u8() & 1 != 0
            found.openFlags = try u32()
            found.device = try u32()
            found.mountID = try u32()
            found.details.rawName = try longString()
            if hasName { found.details.name = try longString() }
            found.details.kernelPath = try longString()
            found.details.kernelFSPath = try longString()
            try endEntry()
            guard pending.takeRoom() else { throw stream.damaged(at: stream.offset, "\(kind.name) holds details without rows") }
            pending.descriptors[tid, default: [:]][fd] = found
        }
    }

    /// `u32` length and bytes, bounded by the entry.
    private mutating func longString() throws(CaptureError) -> [UInt8] { try take(Int(u32())).array }
}
