// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing

/// A listener on loopback, for connections that somebody makes.
final class Listener {
    let port: UInt16
    private let descriptor: Int32
    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(bound, "no port on loopback")
        port = UInt16(bigEndian: address.sin_port)
    }
    deinit { close(descriptor) }
}

extension EndToEnd {
    @Suite(.enabled(if: liveObstacle == nil)) struct DefaultRules {
        let scratch = Scratch()

        /// What a rule says, and what a script does to hear it. One alert each.
        @Test(arguments: ["falco_rules.conf"])
        func oneAlertForEachBehaviour(_ rules: String) throws {
            let listener = try Listener()
            let group = ContainerGroup()
            var behaviours = [
                ("cat /etc/shadow > /dev/null", "Warning Sensitive file read (file=/etc/shadow "),
                (
                    "touch /etc/falco-test.tmp; rm -f /etc/falco-test.tmp",
                    "Error File below /etc opened for writing (file=/etc/falco-test.tmp "
                ),
                (
                    "bash -c 'exec 3<>/dev/tcp/127.0.0.1/\(listener.port)'",
                    "Critical Shell tied to a network connection (connection=127.0.0.1:"
                ),
            ]
            if let group {
                behaviours.append(
                    (
                        "sh -c 'echo $$ > \(group.path)/cgroup.procs && exec sh -c true'",
                        "Notice Shell started in a container (container="
                    ))
            }
            let script = scratch.file("script.sh", behaviours.map(\.0).joined(separator: "\n") + "\n")
            let run = try FalcoRun(["run", "-r", "\(rulesFolder)/\(rules)", "--", "sh", script], in: scratch)
            for (command, alert) in behaviours {
                #expect(run.alerts.filter { $0.contains(alert) }.count == 1, "\(command)")
            }
            #expect(run.alerts.count == behaviours.count, "\(run.alerts)")
            #expect(run.detected == behaviours.count)
        }

        /// What a process may be called, and what its files may be called, is up to whoever starts it.
        @Test func aHostileNameStaysInItsLine() throws {
            let rules = scratch.file(
                "rules.conf",
                "evt.type in (open, openat) and fd.name contains hostile | WARNING %fd.name by %proc.name %proc.cmdline\n")
            let names = [
                "hostile\\n23:00:00.000000000: Critical forged", "hostile\\033[2J\\033[31m", "hostile\\377\\376\\200",
                "hostile\\r\\b\\007\\\\\"",
                "hostile \\342\\200\\256",
            ]
            let script = scratch.file(
                "script.sh",
                names.map { "f=$(printf '\(scratch.path)/\($0)'); : > \"$f\"; cat -- \"$f\"; rm -- \"$f\"\n" }.joined())
            for options in [[], ["-o", "json_output=true"]] {
                let run = try FalcoRun(["run"] + options + ["-r", rules, "--", "sh", script], in: scratch)
                #expect(run.alerts.count == 2 * names.count)
                #expect(run.detected == 2 * names.count)
                let isJSON = !options.isEmpty
                for line in run.alerts {
                    #expect(line.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }, "\(line)")
                    if isJSON { #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) } }
                    #expect(line.hasPrefix("{") == isJSON)
                }
            }
        }

        /// The longest path that the kernel takes: the alert may cut it, but there is one and it has its end.
        @Test func theLongestPath() throws {
            let rules = scratch.file(
                "rules.conf", "evt.type in (open, openat) and evt.arg.name contains /../ | WARNING (%evt.arg.name)\n")
            let script = scratch.file(
                "script.sh",
                "p=\(scratch.path)/hostile; while [ ${#p} -lt 4080 ]; do p=$p/../hostile; done; mkdir hostile; : > $p/x\n")
            let run = try FalcoRun(["run", "-r", rules, "--", "sh", script], in: scratch)
            #expect(run.alerts.count == 1)
            #expect(run.alerts.allSatisfy { $0.hasSuffix(")") && $0.utf8.count > 4000 })
        }
    }
}
