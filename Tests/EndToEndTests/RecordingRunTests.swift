// SPDX-License-Identifier: Apache-2.0
import CaptureFile
import Fields
import Foundation
import Testing

/// What is done while recording: a little of everything.
private let workload = URL(filePath: #filePath).appending(path: "../../Fixtures/workload.sh").standardized.path

/// One rule that shows every field of every event.
private let everyField: String = {
    var fields: [String] = []
    for definition in FieldCatalogue.builtin.classes.flatMap(\.definitions) where !definition.flags.contains(.filterOnly) {
        let flags = definition.flags
        let spellings =
            flags.contains(.argumentRequired)
            ? (flags.contains(.argumentIndex) ? ["[1]", "[2]", "[3]"] : ["[PATH]", "[name]", ".name", ".fd"])
            : [""] + (flags.contains(.argumentOptional) && flags.contains(.argumentIndex) ? ["[1]", "[2]"] : [])
        for spelling in spellings where (try? OutputTemplate("*%" + definition.name + spelling, catalogue: .builtin)) != nil {
            fields.append("%\(definition.name)\(spelling)")
        }
    }
    return """
        - rule: every field
          desc: what a replay must show as it was
          condition: not evt.type in (mmap, munmap, mprotect, brk, rt_sigaction, rt_sigprocmask, lseek, fstat, newfstatat, ioctl)
          output: "\(fields.joined(separator: " | "))"
          priority: INFO

        """
}()

private let upstreamRules: [String] = {
    guard let captures else { return [] }
    let folder = URL(filePath: captures).appending(path: "../../upstream/rules").standardized.path
    return ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"].map { "\(folder)/\($0)" }
}()

extension EndToEnd {
    @Suite(.enabled(if: liveObstacle == nil)) struct RecordedRuns {
        let scratch = Scratch()
        /// The workload, and what our own rules speak of.
        var workloadCommand: [String] {
            let script = """
                bash \(workload)
                cat /etc/shadow > /dev/null
                touch /etc/falco-test.tmp
                rm -f /etc/falco-test.tmp

                """
            return ["--", "bash", scratch.file("all.sh", script)]
        }

        private func rulesArguments(_ rules: String) -> [String] {
            switch rules {
            case "every field": ["-A", "-r", scratch.file("every.yaml", everyField)]
            case "upstream": upstreamRules.flatMap { ["-r", $0] } + ["-o", "rule_matching=all"]
            default: ["-r", "\(rulesFolder)/\(rules)", "-o", "rule_matching=all"]
            }
        }

        /// Live and replayed, byte for byte: time, number, and every field of every event.
        @Test(arguments: ["every field", "falco_rules.yaml", "falco_rules.conf"] + (upstreamRules.isEmpty ? [] : ["upstream"]))
        func replaysAsItWas(rules: String) throws {
            // The JSON has the text line too.
            let arguments = rulesArguments(rules) + ["-o", "json_output=true"]
            let live = try FalcoRun(["run", "-w", "live.scap"] + arguments + workloadCommand, in: scratch)
            #expect(live.status == 0)
            #expect(!live.errors.contains("missing"), "\(live.errors)")
            let replay = try FalcoRun(["-e", "live.scap"] + arguments, in: scratch)
            #expect(live.alerts.count > (rules == "every field" ? 1_000 : 0))
            #expect(replay.alerts.count == live.alerts.count)
            let difference = zip(live.alerts, replay.alerts).first { $0 != $1 }
            #expect(difference == nil)
            #expect(replay.lines == live.lines)
        }

        /// Every file of a rotation stands for itself, and together they are the run.
        @Test(arguments: ["none", "gzip"])
        func rotatedFilesGoOnWhereTheLastOneEnded(compression: String) throws {
            let rules = """
                - rule: r
                  desc: d
                  condition: evt.num >= 0
                  output: "%evt.num %evt.time %evt.type %proc.name %proc.pname %fd.name %proc.duration %evt.reltime %proc.cwd"
                  priority: INFO

                """
            let arguments = ["-r", scratch.file("all.yaml", rules), "-A"]
            // More than a megabyte, however well it is compressed.
            let script = scratch.file(
                "script.sh", "for i in $(seq 1 120); do head -c 15000 /dev/urandom > f; cat f > /dev/null; done\n")
            let live = try FalcoRun(
                ["run", "-w", "live.scap", "--rotate-size", "1", "--compress", compression, "-o", "falco_libs.snaplen=65000"]
                    + arguments + ["--", "sh", script], in: scratch)
            #expect(live.status == 0)
            #expect(!live.errors.contains("missing"), "\(live.errors)")
            let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter { $0.hasPrefix("live_") }
                .sorted()
            #expect(files.count >= 2 && files.first == "live_00001.scap")
            let replays = try files.map { try FalcoRun(["-e", $0] + arguments, in: scratch).alerts }
            #expect(replays.flatMap { $0 }.count == live.alerts.count)
            let difference = zip(replays.flatMap { $0 }, live.alerts).first { $0 != $1 }
            #expect(difference == nil)
        }

        @Test func ofRotatedFilesTheNewestStay() throws {
            let script = scratch.file(
                "script.sh", "for i in $(seq 1 200); do head -c 15000 /dev/urandom > f; cat f > /dev/null; done\n")
            let run = try FalcoRun(
                [
                    "record", "-w", "r.scap", "--rotate-size=1", "--files=2", "--compress=none", "-o", "falco_libs.snaplen=65000",
                    "--", "sh", script,
                ], in: scratch)
            #expect(run.status == 0)
            let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter { $0.hasPrefix("r_") }
            #expect(files.count == 2 && !files.contains("r_00001.scap"), "\(files)")
        }

        /// The same events as with no filter, those that match; fields of the others' making are right.
        @Test func aFilteredRecordingKeepsTheState() throws {
            let rules = scratch.file(
                "rules.yaml",
                """
                - rule: r
                  desc: d
                  condition: evt.type in (read, write) and fd.name endswith a.txt
                  output: "%evt.time %proc.name %proc.pname %fd.name %proc.cwd"
                  priority: INFO

                """)
            let whole = try FalcoRun(["run", "-A", "-w", "whole.scap", "-r", rules] + workloadCommand, in: scratch)
            #expect(whole.alerts.count > 2)
            let filtered = try FalcoRun(
                [
                    "record", "--read", "whole.scap", "-w", "filtered.scap", "--filter",
                    "evt.type in (read, write) and fd.name endswith \"a.txt\"",
                ], in: scratch)
            #expect(filtered.status == 0)
            let replay = try FalcoRun(["-e", "filtered.scap", "-r", rules], in: scratch)
            #expect(replay.alerts == whole.alerts)
            func size(_ name: String) throws -> Int {
                try #require(try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/\(name)")[.size] as? Int)
            }
            #expect(try size("filtered.scap") < size("whole.scap"))
        }

        /// `kill -9`: what was written until a second before is there.
        @Test func aKilledRecordingCanBeRead() throws {
            let marker = scratch.path + "/marker"
            let end = scratch.path + "/end"
            let script = scratch.file(
                "script.sh",
                """
                for i in $(seq 1 10000); do
                    cat /etc/hostname > /dev/null; sleep 0.02
                    if [ $i = 60 ]; then : > \(marker); fi
                    if [ -e \(end) ]; then exit 0; fi
                done

                """)
            let process = Process()
            process.executableURL = URL(filePath: FalcoRun.program)
            process.arguments = ["record", "-w", "\(scratch.path)/k.scap", "-o", "log_syslog=false", "--", "sh", script]
            process.standardError = FileHandle.nullDevice
            try process.run()
            for _ in 0..<12_000 where !FileManager.default.fileExists(atPath: marker) { usleep(10_000) }
            // Until something was written that came a second after the sixtieth round.
            func written(_ path: String) -> Date {
                (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date) ?? .distantPast
            }
            let capture = scratch.path + "/k.scap"
            for _ in 0..<6_000 where written(capture) < written(marker) + 1 { usleep(10_000) }
            kill(process.processIdentifier, SIGKILL)
            _ = scratch.file("end", "")
            // Returns when the script, which lives on, has ended too.
            process.waitUntilExit()
            let rules = scratch.file(
                "rules.yaml", "- {rule: r, desc: d, condition: evt.type = execve, output: x, priority: INFO}\n")
            let replay = try FalcoRun(["-e", "k.scap", "-r", rules], in: scratch)
            #expect(replay.alerts.count > 20)
            // Cut where the last write ended: in the middle of a block, which is said, or just behind one.
            let complaints = replay.errors.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
            #expect(complaints.allSatisfy { $0.contains("ends at byte") }, "\(replay.errors)")
        }

        @Test(arguments: [("/nonexistent/x.scap", "No such file or directory"), ("/dev/full", "No space left on device")])
        func recordingEndsWithOneSentence(path: String, reason: String) throws {
            let run = try FalcoRun(
                ["record", "-w", path, "--", "sh", "-c", "for i in $(seq 1 2000); do cat /dev/null; done"], in: scratch)
            #expect(run.status == 1)
            let sentences = run.errors.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
            #expect(sentences.count == 1 && sentences[0].contains(path) && sentences[0].contains(reason), "\(run.errors)")
        }
    }

    @Suite(.enabled(if: liveObstacle == nil)) struct CapturesAroundMatches {
        let scratch = Scratch()

        private func rules(duration: String = "") -> String {
            scratch.file(
                "rules.yaml",
                """
                - rule: marked
                  desc: d
                  condition: evt.type in (open, openat) and fd.name endswith mark.txt
                  output: "%evt.num %evt.time %evt.reltime %proc.name %proc.pname %proc.cwd %fd.name %proc.duration"
                  priority: WARNING
                  capture: true
                \(duration)
                - rule: other
                  desc: d
                  condition: evt.type in (open, openat) and fd.name endswith other.txt
                  output: "%evt.num %evt.time %proc.name"
                  priority: INFO

                """)
        }
        private var prefix: String { scratch.path + "/cap" }
        private var files: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path)) ?? []).filter { $0.hasPrefix("cap_") }.sorted()
        }
        private func run(_ script: String, _ options: [String], duration: String = "") throws -> FalcoRun {
            try FalcoRun(
                ["run", "-r", rules(duration: duration), "-o", "capture.enabled=true", "-o", "capture.path_prefix=\(prefix)"]
                    + options.flatMap { ["-o", $0] } + ["--", "sh", scratch.file("script.sh", script)], in: scratch)
        }

        /// From the match on, for the duration, under today's name; the file tells the same as the run did.
        @Test func fromTheMatchOn() throws {
            let live = try run(
                "cd /; : > \(scratch.path)/other.txt; cd \(scratch.path); : > mark.txt; : > other.txt; (: > mark.txt)\n", [])
            #expect(live.alerts.count == 4)
            #expect(files.count == 1, "a further match extends: \(files)")
            let name = try #require(files.first)
            let parts = name.dropFirst(4).dropLast(5).split(separator: "_")
            #expect(name.hasSuffix(".scap") && parts.count == 2 && parts.allSatisfy { $0.count == 20 && UInt64($0) != nil })
            let number = try #require(live.alerts[1].split(separator: " ").dropFirst(2).first)
            #expect(UInt64(parts[1]) == UInt64(number))
            var status = stat()
            #expect(stat("\(scratch.path)/\(name)", &status) == 0 && status.st_mode & 0o777 == 0o600)
            let replay = try FalcoRun(["-e", name, "-r", rules()], in: scratch)
            #expect(replay.alerts == Array(live.alerts.dropFirst()))
        }

        @Test(arguments: [
            (60_000, "", 1), (100, "", 2), (60_000, "  capture_duration: 100", 2), (100, "  capture_duration: 60000", 1),
        ])
        func theDurationEnds(byDefaultMs: Int, ofTheRule: String, expected: Int) throws {
            // Two matches half a second or more apart: one file where captures last for a minute, two where for a tenth of a second.
            _ = try run(
                "cd \(scratch.path); : > mark.txt; sleep 0.5; : > mark.txt\n", ["capture.default_duration=\(byDefaultMs)"],
                duration: ofTheRule)
            #expect(files.count == expected)
        }

        @Test func everyMatchInModeAllRules() throws {
            _ = try run("cd \(scratch.path); : > other.txt\n", ["capture.mode=rules"])
            #expect(files.isEmpty)
            let live = try run("cd \(scratch.path); : > other.txt\n", ["capture.mode=all_rules"])
            #expect(files.count == 1)
            #expect(live.errors.contains("Capture is enabled in mode 'all_rules'. Capturing events to \(prefix)"))
        }

        @Test(arguments: [false, true])
        func theSizeLimitIsTold(json: Bool) throws {
            let live = try run(
                "cd \(scratch.path); : > mark.txt\nfor i in $(seq 1 120); do head -c 15000 /dev/urandom > f; cat f > g; done\n",
                [
                    "capture.max_file_size_mb=1", "json_output=\(json)", "falco_libs.snaplen=65000", "base_syscalls.all=true",
                    "base_syscalls.custom_set[]=write", "base_syscalls.custom_set[]=read", "base_syscalls.custom_set[]=openat",
                    "base_syscalls.custom_set[]=close",
                ])
            let alerts = live.alerts.filter { $0.contains("capture size limit reached") }
            #expect(alerts.count == 1)
            let alert = try #require(alerts.first)
            if json {
                #expect(
                    alert.contains(
                        "\"priority\":\"Informational\",\"rule\":\"Falco internal: capture size limit reached\",\"source\":\"internal\""
                    ))
                #expect(alert.contains("\"max_file_size_mb\":1,\"written_bytes\":1"))
            } else {
                #expect(
                    alert.contains(
                        "Informational Falco internal: capture size limit reached. Configured limit: 1 MB. (max_file_size_mb=1 written_bytes=1"
                    ))
            }
            let name = try #require(files.first)
            let bytes = try #require(try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/\(name)")[.size] as? Int)
            #expect(bytes >= 1 << 20 && bytes < 2 << 20)
            let replay = try FalcoRun(["-e", name, "-r", rules()], in: scratch)
            #expect(replay.status == 0)
        }

        /// The default prefix is in /tmp, where anybody may lay out links: names cannot be guessed whole, and links are not followed.
        @Test func oneSentenceWhereNothingCanBeWritten() throws {
            let live = try FalcoRun(
                [
                    "run", "-r", rules(), "-o", "capture.enabled=true", "-o", "capture.path_prefix=/nonexistent/cap", "--", "sh",
                    scratch.file("script.sh", "cd \(scratch.path); : > mark.txt; : > mark.txt\n"),
                ], in: scratch)
            #expect(live.status == 0)
            #expect(live.alerts.count == 2, "the rules go on")
            let sentences = live.errors.split(separator: "\n").filter { $0.contains("could not create capture file") }
            #expect(sentences.count == 1, "\(live.errors)")
        }
    }
}
