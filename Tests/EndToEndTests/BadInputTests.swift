// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension EndToEnd {
    /// Each mistake: a sentence that says what, where and what to do; exit status 1; no crash.
    @Suite struct BadInput {
        let scratch = Scratch()
        static let rule = "evt.type = close and fd.name exists | INFO %fd.name\n"

        @Test(arguments: [
            (["-r", "missing.yaml"], 1, "Could not open file missing.yaml for reading: ENOENT"),
            (["-c", "missing.yaml"], 1, "Could not find configuration file at missing.yaml"),
            (["-c", "."], 1, "Cannot read config file (.): EISDIR"), (["-r", "empty"], 1, "no rules file is found in empty"),
            (["-c", "missing-rules.yaml", "--dry-run"], 0, "rules file nowhere.yaml does not exist and is skipped"),
            (["-r", "empty.conf", "--dry-run"], 0, "the file defines no rule, macro or list"),
            (["-r", "comments.yaml", "--dry-run"], 0, "the file defines no rule, macro or list"),
            (["-r", "garbage.yaml"], 1, "the file is not text"), (["-r", "garbage.conf"], 1, "the file is not text"),
            (["-r", "field.conf"], 1, "filter_check called with nonexistent field proc.nam"),
            (["-r", "operator.conf"], 1, "filter error: 'contains' operator not supported"),
            (["-r", "field.conf", "--diagnostics=annotated"], 1, "field.conf:1:1: error: unknown field 'proc.nam'"),
            (["-r", "operator.conf", "--diagnostics=annotated"], 1, "operator.conf:1:10: error: 'contains' does not work on"),
            (["-r", "rule.conf", "--diagnostics=pretty"], 1, "Valid values are: auto, annotated, falco"),
            (["-r", "cycle.conf"], 1, "reference loop in macro 'a'"), (["-r", "bomb.yaml"], 1, "stand for more than"),
            (["-r", "rule.conf", "-e", "garbage.scap"], 1, "is not a capture file"),
            (
                ["-r", "rule.conf", "-e", "missing.scap"], 1,
                "Could not open trace filename missing.scap for reading: No such file"
            ),
            (["-r", "rule.conf", "-e", "."], 1, "Could not open trace filename . for reading: Is a directory"),
            (["-r", "rule.conf", "-o", "novalue"], 1, "Must be of the form key=val"),
            (["--nonsense"], 1, "Option 'nonsense' does not exist"),
            (["-r", "rule.conf", "--scope", "0"], 1, "is not a process id"),
            (["run", "-r", "rule.conf"], 1, "falco run needs a command"),
            (["-r", "rule.conf", "-e", "garbage.scap", "--scope", "1"], 1, "--scope watches live"),
            (["-r", "rule.conf", "-e", "g", "-o", "stdout_output.enabled=false"], 1, "No output configured"),
            (
                [
                    "-r", "rule.conf", "-e", "g", "-o", "stdout_output.enabled=false", "-o", "file_output.enabled=true", "-o",
                    "file_output.filename=/nonexistent/f",
                ], 1, "no output could be opened"
            ),
        ])
        func isSaid(_ arguments: [String], status: Int32, _ sentence: String) throws {
            _ = scratch.file("rule.conf", Self.rule)
            _ = scratch.file("empty.conf", "")
            _ = scratch.file("comments.yaml", "# one\n\n# two\n")
            let garbage = Data((0..<3000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ 0x80) })
            for name in ["garbage.yaml", "garbage.conf", "garbage.scap"] { _ = scratch.file(name, garbage) }
            _ = scratch.file("field.conf", "proc.nam = bash | INFO x\n")
            _ = scratch.file("operator.conf", "proc.pid contains bash | INFO x\n")
            _ = scratch.file("cycle.conf", "a: b\nb: a\na | INFO x\n")
            var layers = ["a: &a [x]\n"]
            for (inner, outer) in zip("abcdefghi", "bcdefghij") {
                layers.append("\(outer): &\(outer) [\(Array(repeating: "*\(inner)", count: 10).joined(separator: ", "))]\n")
            }
            _ = scratch.file("bomb.yaml", layers.joined())
            _ = scratch.file(
                "missing-rules.yaml", "rules_files: [nowhere.yaml, rule.conf]\nstdout_output: {enabled: true}\nlog_stderr: true\n"
            )
            try FileManager.default.createDirectory(atPath: scratch.path + "/empty", withIntermediateDirectories: true)
            let run = try FalcoRun(arguments, in: scratch)
            #expect(run.status == status)
            #expect(run.errors.contains(sentence), "\(run.errors)")
        }

        @Test(
            .enabled(if: liveObstacle == nil),
            arguments: [
                (["/nonexistent/command"], 127, "could not start '/nonexistent/command': ENOENT"),
                (["/tmp"], 126, "could not start '/tmp': EACCES"),
                (["sh", "-c", "exit 42"], 42, ""), (["sh", "-c", "kill -9 $$"], 137, ""),
            ])
        func theCommandsStatus(_ command: [String], status: Int32, _ sentence: String) throws {
            let run = try FalcoRun(["run", "-r", scratch.file("rule.conf", Self.rule), "--"] + command, in: scratch)
            #expect(run.status == status)
            #expect(sentence.isEmpty || run.errors.contains("Error: \(sentence)"))
        }

        /// What lies before the cut is alerted, as it is without it; then comes the error.
        @Test(.enabled(if: captures != nil)) func aCutCaptureAlertsUpToTheCut() throws {
            let path = "\(captures!)/today/workload.scap"
            let rules = scratch.file("rule.conf", Self.rule)
            let whole = try FalcoRun(["-r", rules, "-e", path], in: scratch)
            let data = try #require(FileManager.default.contents(atPath: path))
            let cut = try FalcoRun(["-r", rules, "-e", scratch.file("cut.scap", data.prefix(data.count / 2))], in: scratch)
            #expect(whole.status == 0 && cut.status == 1)
            #expect(!cut.alerts.isEmpty && cut.alerts.count < whole.alerts.count)
            #expect(cut.alerts == Array(whole.alerts.prefix(cut.alerts.count)))
            #expect(cut.detected == cut.alerts.count)
            #expect(cut.errors.contains("Error: capture file '\(scratch.path)/cut.scap' ends at byte"))
        }
    }
}
