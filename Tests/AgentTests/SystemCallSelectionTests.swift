// SPDX-License-Identifier: Apache-2.0
import EventModel
import Rules
import Settings
import Testing

@testable import Agent

@Suite struct SystemCallSelectionTests {
    private func selection(_ rules: String, _ base: Settings.BaseSyscalls = .init()) throws -> SystemCallSelection {
        let loader = RuleLoader()
        let result = try #require(loader.load(files: [("test.conf", Array(rules.utf8))]).first)
        try #require(result.successful, "\(result.errors)")
        return SystemCallSelection(rules: loader.ruleSet, base: base)
    }
    private func names(_ codes: Set<UInt16>) -> Set<String> { Set(codes.map(SystemCallSelection.name)) }

    /// What a rule asks for, and of the state only what its fields read.
    @Test(
        arguments: [
            ("evt.type = mkdir | INFO x", ["mkdir"], ["close", "socket", "dup", "chdir", "setuid", "setsid", "open"]),
            ("evt.type = mkdir | INFO %user.name", ["mkdir", "setuid", "setresuid"], ["close", "socket", "chdir", "setsid"]),
            ("evt.type = mkdir | INFO %proc.cwd", ["mkdir", "chdir", "fchdir", "unshare", "setns"], ["close", "setuid"]),
            ("evt.type = mkdir | INFO %proc.sname", ["mkdir", "setsid"], ["close", "chdir"]),
            (
                "evt.type = connect and fd.sport = 22 | INFO x", ["connect", "socket", "close", "dup", "chdir"],
                ["setuid", "mkdir"]
            ),
        ] as [(String, [String], [String])])
    func derivesTheState(_ rules: String, _ wanted: [String], _ unwanted: [String]) throws {
        let (has, hasNot) = (Set(wanted), Set(unwanted))
        let selected = names(try selection(rules).selected)
        #expect(has.isSubset(of: selected), "missing \(has.subtracting(selected))")
        #expect(selected.isDisjoint(with: hasNot), "too much: \(selected.intersection(hasNot))")
    }

    /// What the kernel knows beyond the events costs something: only for those who read it, in a condition or an output.
    @Test(
        arguments: [
            ("evt.type=open and kernel.path=/x | INFO x", true), ("evt.type=execve | INFO %kernel.args_tail", true),
            ("evt.type=open and fd.name=/x | INFO %proc.args", false),
        ] as [(String, Bool)])
    func kernelRecordsAreForThoseWhoRead(_ rules: String, _ wanted: Bool) throws {
        let loader = RuleLoader()
        _ = loader.load(files: [("test.conf", Array(rules.utf8))])
        #expect(loader.ruleSet.rules.count == 1)
        #expect(StateNeeds.readsKernelRecords(loader.ruleSet.rules) == wanted)
    }

    @Test func processesNeedNoSystemCall() throws {
        let selection = try selection("evt.type = procexit | INFO %proc.cmdline %proc.pname %container.id")
        #expect(names(selection.selected) == ["sched_process_exit"])
        #expect(selection.interest.isEmptyOfSyscalls)
    }

    @Test func massesAreLeftOutUnlessAskedFor() throws {
        let rules = "evt.type in (write, openat) | INFO x"
        let without = try selection(rules)
        #expect(names(without.selected).contains("openat") && !names(without.selected).contains("write"))
        #expect(without.unsupported.contains("write"))
        var all = Settings.BaseSyscalls()
        all.all = true
        let with = try selection(rules, all)
        #expect(names(with.selected).contains("write"))
        #expect(with.unsupported.isEmpty)
    }

    /// Calls that only 32-bit callers have are wanted by their names; all others with the 64-bit call of the same event.
    @Test(arguments: [
        ("evt.type = send | INFO x", 512 + 511), ("syscall.type = waitpid | INFO x", 512 + 7),
        ("evt.type = setuid | INFO x", 105),
    ])
    func callsOf32BitCallersAreWanted(_ rules: String, _ number: Int) throws {
        var all = Settings.BaseSyscalls()
        all.all = true
        #expect(try selection(rules, all).interest.contains(syscall: number))
        #expect(try !selection("evt.type = mkdir | INFO x", all).interest.contains(syscall: number))
    }

    /// Warned of when `drop_failed_exit` leaves out all that they could match.
    @Test(arguments: [
        ("evt.type = open and evt.failed = true", true), ("evt.res in (EACCES, EPERM)", true), ("evt.rawres < 0", true),
        ("not evt.res = SUCCESS", true), ("evt.res = EPERM or evt.rawres = -13", true),
        ("evt.type = connect and evt.res != SUCCESS", true),
        ("evt.type = connect and evt.res = EINPROGRESS", false), ("evt.res = EPERM or proc.name = x", false),
        ("evt.rawres >= 0", false), ("evt.type = open", false), ("evt.rawres < 1", false), ("evt.rawres <= 0", false),
    ])
    func namesRulesOfFailuresAlone(_ condition: String, _ isSilenced: Bool) throws {
        let loader = RuleLoader()
        let result = try #require(loader.load(files: [("test.conf", Array("\(condition) | INFO x".utf8))]).first)
        try #require(result.successful, "\(result.errors)")
        #expect(FailureNeeds.rules(of: loader.ruleSet).isEmpty == !isSilenced)
    }

    /// A rule without event types asks for all, but for the scheduler's floods only who names them.
    @Test func switchIsDeliveredOnlyWhenNamed() throws {
        #expect(!names(try selection("proc.name = x | INFO x").selected).contains("sched_switch"))
        #expect(names(try selection("evt.type = switch | INFO x").selected).contains("sched_switch"))
    }

    @Test func customSetReplacesTheStateAndTakesAway() throws {
        var base = Settings.BaseSyscalls()
        base.customSet = ["close", "!mkdir", "nosuchcall"]
        let selection = try selection("evt.type in (mkdir, rmdir) and fd.num = 1 | INFO x", base)
        #expect(names(selection.state) == ["close"])
        #expect(names(selection.selected) == ["close", "rmdir"])
        #expect(selection.unsupported == ["mkdir"])
        #expect(selection.unknownNames == ["nosuchcall"])
    }

    @Test(arguments: [("connect", ["socket", "getsockopt", "bind", "close"], true), ("mkdir", ["socket", "bind"], false)])
    func repairCompletesWhatIsWanted(_ call: String, _ completed: [String], _ expected: Bool) throws {
        var base = Settings.BaseSyscalls()
        base.repair = true
        let state = names(try selection("evt.type = \(call) | INFO x", base).state)
        #expect(state.isSuperset(of: ["clone", "execve", "chdir", "setuid"]))
        #expect(Set(completed).isSubset(of: state) == expected)
    }
}
