// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension EndToEnd {
    /// Names that a live process gives its files, its arguments and itself.
    @Suite struct HostileNames {
        let scratch = Scratch()

        @Test(.enabled(if: liveObstacle == nil), arguments: [true, false])
        func stayOnOneLine(json: Bool) throws {
            let rule =
                "evt.type in (open, openat) and fd.name contains hostile- "
                + "| WARNING n=%proc.name c=%proc.cmdline f=%fd.name\n"
            // A line feed, a terminal's escape, a byte that is no text; then a name as long as a file system allows, and a path of
            // 4095 bytes that is opened in vain; then a program under such a name.
            let script = #"""
                f=$(printf 'hostile-a\nb\033[2J\377"c')
                : > "$f"; cat "$f"
                : > "hostile-$(printf '%0247d' 0)"
                cat "/$(printf '%04000d' 0 | sed 's,0000000000,000000000/,g')/hostile-long" 2>/dev/null
                ln -s /bin/cat "$(printf 'cat\n\033[1m')"
                "./$(printf 'cat\n\033[1m')" "$f"
                true
                """#
            let arguments = [
                "run", "-r", scratch.file("rule.conf", rule), "-o", "json_output=\(json)", "--", "sh", "-c", script,
            ]
            let run = try FalcoRun(arguments, in: scratch)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.alerts.count >= 4 && run.detected == run.alerts.count)
            for line in run.alerts {
                #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }, "\(line)")
                guard json else { continue }
                let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
                let fields = try #require(object["output_fields"] as? [String: Any])
                #expect((fields["fd.name"] as? String)?.contains("hostile-") == true)
            }
            guard json else { return }
            let names = run.alerts.compactMap { line -> String? in
                let object = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
                return (object?["output_fields"] as? [String: Any])?["fd.name"] as? String
            }
            #expect(names.contains { $0.hasSuffix("/hostile-a\nb\u{1b}[2J\u{fffd}\"c") }, "\(names)")
            #expect(names.contains { $0.hasSuffix("/hostile-" + String(repeating: "0", count: 247)) }, "\(names)")
        }
    }
}
