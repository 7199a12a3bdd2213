// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import Rules

/// What the state must be told so that the fields of the rules, in conditions and outputs, are right.
///
/// Each family of fields reads some columns of the state, each column is changed by some system calls. Rules that read no descriptor of
/// an earlier call, for instance, need no `close`, `dup` or `socket`.
struct StateNeeds: OptionSet {
    let rawValue: Int
    /// Descriptor tables.
    static let descriptors = StateNeeds(rawValue: 1)
    /// Working directory and root.
    static let directories = StateNeeds(rawValue: 2)
    /// User and group ids, capabilities.
    static let credentials = StateNeeds(rawValue: 4)
    /// Session and process group.
    static let sessions = StateNeeds(rawValue: 8)
    static let all: StateNeeds = [.descriptors, .directories, .credentials, .sessions]

    init(rawValue: Int) { self.rawValue = rawValue }

    init(_ rules: [Rule]) {
        var needs: StateNeeds = []
        for rule in rules {
            rule.condition.collectFields { needs.formUnion(Self.needs(of: $0.definition.name)) }
            for text in [rule.output] + rule.extraFields.map({ $0.name == nil ? "%" + $0.key : $0.format }) {
                guard let template = try? OutputTemplate(text, catalogue: .builtin) else {
                    needs = .all
                    continue
                }
                template.collectFields { needs.formUnion(Self.needs(of: $0.definition.name)) }
            }
        }
        self = needs
    }

    /// By the field's family; a family that is not named here is taken to need everything.
    static func needs(of field: String) -> StateNeeds {
        let parts = field.split(separator: ".")
        switch (parts.first, parts.dropFirst().first) {
        case ("fd", _), ("fdlist", _): return [.descriptors, .directories]
        case ("fs", _): return [.descriptors, .directories]
        case ("user", _), ("group", _): return .credentials
        // Texts of arguments show descriptors, paths, users and processes.
        case ("evt", "args"), ("evt", "info"), ("evt", "arg"), ("evt", "abspath"): return .all
        // Whether a read is one of a file or of a socket.
        case ("evt", "category"), ("evt", "is_syslog"): return .descriptors
        case ("evt", _), ("syscall", _): return []
        case ("proc", "cwd"): return .directories
        case ("proc", "stdin"), ("proc", "stdout"), ("proc", "stderr"), ("proc", "nfds"), ("proc", "fdopencount"),
            ("proc", "fdlimit"),
            ("proc", "fdusage"):
            return [.descriptors, .directories]
        case ("proc", let name?)
        where name.contains("pgid") || name.contains("_leader") || ["sid", "sname", "sexe", "sexepath"].contains(name):
            return .sessions
        case ("thread", "cap_permitted"), ("thread", "cap_inheritable"), ("thread", "cap_effective"): return .credentials
        case ("proc", _), ("thread", _): return []
        case ("container", _), ("k8s", _): return []
        default: return .all
        }
    }

    /// The system calls behind the needs. Processes need none: the scheduler's hooks tell them.
    var systemCalls: Set<UInt16> {
        SystemCallSelection.codes { call, event in
            guard !call.isGeneric, event.has(EF_MODIFIES_STATE) else { return false }
            if Self.processCalls.contains(call.name) || event.category & UInt16(EC_TRACEPOINT.rawValue) != 0 { return false }
            if Self.directoryCalls.contains(call.name) { return contains(.directories) || contains(.descriptors) }
            if Self.credentialCalls.contains(call.name) { return contains(.credentials) }
            if Self.sessionCalls.contains(call.name) { return contains(.sessions) }
            return contains(.descriptors)
        }
    }

    private static let processCalls: Set = ["clone", "clone3", "fork", "vfork", "execve", "execveat", "procexit", "prctl"]
    private static let directoryCalls: Set = ["chdir", "fchdir", "chroot"]
    private static let credentialCalls: Set = [
        "setuid", "setuid32", "setgid", "setgid32", "setresuid", "setresuid32", "setresgid", "setresgid32", "setreuid",
        "setregid",
        "setreuid32", "setregid32", "capset",
    ]
    private static let sessionCalls: Set = ["setsid", "setpgid"]

    /// Events without which no process would be known.
    static let schedulerEvents: Set<UInt16> = [
        PPME_SYSCALL_CLONE_20_X.code, PPME_SYSCALL_EXECVE_19_X.code, PPME_PROCEXIT_1_E.code,
    ]
}
