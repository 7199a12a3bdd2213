// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import CaptureFile
import EventModel
import Foundation

/// What the benchmarks play.
struct Workloads {
    /// A made capture in today's format, the same in every run: 50 % openat, 28 % close, 15 % read, 3.5 % connect,
    /// 2 % clone with execve and exit.
    let synthetic: String
    /// A recorded capture of 2019, enter and exit events, many times over; nil where the corpus is absent.
    let recorded: String?
    /// The same capture as it is.
    let recordedOnce: String?
    /// Directory that holds all this, removed at the end.
    let directory: URL

    init(corpus: URL, eventsMin: Int) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "falco-bench-\(getpid())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        synthetic = directory.appending(path: "synthetic.scap").path
        try Self.synthesize(to: synthetic, events: eventsMin)
        let source = corpus.appending(path: "captures/files/sf-collector/mpm-event_full_capture.scap")
        if let bytes = FileManager.default.contents(atPath: source.path) {
            let path = directory.appending(path: "recorded.scap").path
            try Self.repeatEvents(of: [UInt8](bytes), times: max(1, eventsMin / 35_860), to: path)
            recorded = path
            // Not gzipped, as the long one.
            recordedOnce = directory.appending(path: "recorded-once.scap").path
            try Self.repeatEvents(of: [UInt8](bytes), times: 1, to: recordedOnce!)
        } else {
            recorded = nil
            recordedOnce = nil
        }
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }

    /// The capture's events again and again behind its metadata: long enough that starting up does not count.
    private static func repeatEvents(of capture: [UInt8], times: Int, to path: String) throws {
        func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(capture[at + $1]) << (8 * $1) } }
        let eventTypes: Set<Int> = [0x204, 0x208, 0x216, 0x217, 0x221, 0x222]
        var first = 0
        while first + 8 <= capture.count, !eventTypes.contains(word(first)) { first += word(first + 4) }
        var data = Data(capture[..<first])
        for _ in 0..<times { data.append(contentsOf: capture[first...]) }
        try data.write(to: URL(fileURLWithPath: path))
    }

    private static func synthesize(to path: String, events: Int) throws {
        let snapshot = CaptureSnapshot()
        snapshot.machine(MachineRow())
        for number in 0..<200 {
            var thread = ThreadRow()
            thread.tid = Int64(1000 + number)
            thread.pid = thread.tid
            thread.ptid = number == 0 ? 0 : Int64(1000 + number / 4)
            let name = ["bash", "nginx", "postgres", "python3", "kubelet", "cron"][number % 6]
            thread.comm = Array(name.utf8)
            thread.exe = Array("/usr/bin/\(name)".utf8)
            thread.exepath = thread.exe
            thread.args = Array("--config\0/etc/\(name).conf\0".utf8)
            thread.cwd = Array("/var/lib/\(name)/".utf8)
            snapshot.thread(thread)
        }
        let writer = try CaptureWriter(path: path, compression: .none)
        try writer.write(snapshot)
        var generator = SyntheticEvents()
        for _ in 0..<events { try generator.writeNext(to: writer) }
        try writer.close()
    }
}

private struct SyntheticEvents {
    private var builder = EventBuilder()
    private var bytes: [UInt8] = []
    private var random: UInt64 = 42
    private var timestampNs: UInt64 = 1_700_000_000_000_000_000
    /// Descriptors that the threads have open, last opened last.
    private var open: [[Int64]] = .init(repeating: [], count: 200)

    private mutating func below(_ limit: Int) -> Int {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((random >> 33) % UInt64(limit))
    }

    mutating func writeNext(to writer: CaptureWriter) throws {
        timestampNs += 1_000
        let thread = below(200)
        let tid = Int64(1000 + thread)
        switch below(1000) {
        case 0..<500:
            let fd = Int64(3 + open[thread].count)
            if open[thread].count < 500 { open[thread].append(fd) }
            begin(PPME_SYSCALL_OPENAT_2_X, tid)
            builder.append(fd)
            builder.append(Int64(-100))
            builder.append(text: paths[below(paths.count)])
            builder.append(UInt32(1))
            builder.append(UInt32(0))
            builder.append(UInt32(0x801))
            builder.append(UInt64(below(100_000)))
        case 500..<780:
            begin(PPME_SYSCALL_CLOSE_X, tid)
            builder.append(Int64(0))
            builder.append(open[thread].popLast() ?? 3)
        case 780..<945:
            begin(PPME_SYSCALL_READ_X, tid)
            builder.append(Int64(80))
            builder.append(raw: Array(repeating: 0x61, count: 80))
            builder.append(open[thread].last ?? 3)
            builder.append(UInt32(4096))
        case 945..<980:
            begin(PPME_SOCKET_CONNECT_X, tid)
            builder.append(Int64(0))
            builder.append(raw: [2, 10, 0, 0, 1, 0x39, 0x30, 10, 0, 0, UInt8(below(250)), 0x50, 0])
            builder.append(open[thread].last ?? 3)
            builder.append(raw: [2, 10, 0, 0, 2, 0x50, 0])
        default: return try writeProcess(parent: tid, to: writer)
        }
        try put(writer)
    }

    /// A child that starts a program and ends.
    private mutating func writeProcess(parent: Int64, to writer: CaptureWriter) throws {
        let child = Int64(10_000 + below(20_000))
        let name = programs[below(programs.count)]
        begin(PPME_SYSCALL_CLONE_20_X, child)
        builder.append(Int64(0))
        appendProcess(exe: "/bin/sh", comm: "sh", child, parent, parameters: 15)
        builder.append(UInt32(0))
        for _ in 0..<2 { builder.append(UInt32(0)) }
        for _ in 0..<2 { builder.append(child) }
        builder.append(UInt64(0))
        try put(writer)

        begin(PPME_SYSCALL_EXECVE_19_X, child)
        builder.append(Int64(0))
        appendProcess(exe: "/usr/bin/\(name)", comm: name, child, parent, parameters: 15)
        builder.append(text: "PATH=/usr/bin:/bin")
        builder.append(UInt32(0))
        builder.append(Int64(child))
        builder.append(UInt32(1000))
        builder.append(UInt32(0))
        for _ in 0..<3 { builder.append(UInt64(0)) }
        for _ in 0..<3 { builder.append(UInt64(77)) }
        builder.append(UInt32(0))
        builder.append(text: "/usr/bin/\(name)")
        builder.append(child)
        builder.append(UInt32(0))
        builder.append(text: "/usr/bin/\(name)")
        try put(writer)

        begin(PPME_PROCEXIT_1_E, child)
        builder.append(Int64(0))
        builder.append(Int64(0))
        builder.append(UInt8(0))
        builder.append(UInt8(0))
        builder.append(parent)
        try put(writer)
    }

    /// Parameters 2 to `parameters` that clone and execve share.
    private mutating func appendProcess(exe: String, comm: String, _ tid: Int64, _ ptid: Int64, parameters: Int) {
        builder.append(text: exe)
        builder.append(raw: Array("-c\0true\0".utf8))
        builder.append(tid)
        builder.append(tid)
        builder.append(ptid)
        builder.append(text: "/")
        builder.append(Int64(1024))
        for _ in 0..<2 { builder.append(UInt64(0)) }
        for _ in 0..<3 { builder.append(UInt32(0)) }
        builder.append(text: comm)
        builder.append(raw: Array("cpu=/user.slice\0".utf8))
    }

    private mutating func begin(_ type: ppm_event_code, _ tid: Int64) {
        builder.begin(type: type.code, tid: tid, timestampNs: timestampNs)
    }

    private mutating func put(_ writer: CaptureWriter) throws {
        bytes.removeAll(keepingCapacity: true)
        builder.write(to: &bytes)
        try bytes.withUnsafeBytes { buffer in
            let event = try EventView(checking: Bytes(buffer), cpu: 0)
            precondition(event.parameterCount == event.info.parameters.count, "\(event.info.identifier) is made wrongly")
            try writer.write(event)
        }
    }

    private let paths =
        [
            "/etc/passwd", "/etc/ld.so.cache", "/proc/self/status", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/tmp/work/file.tmp",
            "relative/name.txt", "/var/log/nginx/access.log", "/dev/null", "/root/.ssh/authorized_keys", "../up/one",
        ] + (0..<200).map { "/srv/data/shard-\($0)/segment.bin" }
    private let programs = ["ls", "cat", "curl", "sed", "git", "make", "gcc", "id"]
}
