// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState

/// The descriptors that poll and ppoll wait for, as comma-separated text (`fdlist.*`).
public enum DescriptorListField: UInt16, FieldFamily {
    case nums, names, cips, sips, cports, sports

    public static let number = FieldFamilies.descriptorList

    public static let classes: [FieldClassRows<DescriptorListField>] = [
        FieldClassRows(
            "fdlist", "The descriptors that a poll waits for.",
            rows: [
                .init(.nums, "fdlist.nums", .charbuf, .id, "Numbers of the descriptors, separated by commas."),
                .init(.names, "fdlist.names", .charbuf, "Names of the descriptors, separated by commas."),
                .init(.cips, "fdlist.cips", .charbuf, "Addresses of the ends that connected, separated by commas."),
                .init(.sips, "fdlist.sips", .charbuf, "Addresses of the ends that were connected to, separated by commas."),
                .init(.cports, "fdlist.cports", .charbuf, .dec, "Ports of the ends that connected, separated by commas."),
                .init(.sports, "fdlist.sports", .charbuf, .dec, "Ports of the ends that were connected to, separated by commas."),
            ])
    ]

    static func extract(
        _ field: DescriptorListField, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let parameter: Int
        switch context.event.type {
        case PPME_SYSCALL_POLL_E.code, PPME_SYSCALL_PPOLL_E.code: parameter = 0
        case PPME_SYSCALL_POLL_X.code, PPME_SYSCALL_PPOLL_X.code: parameter = 1
        default: return .none
        }
        guard let list = context.event.parameter(parameter), let count: UInt16 = list.integer(at: 0), context.thread.exists else {
            return .none
        }
        scratch.begin()
        for index in 0..<Int(count) {
            // Each entry: descriptor (8 bytes), wanted or returned events (2).
            guard let fd: Int64 = list.integer(at: 2 + index * 10) else { break }
            if field == .nums {
                separate(&scratch)
                scratch.append(signed: fd)
                continue
            }
            let known = state.descriptor(fd, of: context.thread)
            if field == .names {
                separate(&scratch)
                let name = known.map { state.pool[$0.name] } ?? .empty
                scratch.append(name.isEmpty ? Bytes("<NA>") : name)
                continue
            }
            guard let record = known, record.isInet else { continue }
            let wantsServer = field == .sips || field == .sports
            guard record.isConnection || wantsServer else { continue }
            separate(&scratch)
            switch field {
            case .cips: append(record.source, isIPv6: record.isIPv6, &scratch)
            case .sips: append(record.isServer ? record.serverAddress : record.destination, isIPv6: record.isIPv6, &scratch)
            case .cports: scratch.append(unsigned: UInt64(record.sourcePort))
            case .sports: scratch.append(unsigned: UInt64(record.isServer ? record.serverPort : record.destinationPort))
            case .nums, .names: break  // done above
            }
        }
        let text = scratch.finish()
        return text.isEmpty ? .none : .bytes(text)
    }

    private static func append(_ address: AddressBytes, isIPv6: Bool, _ scratch: inout ExtractionScratch) {
        if isIPv6 { scratch.append(ipv6: address) } else { scratch.append(ipv4: address.ipv4NetworkOrder) }
    }

    private static func separate(_ scratch: inout ExtractionScratch) {
        if scratch.openCount > 0 { scratch.append(UInt8(ascii: ",")) }
    }
}
