// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Agent

@Suite struct CommandLineTests {
    typealias Found = ArgumentParser.Found

    @Test(arguments: [
        (["-c", "f"], [Found(name: .configFile, value: "f")]), (["-cf"], [.init(name: .configFile, value: "f")]),
        (["-oa=b"], [.init(name: .option, value: "a=b")]), (["--option", "a=b"], [.init(name: .option, value: "a=b")]),
        (["--option=a=b"], [.init(name: .option, value: "a=b")]),
        (
            ["-UNv"],
            [.init(name: .unbuffered, value: nil), .init(name: .namesOnly, value: nil), .init(name: .verbose, value: nil)]
        ),
        (["-UoA=1"], [.init(name: .unbuffered, value: nil), .init(name: .option, value: "A=1")]),
        (["--list"], [.init(name: .list, value: nil)]), (["--list=syscall"], [.init(name: .list, value: "syscall")]),
        (["--list", "syscall"], [.init(name: .list, value: nil)]), (["-r", "-x"], [.init(name: .rules, value: "-x")]),
        (["-pc"], [.init(name: .print, value: "c")]), (["-A"], [.init(name: .allEvents, value: nil)]),
        (["word", "-i"], [.init(name: .ignoredEvents, value: nil)]), (["--", "-i"], []), (["-"], []),
    ])
    func splits(_ words: [String], into found: [Found]) throws {
        #expect(try ArgumentParser(words).found == found)
    }

    @Test(arguments: [
        (["--foo"], "Option 'foo' does not exist"), (["-Z"], "Option 'Z' does not exist"), (["-Ub"], "Option 'b' does not exist"),
        (["-c"], "Option 'c' is missing an argument"),
        (["-v", "record", "-w", "x"], "'record' must be the first word: falco record [options]"),
        (["--option"], "Option 'option' is missing an argument"),
        (["--dry-run=1"], "Option 'dry-run' takes no argument"), (["--support"], "--support is not supported yet"),
        (["-M", "x"], "Argument 'x' of option 'M' is not a number of seconds"),
        (["-M", "-3"], "Argument '-3' of option 'M' is not a number of seconds"),
        // 0 would be everybody.
        (["--scope", "0"], "Argument '0' of option 'scope' is not a process id"),
        (["--scope", "99999999999"], "Argument '99999999999' of option 'scope' is not a process id"),
        (["--markdown", "--format", "text"], "Cannot specify both --markdown and --format options together"),
        (["--format", "xml"], "Invalid format 'xml'. Valid values are: text, markdown, json"),
        (["--enable-source=a", "--disable-source=b"], "You can not mix --enable-source and --disable-source"),
        (["--lint"], "--lint says more about the files that -V checks; give -V FILE too"),
        (["-V", "x", "--lint=loud"], "Invalid lint mode 'loud'. --lint takes no value, or 'strict'"),
        (["run"], "falco run needs a command: falco run [options] -- COMMAND [ARGUMENTS]"),
    ])
    func refuses(_ words: [String], saying message: String) {
        #expect(throws: UsageError(message)) { try Arguments(words) }
    }

    @Test func shortFormsOfConfigurationBecomeOptions() throws {
        let arguments = try Arguments(["-A", "-e", "x.scap", "-o", "a=b"])
        #expect(
            arguments.options == ["base_syscalls.all=true", "engine.kind=replay", "engine.replay.capture_file=x.scap", "a=b"])
    }

    @Test(arguments: [["run", "-U", "--", "ls", "-l"], ["run", "-U", "ls", "-l"]])
    func runTakesTheRestAsItsCommand(_ words: [String]) throws {
        let arguments = try Arguments(words)
        #expect(arguments.command == ["ls", "-l"])
        #expect(arguments.unbuffered)
        #expect(arguments.describeRule == nil)
    }

    @Test func helpNamesEveryOption() {
        let text = HelpText.text
        for option in CommandOption.table {
            #expect(text.contains(option.spelling))
            if let short = option.short, option.works { #expect(text.contains("-\(short)")) }
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 150 })
    }

    @Test func everyOptionHasOneRow() {
        #expect(Set(CommandOption.table.map(\.name)) == Set(CommandOption.Name.allCases))
        let spellings = CommandOption.table.flatMap { [$0.short.map { "-\($0)" }, $0.long.map { "--\($0)" }].compactMap { $0 } }
        #expect(Set(spellings).count == spellings.count)
    }
}
