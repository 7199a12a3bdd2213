// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import Fields

/// Each parameter of each event type has a text, by its place, by its name and among all of them.
@Suite struct EveryParameterTests {
    /// A value of the type that means something.
    private static func value(_ parameter: ParameterInfo) -> [UInt8] {
        switch parameter.type {
        case .charbuf, .fspath, .fsrelpath: return Array("word".utf8) + [0]
        case .bytebuf: return Array("data".utf8)
        case .sockaddr: return [2, 127, 0, 0, 1, 80, 0]
        case .socktuple: return [2, 127, 0, 0, 1, 80, 0, 127, 0, 0, 2, 90, 0]
        case .fdlist: return [1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0]
        case .charbufarray, .charbufPairArray: return Array("a\u{0}b\u{0}".utf8)
        case .dyn: return [0] + [UInt8](repeating: 1, count: 8)
        case .ipv6addr, .ipv6net, .ipaddr, .ipnet: return [UInt8](repeating: 1, count: 16)
        case .ipv4net: return [10, 0, 0, 1]
        case .errno: return [254] + [UInt8](repeating: 255, count: 7)
        case .uid, .gid: return [0xe8, 3, 0, 0]
        default: return [3] + [UInt8](repeating: 0, count: (parameter.type.fixedBytes ?? 1) - 1)
        }
    }

    @Test func everyParameterOfEveryType() throws {
        let machine = Machine()
        var count = 0
        for event in EventTable.events where event.code > 1 {
            func fill(_ builder: inout EventBuilder) {
                for parameter in event.parameters { builder.append(raw: Self.value(parameter)) }
            }
            let code = ppm_event_code(UInt32(event.code))
            let all = try machine.read("evt.args", of: code, fill)
            var rest = all[...]
            var named: Set<String> = []
            for (index, parameter) in event.parameters.enumerated() {
                count += 1
                let place = "\(event.identifier) \(parameter.name)"
                let text = try machine.read("evt.arg[\(index)]", of: code, fill)
                #expect(!text.isEmpty && text != "<NA>" && text != "NULL", "\(place): '\(text)'")
                // Of two parameters with one name the first is meant.
                if named.insert(parameter.name).inserted {
                    #expect(try machine.read("evt.arg.\(parameter.name)", of: code, fill) == text, "\(place)")
                    let raw = try machine.read("evt.rawarg.\(parameter.name)", of: code, inOutput: true, fill)
                    #expect(raw != "<NA>" && !raw.isEmpty, "\(place)")
                }
                let found = try #require(rest.range(of: (index > 0 ? " " : "") + parameter.name + "="), "\(place) in \(all)")
                rest = rest[found.upperBound...]
            }
        }
        #expect(count == 1345 - 4)
    }
}

extension Substring {
    /// Without Foundation.
    fileprivate func range(of needle: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(needle) { return at..<index(at, offsetBy: needle.count) }
            at = index(after: at)
        }
        return nil
    }
}
