// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// `falco -V FILE --lint` from the outside: what it prints, and with which status it ends.
@Suite struct LintRunTests {
    private static func rule(_ condition: String) -> String {
        "- rule: R\n  desc: d\n  condition: \(condition)\n  output: x %proc.name\n  priority: INFO\n"
    }
    private static let fine = rule("evt.type = open and fd.name = /x")
    private static let hinted = rule("evt.type = open and fd.name in (/x)")
    private static let warned = rule("evt.type = open and fd.name = /x/")

    @Test(
        arguments: [
            (fine, [], 0), (fine, ["--lint"], 0), (fine, ["--lint=strict"], 0), (hinted, ["--lint=strict"], 0),
            (warned, ["--lint"], 0), (warned, ["--lint=strict"], 1), ("- rule: R\n", ["--lint"], 1),
        ] as [(String, [String], Int32)])
    func status(_ rules: String, _ options: [String], _ expected: Int32) throws {
        let folder = Scratch()
        _ = folder.file("rules.yaml", rules)
        let run = try FalcoRun(["-V", "rules.yaml"] + options, in: folder)
        #expect(run.status == expected, "\(run.errors)")
    }

    @Test func findingsStandBehindTheResult() throws {
        let folder = Scratch()
        _ = folder.file("rules.yaml", Self.warned)
        let run = try FalcoRun(["-V", "rules.yaml", "--lint"], in: folder)
        #expect(run.lines.first == "rules.yaml: Ok")
        #expect(run.lines.dropFirst().first?.hasPrefix("rules.yaml:3:44: warning: fd.name has no slash at its end; ") == true)
        #expect(run.lines.contains("lint: 1 warning, 0 hints"))
        let json = try FalcoRun(["-V", "rules.yaml", "--lint", "-o", "json_output=true"], in: folder)
        let report = try JSONSerialization.jsonObject(with: Data((json.lines.first ?? "").utf8)) as? [String: Any]
        let findings = report?["falco_lint_results"] as? [[String: Any]]
        #expect(findings?.count == 1 && findings?[0]["name"] as? String == "path-form")
        #expect((report?["falco_load_results"] as? [Any])?.count == 1)
    }

    /// Findings depend on what is configured.
    @Test func matchingOfAllRulesShadowsNothing() throws {
        let folder = Scratch()
        _ = folder.file("rules.yaml", Self.fine + Self.fine.replacingOccurrences(of: "R\n", with: "S\n"))
        let first = try FalcoRun(["-V", "rules.yaml", "--lint"], in: folder)
        #expect(first.lines.contains { $0.hasSuffix("[shadowed-rule]") })
        let all = try FalcoRun(["-V", "rules.yaml", "--lint", "-o", "rule_matching=all"], in: folder)
        #expect(all.lines.contains("lint: nothing found"))
    }
}
