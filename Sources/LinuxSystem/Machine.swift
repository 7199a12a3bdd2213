// SPDX-License-Identifier: Apache-2.0
import CLinux
import EventModel
import Glibc

/// The machine as it describes itself.
public enum Machine {
    public static var hostname: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    public static var kernelRelease: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    public static var onlineCPUs: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Every CPU number that may ever come up is below this.
    public static var possibleCPUs: Int {
        if let text = try? Files.read("/sys/devices/system/cpu/possible", bytesMax: 4096), let highest = highestNumber(in: text) {
            return highest + 1
        }
        return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_CONF))))
    }

    /// Numbers in the kernel's list form, `0-3,8`.
    public static func onlineCPUNumbers() -> [Int] {
        guard let text = try? Files.read("/sys/devices/system/cpu/online", bytesMax: 4096) else { return Array(0..<onlineCPUs) }
        return numbers(inList: text)
    }

    static func numbers(inList text: [UInt8]) -> [Int] {
        String(decoding: text, as: UTF8.self).split { $0 == "," || $0 == "\n" }.flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 16 else { return [] }
            return Array(first...last)
        }
    }
    private static func highestNumber(in text: [UInt8]) -> Int? { numbers(inList: text).max() }

    public static func row() -> MachineRow {
        var row = MachineRow()
        row.cpuCount = UInt32(onlineCPUs)
        row.memoryBytes = UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) &* UInt64(MappedMemory.pageBytes)
        row.pidMax = (try? Files.read("/proc/sys/kernel/pid_max", bytesMax: 64)).flatMap { decimal($0[...]) } ?? 0
        row.hostname = Array(hostname.utf8)
        row.bootTimeNs = ClockAnchor().offsetNs
        return row
    }

    public static func interfaces() -> [InterfaceRow] {
        var rows = [linux_interface](repeating: linux_interface(), count: 256)
        let found = min(rows.count, max(0, Int(linux_interfaces(&rows, Int32(rows.count)))))
        return rows.prefix(found).map { raw in
            var row = InterfaceRow()
            row.isIPv6 = raw.family == AF_INET6
            row.name = withUnsafeBytes(of: raw.name) { Array($0.prefix { $0 != 0 }) }
            row.address = address(raw.address)
            row.netmask = address(raw.netmask)
            row.broadcast = address(raw.broadcast)
            let path = "/sys/class/net/\(String(decoding: row.name, as: UTF8.self))/speed"
            if let text = try? Files.read(path, bytesMax: 32), let megabits = decimal(text[...]), megabits < 1 << 32 {
                row.speedBps = megabits * 1_000_000
            }
            return row
        }
    }

    private static func address<T>(_ bytes: T) -> AddressBytes {
        withUnsafeBytes(of: bytes) {
            AddressBytes(high: $0.loadUnaligned(as: UInt64.self), low: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    /// Leading decimal digits; nil without any.
    static func decimal(_ text: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        for byte in text {
            guard byte >= 48, byte <= 57, digits < 19 else { break }
            value = value * 10 + UInt64(byte - 48)
            digits += 1
        }
        return digits > 0 ? value : nil
    }
}

/// Capability sets of a process, as bits.
public struct Capabilities: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let sysPtrace = Capabilities(rawValue: 1 << 19)
    public static let sysAdmin = Capabilities(rawValue: 1 << 21)
    public static let perfmon = Capabilities(rawValue: 1 << 38)
    public static let bpf = Capabilities(rawValue: 1 << 39)

    /// Our own effective set; empty when /proc cannot be read.
    public static var effective: Capabilities {
        guard let status = try? Files.read("/proc/self/status", bytesMax: 16384) else { return [] }
        return Capabilities(rawValue: ProcText.value("CapEff:", in: status).flatMap { ProcText.hexadecimal($0) } ?? 0)
    }
}
