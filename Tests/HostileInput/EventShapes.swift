// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// A valid event of every type, every parameter filled as its type asks.
public enum EventShapes {
    /// The whole event as it lies on the wire.
    public static func event(_ code: Int, tid: Int64 = 10, timestampNs: UInt64 = 1_000_000_000, variant: Int = 0) -> [UInt8] {
        var builder = EventBuilder()
        builder.begin(type: UInt16(code), tid: tid, timestampNs: timestampNs)
        for parameter in EventTable.events[code].parameters { builder.append(raw: bytes(parameter, variant: variant)) }
        var output: [UInt8] = []
        builder.write(to: &output)
        return output
    }

    public static func bytes(_ parameter: ParameterInfo, variant: Int = 0) -> [UInt8] {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        switch parameter.type {
        case .charbuf, .fspath, .fsrelpath: return Array("/etc/\(parameter.name)".utf8) + [0]
        case .bytebuf: return Array("\(parameter.name)\u{1}\n".utf8)
        case .charbufarray: return Array("HOME=/root\0a\0".utf8)
        case .charbufPairArray: return Array("k\0v\0".utf8)
        case .sockaddr:
            switch variant % 3 {
            case 0: return [2, 127, 0, 0, 1] + little(UInt16(443))
            case 1: return [10] + [UInt8](repeating: 1, count: 16) + little(UInt16(443))
            default: return [1] + Array("/run/x.sock\0".utf8)
            }
        case .socktuple:
            switch variant % 3 {
            case 0: return [2, 127, 0, 0, 1] + little(UInt16(5000)) + [10, 0, 0, 1] + little(UInt16(443))
            case 1:
                return [10] + [UInt8](repeating: 1, count: 16) + little(UInt16(5000)) + [UInt8](repeating: 2, count: 16)
                    + little(UInt16(443))
            default: return [1] + little(UInt64(1)) + little(UInt64(2)) + Array("/run/x.sock\0".utf8)
            }
        case .fdlist: return little(UInt16(2)) + little(Int64(3)) + little(UInt16(1)) + little(Int64(4)) + little(UInt16(5))
        case .dyn: return [UInt8(variant % 6)] + little(UInt64(3))
        case .errno: return little(Int64(variant % 4 == 3 ? -2 : 0))
        case .fd: return little(Int64(3))
        case .pid: return little(Int64(variant % 2 == 0 ? 10 : 11))
        case .ipv6addr, .ipaddr: return [UInt8](repeating: 3, count: 16)
        case .ipv4net, .ipv6net, .ipnet: return [UInt8](repeating: 3, count: 32)
        case .none: return []
        default:
            return Array(little(UInt64(variant + 1)).prefix(parameter.type.fixedBytes ?? 8))
        }
    }
}
