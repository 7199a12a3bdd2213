// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import Rules
import Testing

@Suite struct FoundingFormat {
    private func load(_ text: String) -> Loading { Loading(text, name: "rules.conf") }

    static let defaultOutput = "%evt.num %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.args %user.name %fd.name"

    @Test func firstExampleOfTheFoundingDocument() throws {
        let text =
            "container.id != host and proc.name = bash | WARNING Bash run in a container (%user.name %proc.name %evt.dir "
            + "%evt.type %evt.args %fd.name)"
        let loading = load(text)
        #expect(loading.result.errors == [])
        let rule = try #require(loading.rules.first)
        #expect(rule.name == "container.id != host and proc.name = bash")
        #expect(rule.priority == .warning)
        #expect(rule.output == "Bash run in a container (%user.name %proc.name %evt.dir %evt.type %evt.args %fd.name)")
        #expect(rule.source == "syscall")
    }

    @Test func lastExampleOfTheFoundingDocument() {
        let loading = load(
            """
            write: (syscall.type=write and fd.typechar=f) or syscall.type=mkdir or syscall.type=creat or syscall.type=rename
            interactive: proc.pname = bash or proc.pname = sshd
            write and interactive and fd.name contains sysdig
            write and interactive and fd.name contains .txt
            """)
        #expect(loading.result.errors == [])
        #expect(
            loading.rules.map(\.name) == [
                "write and interactive and fd.name contains sysdig", "write and interactive and fd.name contains .txt",
            ])
        #expect(loading.rules.allSatisfy { $0.output == Self.defaultOutput && $0.priority == .warning })
        // 'write' is not delivered by default, and the user is told, once per rule.
        #expect(loading.result.notices.map(\.code) == [.ignoredSystemCall, .ignoredSystemCall])
        #expect(loading.result.notices[0].excerpt?.line == 1)
        #expect(loading.loader.ruleSet.ignoredSyscallsNamed == ["write"])
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstLine() {
        let loading = load("\u{feff}m: evt.type=open\nm | INFO x")
        #expect(loading.result.errors == [])
        #expect(loading.rules.map(\.name) == ["m"])
    }

    @Test func repeatedConditionsGetTheirLine() {
        let loading = load("# comment\nevt.type=open\n\n  evt.type=open | ERR again\n")
        #expect(loading.rules.map(\.name) == ["evt.type=open", "evt.type=open (line 4)"])
        #expect(loading.rules.map(\.priority) == [.warning, .error])
    }

    @Test(arguments: [
        ("evt.type=open | WARNING: text", Priority.warning, ": text"), ("evt.type=open | warn  text ", .warning, "text "),
        ("evt.type=open | e x", .emergency, "x"), ("evt.type=open | InFo x | y", .informational, "x | y"),
        ("evt.type=open |ALERT x", .alert, "x"), ("(evt.type=open)| debug x", .debug, "x"),
        ("evt.type=open and fd.name=a|b | notice x", .notice, "x"),
        ("evt.type=open and fd.name=\"a | b\" | crit x", .critical, "x"),
        ("evt.type=open and fd.name in (a|, |b) | crit x", .critical, "x"),
    ])
    func outputPart(_ line: String, _ priority: Priority, _ output: String) throws {
        let loading = load(line)
        #expect(loading.result.errors == [])
        let rule = try #require(loading.rules.first)
        #expect((rule.priority, rule.output) == (priority, output))
    }

    /// `¦` marks where the caret must stand.
    @Test(arguments: [
        ("evt.type=open | ¦FOO text", "Invalid severity level: FOO"),
        ("¦nope and evt.type=open", "Undefined macro 'nope' used in filter."),
        ("evt.type=open and ¦proc.nmae=x", "filter_check called with nonexistent field proc.nmae"),
        ("evt.type=open | ERROR ¦%proc.nmae x", nil), ("m: ¦m\nm and evt.type=open", "reference loop in macro 'm'"),
        ("evt.type=open ¦)", nil), ("x: evt.type=open ¦| WARNING y", "a macro has no output: unexpected '|'"),
        ("a and evt.type=¦nosuch\n", nil),
    ])
    func errorsPoint(_ marked: String, _ message: String?) throws {
        let mark = try #require(marked.firstIndex(of: "¦"))
        let before = marked[..<mark]
        let loading = load(marked.replacing("¦", with: "").replacing("a and ", with: ""))
        let error = try #require(loading.firstError)
        if let message { #expect(error.message == message) }
        let line = before.count { $0 == "\n" } + 1
        let column = before.split(separator: "\n", omittingEmptySubsequences: false).last!.replacing("a and ", with: "").count + 1
        #expect(error.excerpt?.line == line)
        #expect(error.excerpt?.column == column, "\(AnnotatedRenderer.render(error))")
    }

    @Test func macrosAreDefinedOnAnEarlierLine() throws {
        let loading = load("later and evt.type=open\nlater: proc.name=a\n")
        let error = try #require(loading.firstError)
        #expect(error.message == "Undefined macro 'later' used in filter.")
        #expect(error.hint?.contains("line 2") == true)
    }

    @Test func aRedefinedMacroHoldsForLaterLines() {
        let loading = load("m: proc.name=a\nm and evt.type=open\nm: proc.name=b\nm and evt.type=close\n")
        #expect(
            loading.rules.map { $0.expandedCondition.normalised } == [
                "(proc.name = a and evt.type = open)", "(proc.name = b and evt.type = close)",
            ])
    }

    @Test func kindsOfFiles() {
        let yaml = "# c\n- rule: x\n"
        let oneLine = "evt.type=open\n"
        #expect(RuleFileKind(name: "a.yaml", content: Array(oneLine.utf8)) == .yaml)
        #expect(RuleFileKind(name: "a.yml", content: []) == .yaml)
        #expect(RuleFileKind(name: "a.conf", content: Array(yaml.utf8)) == .oneLine)
        #expect(RuleFileKind(name: "a", content: Array(yaml.utf8)) == .yaml)
        #expect(RuleFileKind(name: "a.txt", content: Array("\n---\n".utf8)) == .yaml)
        #expect(RuleFileKind(name: "a", content: Array(oneLine.utf8)) == .oneLine)
    }

    @Test func emptyAndCommentOnlyFilesAreFine() {
        for text in ["", "\n\n", "# nothing\n   # here\n"] {
            let loading = load(text)
            #expect(loading.result.successful && loading.rules.isEmpty)
            #expect(loading.result.notices.map(\.code) == [.emptyFile])
            #expect(Loading(text).result.notices.map(\.code) == [.emptyFile])
        }
    }

    @Test func garbageIsOneError() {
        let loading = Loading("a\u{0}\u{1}b\nevt.type=open\n", name: "x.conf")
        #expect(loading.firstError?.message.contains("not text") == true)
        #expect(loading.result.furtherErrors.isEmpty)
    }
}

@Suite struct IgnoredSystemCalls {
    @Test func areTheElevenOfToday() {
        #expect(
            IgnoredSyscalls.names == [
                "sendfile", "preadv", "readv", "pread", "recv", "send", "pwritev", "writev", "write", "pwrite", "read",
            ])
        #expect(IgnoredSyscalls.contains("pread64") && IgnoredSyscalls.contains("pwrite64") && !IgnoredSyscalls.contains("open"))
    }

    @Test(arguments: [
        ("evt.type = write", ["write"]), ("evt.type in (read, open)", ["read"]), ("syscall.type = pread64", ["pread"]),
        ("not evt.type = write", []), ("evt.type != write", []), ("evt.type = open", []), ("not evt.type != read", ["read"]),
    ])
    func aRuleThatNamesOneIsToldSo(_ condition: String, _ names: [String]) {
        let loading = Loading(Loading.rule(condition))
        #expect(loading.result.errors == [])
        #expect(loading.loader.ruleSet.ignoredSyscallsNamed == Set(names))
        #expect(loading.result.notices.count == names.count)
        #expect(!loading.result.warnings.contains { $0.code == .ignoredSystemCall })
        // With base_syscalls.all there is nothing to say.
        #expect(Loading(Loading.rule(condition)) { $0.deliversIgnoredSyscalls = true }.result.notices.isEmpty)
    }

    @Test func theCostOfSwitchIsSaid() {
        #expect(Loading("evt.type = switch", name: "a.conf").result.notices.map(\.code) == [.expensiveEvent])
    }
}
