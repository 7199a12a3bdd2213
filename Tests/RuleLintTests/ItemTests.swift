// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import RuleLint
import Rules
import Testing

@Suite struct ShadowFindings {
    /// Two conditions, the first rule's and the second's: whether the second is shadowed.
    static let rows: [(first: String, second: String, isShadowed: Bool)] = [
        ("evt.type = open", "evt.type = open", true),
        ("evt.type = open", "evt.type = open and fd.name = /x", true),
        ("evt.type = open and fd.name = /x", "evt.type = open", false),
        ("evt.type in (open, openat)", "evt.type = open", true),
        ("evt.type = open", "evt.type in (open, openat)", false),
        ("evt.type = open and proc.name in (a, b)", "evt.type = open and proc.name in (b) and user.uid = 0", true),
        ("evt.type = open and proc.name in (a, b)", "evt.type = open and proc.name in (b, c)", false),
        ("evt.type = open and not proc.name in (a, b)", "evt.type = open and not proc.name in (a, b, c)", true),
        ("evt.type = open and not proc.name in (a, b)", "evt.type = open and not proc.name in (a)", false),
        // A missing name makes != fail and not = hold.
        ("evt.type = open and not proc.name = a", "evt.type = open and proc.name != a", true),
        ("evt.type = open and proc.name != a", "evt.type = open and not proc.name = a", false),
        ("evt.type = open and fd.name startswith /etc", "evt.type = open and fd.name startswith /etc/pam", true),
        ("evt.type = open and fd.name startswith /etc", "evt.type = open and fd.name = /etc/passwd", true),
        ("evt.type = open and fd.name glob /etc/*", "evt.type = open and fd.name in (/etc/a, /etc/b)", true),
        ("evt.type = open and fd.name glob /etc/*", "evt.type = open and fd.name in (/etc/a, /usr/b)", false),
        ("evt.type = open and fd.name pmatch (/etc, /usr)", "evt.type = open and fd.name pmatch (/etc/pam.d)", true),
        ("evt.type = open and (proc.name = a or user.uid = 0)", "evt.type = open and user.uid = 0", true),
        (
            "evt.type = open and (proc.name = a or user.uid = 0)",
            "evt.type = open and (user.uid = 0 or proc.name = a) and fd.num > 3", true
        ),
        ("evt.type = open and (proc.name = a or user.uid = 0)", "evt.type = open and (user.uid = 0 or proc.name = b)", false),
        ("evt.type = connect and fd.ip = 1.2.3.4", "evt.type = connect and fd.ip in (1.2.3.4, 1.2.3.5)", false),
        ("evt.type = connect and fd.ip in (1.2.3.4, 1.2.3.5)", "evt.type = connect and fd.ip = 1.2.3.4", true),
        ("evt.type = connect and fd.sport > 100", "evt.type = connect and fd.sport in (443, 8080)", true),
        ("evt.type = connect and fd.sport > 100", "evt.type = connect and fd.sport >= 100", false),
        ("evt.type = open and (evt.num=0)", "evt.type = open", false),
        ("evt.type = open", "evt.type = open and (evt.num=0)", false),
    ]

    @Test(arguments: rows.indices)
    func pair(_ row: Int) {
        let (first, second, isShadowed) = Self.rows[row]
        let text = Linting.rule(first, name: "A") + Linting.rule(second, name: "B")
        let linting = Linting(text)
        #expect(linting.loaded)
        #expect(linting.names.contains(.shadowedRule) == isShadowed, "'\(second)' behind '\(first)'")
        #expect(!Linting(text) { $0.firstMatchOnly = false }.names.contains(.shadowedRule), "all rules match under 'all'")
    }

    @Test func saysWhoShadowsWhom() throws {
        let text = Linting.rule("evt.type = open", name: "A") + Linting.rule("evt.type = open and fd.num = 3", name: "B")
        let finding = try #require(Linting(text).first(.shadowedRule))
        #expect(finding.item == "rule 'B'" && finding.line == 6 && !finding.isHint)
        #expect(
            finding.diagnostic.message
                == "rule 'B' never alerts: rule 'A' (rules.yaml:1) stands before it and matches all its events")
    }

    /// A rule that is off takes nothing away; its exceptions let events through.
    @Test func disabledRulesAndExceptionsShadowNothing() {
        let second = Linting.rule("evt.type = open and proc.name = x", name: "B")
        #expect(
            !Linting(Linting.rule("evt.type = open", name: "A", more: "  enabled: false\n") + second).names.contains(
                .shadowedRule))
        let exception = "  exceptions:\n    - name: e\n      fields: [proc.name]\n      values: [[x]]\n"
        #expect(!Linting(Linting.rule("evt.type = open", name: "A", more: exception) + second).names.contains(.shadowedRule))
        #expect(
            Linting(Linting.rule("evt.type = open", name: "A", more: exception.replacing("[[x]]", with: "[[y]]")) + second)
                .names.contains(.shadowedRule))
    }
}

@Suite struct ItemFindings {
    /// Whole files: what is found, and the same without the fault.
    static let rows: [(LintName, fires: String, silent: String)] = [
        (.exceptionNeverMatches, exception("proc.name = a", "[[b]]"), exception("proc.name in (a, b)", "[[b]]")),
        (
            .exceptionNeverMatches, exception("proc.name in (a, b)", "[[a], [c]]"),
            exception("proc.name startswith a", "[[a], [ac]]")
        ),
        (
            .exceptionNeverMatches, exception("user.uid = 0", "[[/x]]", field: "fd.name"),
            exception("user.uid = 0", "[[/x]]", field: "proc.exe")
        ),
        (.exceptionRepeated, exception("user.uid = 0", "[[a], [b], [a]]"), exception("user.uid = 0", "[[a], [b]]")),
        (
            .exceptionRepeated, exception("user.uid = 0", "[[a], [[a, b]]]", comps: "[in]"),
            exception("user.uid = 0", "[[a], [[c, b]]]", comps: "[in]")
        ),
        (
            .unreachableMacro, "- macro: a\n  condition: proc.name = a\n- macro: b\n  condition: a\n" + ok,
            "- macro: a\n  condition: proc.name = a\n- macro: b\n  condition: a\n" + Linting.rule("evt.type = open and b")
        ),
        (
            .unreachableList, "- list: l\n  items: [a, b]\n- macro: m\n  condition: proc.name in (l)\n" + ok,
            "- list: l\n  items: [a, b]\n- macro: m\n  condition: proc.name in (l)\n" + Linting.rule("evt.type = open and m")
        ),
        (
            .redefinedItem,
            "- macro: m\n  condition: proc.name = a\n- macro: m\n  condition: proc.name = b\n"
                + Linting.rule("evt.type = open and m"),
            "- macro: m\n  condition: proc.name = a\n- macro: m\n  condition: or proc.name = b\n  override:\n    condition: append\n"
                + Linting.rule("evt.type = open and m")
        ),
        (
            .redefinedItem, Linting.rule("evt.type = open") + Linting.rule("evt.type = close"),
            Linting.rule("evt.type = open") + Linting.rule("evt.type = close", name: "S")
        ),
        (
            .repeatedValue, "- list: l\n  items: [a, b, a]\n" + Linting.rule("evt.type = open and proc.name in (l)"),
            "- list: l\n  items: [a, b, c]\n" + Linting.rule("evt.type = open and proc.name in (l)")
        ),
        (
            .listInComparison, "- list: l\n  items: [a]\n" + Linting.rule("evt.type = open and proc.name = l"),
            "- list: l\n  items: [a]\n" + Linting.rule("evt.type = open and proc.name in (l)")
        ),
        (
            .macroAsValue,
            "- macro: my_shells\n  condition: proc.name = a\n"
                + Linting.rule("evt.type = open and my_shells and proc.name in (my_shells, b)"),
            "- macro: my_shells\n  condition: proc.name = a\n"
                + Linting.rule("evt.type = open and my_shells and proc.pname in (my_shell_x, b)")
        ),
        (
            .misspeltList,
            "- list: shell_binaries\n  items: [a, b]\n"
                + Linting.rule("evt.type = open and proc.name in (shell_binaires) and not proc.pname in (shell_binaries)"),
            "- list: shell_binaries\n  items: [a, b]\n"
                + Linting.rule("evt.type = open and proc.name in (shell_binaries, my_own_binary)")
        ),
        (
            .deadBranch,
            "- macro: m\n  condition: (proc.name = a and proc.name = b)\n" + Linting.rule("evt.type = open and not m"),
            "- macro: m\n  condition: (evt.num=0)\n" + Linting.rule("evt.type = open and not m")
        ),
        // A list that is still empty is a place for others to put something.
        (
            .deadBranch,
            "- macro: m\n  condition: (proc.name = a and proc.name = b)\n" + Linting.rule("evt.type = open and not m"),
            "- list: l\n  items: []\n- macro: m\n  condition: (user.uid = 0 and proc.name in (l))\n"
                + Linting.rule("evt.type = open and not m")
        ),
        (
            .outputFieldEmpty, Linting.rule("evt.type = execve", output: "x %proc.name %fd.name"),
            Linting.rule("evt.type = open", output: "x %proc.name %fd.name")
        ),
        (
            .outputFieldEmpty, Linting.rule("evt.type = open", output: "x %proc.name %evt.arg.newpath"),
            Linting.rule("evt.type = rename", output: "x %proc.name %evt.arg.newpath")
        ),
        (
            .outputWithoutContext, Linting.rule("evt.type = open", output: "opened %fd.name"),
            Linting.rule("evt.type = open", output: "opened %fd.name by %proc.exepath")
        ),
        (
            .tagForm, Linting.rule("evt.type = open", more: "  tags: [mitre_persistance]\n"),
            Linting.rule("evt.type = open", more: "  tags: [mitre_persistence, network, T1059]\n")
        ),
        (
            .tagForm, Linting.rule("evt.type = open", more: "  tags: [t1059.4]\n"),
            Linting.rule("evt.type = open", more: "  tags: [T1059.004, tier1, TA0003]\n")
        ),
        (
            .unknownAllow, "# falco-lint: allow shadow-rule\n" + ok,
            "# falco-lint: allow never-true\n" + Linting.rule("evt.type = open and evt.type = close")
        ),
        (
            .needlessAllow, "# falco-lint: allow never-true\n" + ok,
            "# falco-lint: allow never-true\n" + Linting.rule("evt.type = open and evt.type = close")
        ),
    ]
    static let ok = Linting.rule("evt.type = open and proc.name = z", name: "fine")
    static func exception(_ condition: String, _ values: String, field: String = "proc.name", comps: String = "[=]") -> String {
        Linting.rule(
            "evt.type = execve and " + condition,
            more: "  exceptions:\n    - name: e\n      fields: [\(field)]\n      comps: \"COMPS\"\n      values: \(values)\n"
                .replacing("\"COMPS\"", with: comps))
    }

    @Test(arguments: rows.indices)
    func found(_ row: Int) {
        let (name, fires, silent) = Self.rows[row]
        let bad = Linting(fires)
        #expect(bad.loaded && bad.names.contains(name), "\(name.rawValue) is not found in: \(fires)")
        let good = Linting(silent)
        #expect(good.loaded && !good.names.contains(name), "\(name.rawValue) is found in: \(silent)")
    }

    @Test func suppliersDependOnTheEngine() {
        let text = Linting.rule("evt.type = open and container.image.repository = x")
        #expect(Linting(text) { $0.suppliesContainerMetadata = false }.names.contains(.fieldWithoutSource))
        #expect(!Linting(text).names.contains(.fieldWithoutSource))
        let host = Linting.rule("evt.type = open and container.id != host and container.name != host")
        #expect(!Linting(host) { $0.suppliesContainerMetadata = false }.names.contains(.fieldWithoutSource))
    }

    @Test func rulesBelowTheConfiguredPriorityAreNeverEnabled() {
        let text = Linting.rule("evt.type = open")
        #expect(Linting(text, priority: .warning).names.contains(.belowPriority))
        #expect(!Linting(text, priority: .informational).names.contains(.belowPriority))
    }

    @Test func massesOfReadsCostOnlyWhenTheyAreDelivered() {
        let text = Linting.rule("evt.type = read and proc.name = x")
        #expect(Linting(text) { $0.deliversIgnoredSyscalls = true }.names.contains(.costlyEvent))
        #expect(!Linting(text).names.contains(.costlyEvent))
    }

    @Test func capturesMayHoldWhatNoLiveSourceDelivers() {
        let text = Linting.rule("evt.type = procinfo")
        #expect(!Linting(text) { $0.isLive = false }.names.contains(.undeliveredEvent))
        #expect(Linting(text).names.contains(.undeliveredEvent))
    }

    @Test func theDocumentHasEveryFinding() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/lint.md"), encoding: .utf8)
        for name in LintName.allCases {
            let row = "`\(name.rawValue)` | \(name.isHint ? "hint" : "warning") | \(name.summary)\n"
            #expect(text.contains(row), "docs/lint.md has another row for \(name.rawValue)")
        }
    }

    /// Every finding has a row that fires somewhere here.
    @Test func everyFindingIsTested() {
        let tested = Set(
            ConditionFindings.rows.map(\.0) + Self.rows.map(\.0) + [.shadowedRule, .fieldWithoutSource, .belowPriority])
        #expect(Set(LintName.allCases).subtracting(tested).isEmpty)
    }
}

@Suite struct AllowComments {
    static let never = "evt.type = open and evt.type = close"

    /// Where the comment may stand, and whether it then silences rule `R`.
    @Test(
        arguments: [
            ("# falco-lint: allow never-true\nRULE", true), ("# about it\n# falco-lint: allow never-true\n# more\nRULE", true),
            ("RULE  # falco-lint: allow never-true\n", true), ("# falco-lint: allow never-true\n\nRULE", false),
            ("# falco-lint: allow costly-event, never-true\nRULE", true), ("# falco-lint: allow costly-event\nRULE", false),
            ("RULE# falco-lint: allow never-true\nOTHER", false), ("OTHERRULE# falco-lint: allow never-true\n", true),
            ("# falco-lint: allow-file never-true\n\nOTHERRULE", true),
        ] as [(String, Bool)])
    func place(_ text: String, _ isSilent: Bool) {
        let file = text.replacing("RULE", with: Linting.rule(Self.never)).replacing(
            "OTHER", with: Linting.rule("evt.type = open", name: "O"))
        let linting = Linting(file)
        #expect(linting.loaded)
        #expect(linting.names.contains(.neverTrue) != isSilent, "\(file)")
    }

    @Test func aMacroMayAllowWhatRulesGetFromIt() {
        let text =
            "# falco-lint: allow failed-starts\n- macro: started\n  condition: (evt.type = execve)\n"
            + Linting.rule("started and proc.name = a")
        #expect(!Linting(text).names.contains(.failedStarts))
        #expect(Linting(text.replacing("# falco", with: "# no")).names.contains(.failedStarts))
    }

    @Test func theOneLineFormatHasThemToo() {
        let text = "# falco-lint: allow never-true\nevt.type = open and evt.type = close | WARNING x %proc.name\n"
        #expect(!Linting([("rules.conf", text)]).names.contains(.neverTrue))
        #expect(Linting([("rules.conf", text.replacing("# falco", with: "# no"))]).names.contains(.neverTrue))
    }
}

@Suite struct LintReports {
    static let text = Linting.rule("evt.type = open and fd.name = /etc/", output: "x %proc.name")

    @Test func text() {
        #expect(
            LintReport.text(Linting(Self.text).findings) == """
                rules.yaml:3:44: warning: fd.name has no slash at its end; write '/etc', or 'startswith' for what lies below it [path-form]
                lint: 1 warning, 0 hints

                """)
        #expect(LintReport.text([]) == "lint: nothing found\n")
    }

    @Test func json() {
        let json = LintReport.json(Linting(Self.text).findings)
        #expect(json[0]?["name"] == "path-form" && json[0]?["severity"] == "warning" && json[0]?["item"] == "rule 'R'")
        #expect(json[0]?["line"] == 3 && json[0]?["column"] == 44 && json[0]?["file"] == "rules.yaml")
    }

    @Test func annotated() {
        let text = LintReport.annotated(Linting(Self.text).findings)
        #expect(text.hasPrefix("rules.yaml:3:44: warning: fd.name has no slash at its end [path-form]\n"))
        #expect(text.contains("\n3 |   condition: evt.type = open and fd.name = /etc/\n"))
    }

    /// Places in folded text, through lists and macros.
    @Test func placesAreTheUsersOwn() throws {
        let file =
            "- list: l\n  items: [a, abcdefghijklmnop]\n- macro: m\n  condition: >\n    evt.type = open\n    and proc.name in (l)\n"
            + Linting.rule("m and user.uid = 0")
        let finding = try #require(Linting(file).first(.nameTooLong))
        #expect((finding.line, finding.column) == (2, 14))
        let folded =
            "- rule: R\n  desc: d\n  condition: >\n    evt.type = open\n    and fd.name = /etc/\n  output: x %proc.name\n  priority: INFO\n"
        let place = try #require(Linting(folded).first(.pathForm))
        #expect((place.line, place.column) == (5, 19))
    }
}
