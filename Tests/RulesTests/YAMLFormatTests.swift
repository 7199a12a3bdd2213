// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import Rules
import Testing

@Suite struct YAMLErrorsPoint {
    /// `¦` marks where the caret must stand: under the user's own text, through folding, macros, lists and exceptions.
    @Test(arguments: [
        "- macro: m\n  condition: evt.type=open and ¦proc.nmae=x\n- rule: R\n  desc: d\n  condition: m\n  output: x\n  "
            + "priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: >\n    evt.type=open\n    and ¦proc.nmae=x\n  output: x\n  priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: |\n    evt.type=open\n    and ¦proc.nmae=x\n  output: x\n  priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: evt.type=open\n    and proc.name=\"a\"  and\n    ¦proc.nmae=x\n  output: x\n "
            + " priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: 'evt.type=open and proc.name=''a b'' and ¦proc.nmae=x'\n  output: x\n  "
            + "priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: \"evt.type=open and proc.name=\\\"a\\\" and ¦proc.nmae=x\"\n  output: x\n  "
            + "priority: INFO\n",
        "- list: l\n  items: [open, ¦opne]\n- rule: R\n  desc: d\n  condition: evt.type in (l)\n  output: x\n  priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: evt.type=open\n  output: x\n  priority: INFO\n  exceptions:\n    - name: e\n "
            + "     fields: [¦proc.nmae]\n      values: [[a]]\n",
        "- rule: R\n  desc: d\n  condition: evt.type=open\n  output: x ¦%proc.nmae\n  priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: evt.type=open\n  output: >\n    a %proc.name,\n    b ¦%nope.\n  priority: INFO\n",
        "- rule: R\n  desc: d\n  condition: evt.type=open\n  output: x\n  priority: ¦INFOO\n",
        "- rule: R\n  desc: d\n  condition: evt.type=open\n  output: x\n  priority: INFO\n- rule: R\n  condition: and "
            + "¦proc.nmae=x\n  override:\n    condition: append\n",
    ])
    func at(_ marked: String) throws {
        let mark = try #require(marked.firstIndex(of: "¦"))
        let before = marked[..<mark].split(separator: "\n", omittingEmptySubsequences: false)
        let error = try #require(Loading(marked.replacing("¦", with: "")).firstError)
        #expect(
            (error.excerpt?.line, error.excerpt?.column) == (before.count, before.last!.count + 1),
            "\(AnnotatedRenderer.render(error))")
    }

    @Test func falcosPositionsCountFromZero() throws {
        let error = try #require(Loading(Loading.rule("evt.type=open and proc.nmae=x")).firstError)
        let places = error.context.map { "\($0.kind.rawValue) \($0.line):\($0.column)" }
        #expect(
            places == ["rules content 0:0", "rule 0:2", "rule condition 2:13", "condition expression 3:32"])
        #expect(error.snippet == "evt.type=open and proc.nmae=x\n                  ^\n")
        #expect(error.context.last?.place == "\"evt.type=open and...\"")
    }

    @Test(arguments: [
        ("evt.type=open AND proc.name=x", "write 'and'"), ("evt.type=open && proc.name=x", "write 'and'"),
        ("evt.type=open and proc.name contians x", "did you mean 'contains'?"),
        ("evt.type=open and proc.nmae=x", "did you mean 'proc.name'?"),
        ("evt.type=opne", "did you mean 'open'?"), ("shels and evt.type=open", "did you mean 'shells'?"),
    ])
    func hints(_ condition: String, _ hint: String) {
        let text = "- list: l\n  items: [x y]\n- macro: shells\n  condition: proc.name=sh\n" + Loading.rule("\"\(condition)\"")
        #expect(Loading(text).firstError?.hint == hint)
    }

    @Test func allErrorsAreFoundButFalcosFormHasTheFirst() {
        let loading = Loading(
            "- rule: A\n  desc: d\n  condition: evt.type=nope\n  output: x\n  priority: INFO\n"
                + "- rule: B\n  desc: d\n  condition: proc.nmae=x\n  output: x\n  priority: INFO\n- rule: C\n  condition: "
                + "evt.type=open\n"
        )
        #expect(loading.result.errors.count == 1)
        #expect(loading.result.furtherErrors.count == 2)
    }
}

@Suite struct YAMLSemantics {
    private func condition(_ text: String) -> String? {
        let loading = Loading(text)
        #expect(loading.result.errors == [])
        return loading.rules.first?.expandedCondition.normalised
    }

    @Test(arguments: [
        ("[a, b]", "proc.name in (l)", "proc.name in (a, b)"), ("[]", "proc.name in (x, l, y)", "proc.name in (x, y)"),
        ("[]", "proc.name in (l, y)", "proc.name in (y)"), ("[]", "proc.name in (l)", "proc.name in ()"),
        ("[\"a b\", c]", "proc.name in (l)", "proc.name in (\"a b\", c)"), ("[a]", "proc.name = lx", "proc.name = lx"),
        ("[a]", "proc.name = l", "proc.name = a"),
    ])
    func listsAreText(_ items: String, _ written: String, _ expected: String) {
        #expect(condition("- list: l\n  items: \(items)\n" + Loading.rule(written)) == expected)
    }

    @Test func aListSeesEarlierListsOneLevelDeep() {
        let text = "- list: a\n  items: [x]\n- list: b\n  items: [a, y]\n- list: c\n  items: [b, z]\n"
        // 'c' takes the own items of 'b'. 'a' among them is plain text, and in a condition it stands for an earlier list: it stays.
        #expect(condition(text + Loading.rule("proc.name in (b)")) == "proc.name in (x, y)")
        #expect(condition(text + Loading.rule("proc.name in (c)")) == "proc.name in (a, y, z)")
    }

    @Test func macrosSeeWhatComesBeforeTheirLastChange() {
        let loading = Loading("- macro: a\n  condition: b\n- macro: b\n  condition: evt.type=open\n" + Loading.rule("a"))
        #expect(loading.firstError?.message == "Undefined macro 'b' used in filter.")
        #expect(
            condition(
                "- macro: a\n  condition: evt.type=open\n- macro: b\n  condition: evt.type=close\n- macro: a\n  "
                    + "condition: or b\n  override: {condition: append}\n"
                    + Loading.rule("a")) == "(evt.type = open or evt.type = close)")
    }

    @Test func repeatedKeysCountOnce() {
        #expect(condition(Loading.rule("evt.type=open", more: "  condition: evt.type=close\n")) == "evt.type = open")
    }

    @Test func selections() {
        let text = ["Write below etc", "Write below root", "Read"].map {
            "- rule: \($0)\n  desc: d\n  condition: evt.type=open\n  output: x\n  priority: INFO\n  tags: [t\($0.count)]\n"
        }.joined()
        let loading = Loading(text) {
            $0.selections = [.init(enables: false, match: .wildcard("Write*")), .init(enables: true, match: .tags(["t15"]))]
        }
        #expect(loading.rules.map(\.isEnabled) == [true, false, true])
        let quiet = Loading(text) { $0.minimumPriority = .error }
        #expect(quiet.loader.ruleSet.enabledCount == 0)
    }

    @Test func reports() throws {
        let loading = Loading(Loading.rule("evt.type=open", more: "  tags: [b, a]\n"))
        #expect(RulesReport.validationText([loading.result]) == "rules.yaml: Ok")
        let json = RulesReport.validationJSON([loading.result], describing: loading.loader.ruleSet)
        #expect(json["falco_load_results"]?[0]?["successful"] == true)
        #expect(json["falco_describe_results"]?["rules"]?[0]?["info"]?["tags"]?.text == #"["a","b"]"#)
        let table = try #require(RulesReport.describeText(loading.loader.ruleSet))
        let pad = String(repeating: " ", count: 49)
        #expect(table == "Rule" + pad.dropFirst(2) + "Description\n----" + pad.dropFirst(2) + "-----------\nR" + pad + " d \n\n")
        #expect(RulesReport.describeText(loading.loader.ruleSet, rule: "nope") == nil)
    }
}

@Suite struct HostileFiles {
    @Test func aliasBomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            text += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
        }
        let error = Loading(text).firstError
        #expect(error?.code == .yamlParse)
        #expect(error?.message.contains("stand for more than 1000000 values") == true)
    }

    @Test(arguments: [
        (String(repeating: "[", count: 100_000), LoadCode.yamlParse), ("\u{1}\u{2}", .yamlParse), ("a: b: c", .yamlParse),
        ("- rule: [", .yamlParse), ("just text", .yamlValidate), ("a: b", .yamlValidate), ("- 5", .yamlValidate),
        ("- rule: {}", .yamlValidate), ("- *x", .yamlParse),
    ])
    func areOneError(_ text: String, _ code: LoadCode) {
        #expect(Loading(text).firstError?.code == code)
    }

    @Test func invalidUTF8IsAnError() {
        let loader = RuleLoader()
        let result = loader.load(files: [("a.yaml", [0x2d, 0x20, 0xff, 0xfe, 0x0a])])[0]
        #expect(result.errors.first?.code == .yamlParse)
    }

    @Test func macrosThatDoubleAreBounded() {
        var text = "- macro: m0\n  condition: evt.type=open\n"
        for level in 1...40 { text += "- macro: m\(level)\n  condition: m\(level - 1) or m\(level - 1)\n" }
        let error = Loading(text).firstError
        #expect(error?.message.contains("more than \(MacroResolver.sizeMax) parts") == true)
    }

    @Test func listsThatDoubleAreBounded() {
        var text = ""
        for level in 0...40 { text += "- list: l\(level)\n  items: [l\(level + 1), x, l\(level + 1)]\n" }
        text += Loading.rule("evt.type=open and proc.name in (l0)")
        #expect(Loading(text).firstError?.message.contains("expand to more than") == true)
    }

    /// Every level is small, all levels together are not.
    @Test func longChainsDoNotRecurse() {
        var text = "- macro: m0\n  condition: evt.type=open\n"
        for level in 1...1000 { text += "- macro: m\(level)\n  condition: not (m\(level - 1) and proc.name=x)\n" }
        #expect(Loading(text).firstError?.message.contains("nested deeper than \(MacroResolver.depthMax) levels") == true)
        var lists = ""
        for level in 0...5000 { lists += "- list: l\(level)\n  items: [l\(level + 1)]\n" }
        let loading = Loading(lists + Loading.rule("evt.type=open and proc.name in (l0)"))
        #expect(loading.rules.first?.expandedCondition.normalised == "(evt.type = open and proc.name in (l5001))")
    }

    @Test func loops() {
        #expect(
            Loading("- macro: a\n  condition: evt.type=open\n- macro: a\n  condition: or a\n  append: true\n" + Loading.rule("a"))
                .firstError?.message == "reference loop in macro 'a'")
        #expect(Loading("a: evt.type=open\nb: a or b\nb", name: "x.conf").firstError?.message == "reference loop in macro 'b'")
    }

    @Test func manyAliasesOfUse() {
        #expect(
            Loading("- &r\n  rule: R\n  desc: d\n  condition: evt.type=open\n  output: x\n  priority: INFO\n- *r\n").rules.count
                == 1)
    }
}
