// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension EndToEnd {
    /// What a name led to, and the end of a long command line: live, and the same again from the recording.
    @Suite(.enabled(if: liveObstacle == nil)) struct KernelRecords {
        @Test func hiddenNamesAreSeenLiveAndInTheRecording() throws {
            let scratch = Scratch()
            let rules = scratch.file(
                "rules.yaml",
                """
                - rule: path
                  desc: Files behind other names.
                  condition: evt.type in (open, openat, openat2) and (fd.name startswith "\(scratch.path)/n" or kernel.path = /etc/shadow)
                  output: "%fd.name | %kernel.path | %kernel.fspath | %kernel.path_differs"
                  priority: INFO
                - rule: tail
                  desc: More arguments than an event carries.
                  condition: evt.type = execve and kernel.args_truncated = true
                  output: "%kernel.args_length %kernel.args_tail"
                  priority: INFO

                """)
            let script = scratch.file(
                "script.sh",
                """
                cd "\(scratch.path)"
                echo x > n-file
                ln -s n-file n-link
                ln -s /etc/shadow n-shadow
                cat n-file n-link n-shadow > /dev/null
                cat /proc/self/root/etc/shadow > /dev/null
                unshare -m sh -c 'mount --bind /etc/shadow n-file; cat n-file > /dev/null'
                /bin/echo $(head -c 6000 /dev/zero | tr '\\0' a) the secret end > /dev/null

                """)
            let recording = scratch.path + "/run.scap"
            let live = try FalcoRun(["run", "-w", recording, "-r", rules, "--", "sh", script], in: scratch)
            let replay = try FalcoRun(
                ["-r", rules, "-o", "engine.kind=replay", "-o", "engine.replay.capture_file=\(recording)"], in: scratch)
            let here = (try? FileManager.default.destinationOfSymbolicLink(atPath: scratch.path)) ?? scratch.path
            let said = live.alerts.map { $0.components(separatedBy: "Informational ").last ?? "" }
            #expect(
                said.filter { !$0.contains("secret") } == [
                    "\(here)/n-file | \(here)/n-file | <NA> | false",
                    "\(here)/n-file | \(here)/n-file | <NA> | false",
                    "\(here)/n-link | \(here)/n-file | <NA> | true",
                    "\(here)/n-shadow | /etc/shadow | <NA> | true",
                    "/proc/self/root/etc/shadow | /etc/shadow | <NA> | true",
                    "\(here)/n-file | \(here)/n-file | /etc/shadow | false",
                ])
            let long = try #require(said.first { $0.contains("secret") })
            #expect(long.hasPrefix("6016 aaa") && long.hasSuffix("aaa the secret end"), "\(long.suffix(80))")
            #expect(replay.alerts == live.alerts)
            #expect(live.alerts.count == 7)
        }
    }
}
