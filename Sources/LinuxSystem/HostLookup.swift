// SPDX-License-Identifier: Apache-2.0
import EventModel
import Glibc

public enum HostLookup {
    /// The addresses of a host, by /etc/hosts, DNS or whatever else the machine is set up for; empty when it has none or nobody
    /// answers. Blocks for as long as the machine's resolver does: not for the thread of the events.
    public static func addresses(of name: String) -> [(address: AddressBytes, isIPv6: Bool)] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var found: [(address: AddressBytes, isIPv6: Bool)] = []
        var next = first
        while let entry = next?.pointee {
            if entry.ai_family == AF_INET, let address = entry.ai_addr {
                let raw = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
                found.append((AddressBytes(ipv4NetworkOrder: raw), false))
            } else if entry.ai_family == AF_INET6, let address = entry.ai_addr {
                let raw = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { $0.pointee.sin6_addr }
                found.append(
                    withUnsafeBytes(of: raw) {
                        (
                            AddressBytes(
                                high: $0.loadUnaligned(as: UInt64.self), low: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                            ),
                            true
                        )
                    })
            }
            next = entry.ai_next
        }
        return found
    }
}
