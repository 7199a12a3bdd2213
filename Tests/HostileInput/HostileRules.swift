// SPDX-License-Identifier: Apache-2.0
import Alerts
import EventModel
import Fields
import RuleEngine
import Rules
import SystemState

/// Every field, dealt out to a number of rule sets, so that one input pays for a handful of fields and all inputs for all of them.
struct HostileRules: Sendable {
    let program: RuleProgram
    let plan: OutputPlan
    let formatter: AlertFormatter

    static let count = 16
    static let all: [HostileRules] = (0..<count).map { HostileRules(slice: $0) }

    /// Fields with their arguments as an output may name them.
    static let outputs: [String] = {
        let shown = FieldCatalogue.builtin.classes.flatMap(\.definitions).filter { $0.flags.isDisjoint(with: .filterOnly) }
        let plain = shown.filter { !$0.flags.contains(.argumentRequired) }.map(\.name)
        return plain + [
            "evt.arg[0]", "evt.arg[1]", "evt.arg[3]", "evt.arg.res", "evt.arg.fd", "evt.arg.flags", "evt.arg.name",
            "evt.arg.data",
            "evt.arg.addr", "evt.rawarg.res", "evt.rawarg.name", "evt.rawarg.addr", "evt.rawarg.tuple", "proc.aname[2]",
            "proc.apid[1]", "proc.aexe[2]", "proc.aexepath[1]", "proc.acmdline[1]", "proc.args[1]", "proc.env[HOME]",
            "fd.types[3]",
        ]
    }()

    /// Checks that read what outputs cannot show, and each kind of comparison.
    private static let checks = [
        "fd.ip = 127.0.0.1 or fd.net in (10.0.0.0/8)", "fd.port in (80, 443) or fd.proto = http", "fd.name glob /etc/*",
        "proc.aname in (bash, sh) or proc.apid exists", "evt.rawres < 0 or evt.count.error > 0",
        "fd.name pmatch (/etc, /usr/bin) or fs.path.name pmatch (/proc)",
        "proc.name regex '[a-z]+.*' or evt.buffer bcontains 2f65",
        "evt.arg.res contains E or evt.args icontains a", "toupper(proc.name) = CAT or tolower(fd.name) startswith /tmp",
        "b64(evt.arg.data) contains x or basename(fd.name) endswith s", "len(fd.name) > 3 or len(proc.args) >= 0",
        "evt.buffer contains abc or evt.buffer bstartswith 0001", "fdlist.names exists or fdlist.cips exists",
        "fd.snet = 192.168.0.0/16 or fd.rnet in (::1/128)", "proc.exe = val(proc.exepath) or proc.env[HOME] exists",
        "evt.dir = < and evt.type in (open, openat, connect, execve, close)",
    ]

    init(slice: Int) {
        let names = Self.outputs.enumerated().filter { $0.offset % Self.count == slice }.map { "%\($0.element)" }
        let lines = ["evt.num >= 0", Self.checks[slice % Self.checks.count]]
        let text = lines.map { "\($0) | INFO \(names.joined(separator: " "))\n" }.joined()
        let loader = RuleLoader()
        let result = loader.load(files: [("hostile.conf", Array(text.utf8))])[0]
        precondition(result.errors.isEmpty, "the hostile rules load: \(result.errors)")
        var options = AlertOptions()
        options.isJSON = slice % 4 != 3
        program = RuleProgram(rules: loader.ruleSet.rules.map(\.condition))
        let outputs = loader.ruleSet.rules.map { rule in
            let about = AlertRule(name: rule.name, source: rule.source, priority: rule.priority, tags: rule.tags)
            do { return try RuleOutput(rule: about, output: rule.output, extraFields: [], options: options) } catch {
                preconditionFailure("the hostile output compiles: \(error)")
            }
        }
        plan = OutputPlan(outputs, options: options)
        formatter = AlertFormatter(options)
    }
}

/// The way of an event behind its source: admit, evaluate, render, retire.
struct HostileRun: ~Copyable {
    let state: SystemState
    private let rules: HostileRules
    private var evaluator: RuleEvaluator
    private var scratch: ExtractionScratch
    private var context: EventContext?
    private var number: UInt64 = 0
    /// Bytes that lie beside the event and belong to nobody: they must not turn up in a line.
    private let canary: [UInt8]
    /// The last alert line.
    private(set) var line: [UInt8] = []

    init(rules: HostileRules, canary: [UInt8] = []) {
        state = SystemState(threadsMax: 64)
        self.rules = rules
        self.canary = canary
        evaluator = RuleEvaluator(program: rules.program)
        scratch = ExtractionScratch()
    }

    mutating func take(_ event: EventView) {
        var context = self.context ?? EventContext(event: event)
        state.admit(event, into: &context)
        number += 1
        context.number = number
        if !event.isStateOnly, !event.isHidden {
            scratch.reset()
            let matches = evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: false)
            for match in 0..<matches {
                scratch.reset()
                let output = rules.plan[evaluator.match(match)]
                line.removeAll(keepingCapacity: true)
                rules.formatter.append(output.alert(context: context, state: state, scratch: &scratch), to: &line)
                check()
            }
        }
        state.retire(context)
        self.context = context
    }

    /// One line, whatever the event said, and nothing from outside the event.
    private func check() {
        line.withUnsafeBytes { raw in
            let text = Bytes(raw)
            precondition(text.firstIndex(of: 10) == text.count - 1, "an alert is one line")
            for byte in text.prefix(text.count - 1).array { precondition(byte >= 0x20, "an alert holds no control character") }
            guard !canary.isEmpty else { return }
            canary.withUnsafeBytes { precondition(!text.contains(Bytes($0)), "an alert shows bytes from beside the event") }
        }
    }

    func maintain() { state.maintain(nowNs: context?.event.timestampNs ?? 0, isAlive: nil) }
}
