// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CProbeABI
import Capture
import LinuxSystem

/// The probe's object in the kernel: programs and maps, and which programs are attached. Control plane.
final class LoadedProbe {
    private let object: OpaquePointer
    private var links: [ProbeProgram: OpaquePointer] = [:]
    /// Dispensable programs that the kernel refused, with its reason.
    let refused: [(program: ProbeProgram, reason: String)]

    /// Loads everything that the kernel takes. A dispensable program that it refuses is left out and noted.
    init(ringCount: Int, ringBytes: Int, possibleCPUs: Int, without: Set<ProbeProgram>) throws(CaptureError) {
        var left = without
        var refused: [(ProbeProgram, String)] = []
        probe_log_start()
        let types = btf__load_vmlinux_btf()
        _ = probe_log_stop()
        guard let types else {
            throw CaptureError(
                "could not load the probe: /sys/kernel/btf/vmlinux holds no type information; it needs a kernel built with "
                    + "CONFIG_DEBUG_INFO_BTF")
        }
        for program in ProbeProgram.allCases where program.optionalEvent != nil {
            if probe_has_tracepoint(types, program.rawValue) == 0 {
                left.insert(program)
                refused.append((program, "this kernel has no such tracepoint"))
            }
        }
        btf__free(types)
        while true {
            switch try Self.load(without: left, ringCount: ringCount, ringBytes: ringBytes, possibleCPUs: possibleCPUs) {
            case .loaded(let object):
                self.object = object
                self.refused = refused
                return
            case .refused(let program, let reason):
                left.insert(program)
                refused.append((program, reason))
            }
        }
    }

    deinit {
        detachAll()
        bpf_object__close(object)
    }

    private enum LoadResult {
        case loaded(OpaquePointer)
        case refused(ProbeProgram, String)
    }

    private static func load(
        without left: Set<ProbeProgram>, ringCount: Int, ringBytes: Int, possibleCPUs: Int
    ) throws(CaptureError) -> LoadResult {
        probe_log_start()
        defer { _ = probe_log_stop() }
        var options = bpf_object_open_opts()
        options.sz = MemoryLayout<bpf_object_open_opts>.size
        // libbpf reads from these bytes until the object is loaded.
        let bytes = ProbeObject.decoded()
        defer { bytes.deallocate() }
        guard let object = bpf_object__open_mem(bytes.baseAddress, bytes.count, &options) else {
            throw CaptureError("could not open the embedded probe: \(Errno.last)\(logHint())")
        }
        guard probe_constant(object, "probe_abi_version") == UInt32(PROBE_ABI_VERSION) else {
            bpf_object__close(object)
            throw CaptureError("the embedded probe speaks another version than the agent: build both from the same sources")
        }
        // A section that begins with `?` is left out unless it is asked for.
        for program in ProbeProgram.allCases {
            if let pointer = bpf_object__find_program_by_name(object, program.rawValue) {
                bpf_program__set_autoload(pointer, !left.contains(program))
            }
        }
        do throws(CaptureError) {
            try size(object, "rings", ringCount)
            try size(object, "ring_control", ringCount)
            try size(object, "ring_of_cpu", possibleCPUs)
            try size(object, "scratch", possibleCPUs)
        } catch {
            bpf_object__close(object)
            throw error
        }
        let template = probe_ring_create("falco_ring", UInt32(ringBytes))
        guard template >= 0 else {
            bpf_object__close(object)
            throw CaptureError("could not create a ring of \(ringBytes) bytes: \(Errno(-template))")
        }
        bpf_map__set_inner_map_fd(bpf_object__find_map_by_name(object, "rings"), template)
        let result = bpf_object__load(object)
        closeDescriptor(template)
        if result == 0 { return .loaded(object) }
        let log = String(cString: probe_log_stop())
        bpf_object__close(object)
        let reason = Errno(-result)
        let failed = failedProgram(in: log)
        if let failed, let program = ProbeProgram(rawValue: failed), program.isDispensable, !left.contains(program) {
            return .refused(program, reason.description)
        }
        if let failed {
            throw CaptureError("could not load program '\(failed)': \(reason)\(hint(for: reason))\(lastLine(of: log))")
        }
        throw CaptureError("could not load the probe: \(reason)\(hint(for: reason))\(lastLine(of: log))")
    }

    private static func size(_ object: OpaquePointer, _ map: String, _ entries: Int) throws(CaptureError) {
        let result = bpf_map__set_max_entries(bpf_object__find_map_by_name(object, map), UInt32(entries))
        guard result == 0 else { throw CaptureError("could not size map '\(map)': \(Errno(-result))") }
    }

    /// `libbpf: prog 'NAME': BPF program load failed: …`
    private static func failedProgram(in log: String) -> String? {
        for line in log.split(separator: "\n") where line.contains("load failed") {
            let parts = line.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3 { return String(parts[1]) }
        }
        return nil
    }

    private static func lastLine(of log: String) -> String {
        let lines = log.split(separator: "\n").filter {
            !$0.hasPrefix("libbpf:") && !$0.hasPrefix("processed ") && !$0.hasPrefix("--")
        }
        return lines.last.map { " (the verifier says: \($0))" } ?? ""
    }
    private static func logHint() -> String {
        let log = String(cString: probe_log_stop())
        return log.split(separator: "\n").last.map { " (\($0))" } ?? ""
    }
    static func hint(for reason: Errno) -> String {
        reason == .notPermitted || reason == .accessDenied ? "; needs CAP_BPF and CAP_PERFMON" : ""
    }

    // MARK: programs

    func has(_ program: ProbeProgram) -> Bool {
        guard let pointer = bpf_object__find_program_by_name(object, program.rawValue) else { return false }
        return bpf_program__fd(pointer) >= 0
    }
    func isAttached(_ program: ProbeProgram) -> Bool { links[program] != nil }

    func attach(_ program: ProbeProgram) throws(CaptureError) {
        guard links[program] == nil else { return }
        guard let pointer = bpf_object__find_program_by_name(object, program.rawValue) else {
            throw CaptureError("could not attach '\(program.rawValue)': the embedded probe has no such program")
        }
        probe_log_start()
        let link = bpf_program__attach(pointer)
        let reason = Errno.last
        _ = probe_log_stop()
        guard let link else { throw CaptureError("could not attach '\(program.rawValue)': \(reason)\(Self.hint(for: reason))") }
        links[program] = link
    }

    /// Attaches a program to a tracepoint that cannot be named by its type: `id` as tracefs tells it.
    func attach(_ program: ProbeProgram, tracepoint id: UInt64) throws(CaptureError) {
        guard links[program] == nil, let pointer = bpf_object__find_program_by_name(object, program.rawValue) else { return }
        probe_log_start()
        var link: OpaquePointer?
        let result = probe_tracepoint_attach(pointer, id, &link)
        _ = probe_log_stop()
        guard result == 0, let link else {
            let reason = Errno(-result)
            throw CaptureError("could not attach '\(program.rawValue)': \(reason)\(Self.hint(for: reason))")
        }
        links[program] = link
    }

    func detach(_ program: ProbeProgram) {
        if let link = links.removeValue(forKey: program) { bpf_link__destroy(link) }
    }
    func detachAll() {
        for program in ProbeProgram.allCases { detach(program) }
    }
    /// All but those at tracepoints of their own: for each of them the kernel waits until no CPU can be inside, tens of
    /// milliseconds. They stay until the object or the process goes.
    func detachWhatIsFast() {
        for program in ProbeProgram.allCases where !ProbeProgram.enters.contains(program) { detach(program) }
    }

    /// Puts the programs of tail_calls.def into their slots.
    func fillExitTable() throws(CaptureError) {
        var count: UInt32 = 0
        guard let rows = probe_tail_rows(&count) else { return }
        let table = try mapDescriptor("exit_table")
        for row in 0..<Int(count) {
            guard let program = bpf_object__find_program_by_name(object, rows[row].program) else {
                throw CaptureError("the embedded probe has no program '\(String(cString: rows[row].program))'")
            }
            var key = rows[row].number
            var value = bpf_program__fd(program)
            let result = bpf_map_update_elem(table, &key, &value, UInt64(BPF_ANY))
            guard result == 0 else {
                throw CaptureError("could not enter '\(String(cString: rows[row].program))' into 'exit_table': \(Errno(-result))")
            }
        }
    }

    /// Output of an iterator, to be read to its end: over all tasks, those of a process, or one thread.
    func openIterator(_ program: ProbeProgram, pid: UInt32 = 0, tid: UInt32 = 0) throws(Errno) -> Descriptor {
        guard let pointer = bpf_object__find_program_by_name(object, program.rawValue), bpf_program__fd(pointer) >= 0 else {
            throw Errno.notFound
        }
        probe_log_start()
        let descriptor = probe_iterator_open(pointer, pid, tid)
        _ = probe_log_stop()
        guard descriptor >= 0 else { throw Errno(-descriptor) }
        return try Descriptor(taking: descriptor)
    }

    // MARK: maps

    func mapDescriptor(_ name: String) throws(CaptureError) -> Int32 {
        guard let map = bpf_object__find_map_by_name(object, name) else {
            throw CaptureError("the embedded probe has no map '\(name)'")
        }
        return bpf_map__fd(map)
    }

    func update<Key: BitwiseCopyable, Value: BitwiseCopyable>(_ map: String, _ key: Key, _ value: Value, onlyNew: Bool = false)
        throws(CaptureError)
    {
        var (key, value) = (key, value)
        let flags = onlyNew ? BPF_NOEXIST : BPF_ANY
        let result = bpf_map_update_elem(try mapDescriptor(map), &key, &value, UInt64(flags))
        if result != 0, !(onlyNew && -result == 17) {
            throw CaptureError("could not write map '\(map)': \(Errno(-result))")
        }
    }

    func value<Key: BitwiseCopyable, Value: BitwiseCopyable>(_ map: String, _ key: Key, initial: Value) -> Value? {
        var (key, value) = (key, initial)
        guard let descriptor = try? mapDescriptor(map), bpf_map_lookup_elem(descriptor, &key, &value) == 0 else { return nil }
        return value
    }

    /// Every key of a map with 32-bit keys; a snapshot, the probe goes on changing it.
    func keys(_ map: String) -> [UInt32] {
        guard let descriptor = try? mapDescriptor(map) else { return [] }
        var keys: [UInt32] = []
        var next: UInt32 = 0
        var more = bpf_map_get_next_key(descriptor, nil, &next) == 0
        // A key that is removed while we stand on it starts the walk anew: bounded by what a map can hold.
        while more, keys.count < 1 << 18 {
            keys.append(next)
            var current = next
            more = bpf_map_get_next_key(descriptor, &current, &next) == 0
        }
        return keys
    }

    /// The probe's counters of every possible CPU.
    func counters(possibleCPUs: Int) -> [probe_counters] {
        guard let descriptor = try? mapDescriptor("counters") else { return [] }
        var rows = [probe_counters](repeating: probe_counters(), count: possibleCPUs)
        var key: UInt32 = 0
        return bpf_map_lookup_elem(descriptor, &key, &rows) == 0 ? rows : []
    }
}

extension ProbeObject {
    /// The object's bytes; the caller deallocates them.
    static func decoded() -> UnsafeMutableRawBufferPointer {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        var written = 0
        var word: UInt32 = 0
        var bits = 0
        base64.withUTF8Buffer { text in
            for character in text where character != UInt8(ascii: "=") {
                word = word << 6 | UInt32(digit(character))
                bits += 6
                if bits >= 8 {
                    bits -= 8
                    bytes[written] = UInt8(truncatingIfNeeded: word >> UInt32(bits))
                    written += 1
                }
            }
        }
        precondition(written == byteCount, "the build wrote the object whole")
        return bytes
    }

    private static func digit(_ character: UInt8) -> UInt8 {
        switch character {
        case 65...90: character - 65
        case 97...122: character - 71
        case 48...57: character + 4
        case 43: 62
        default: 63
        }
    }
}
