// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel
import Glibc
import LinuxSystem
import Outputs
import Rules
import Settings

/// The agent can't go on: one sentence for the user, after `Error: `.
struct AgentError: Error, Equatable, CustomStringConvertible {
    let description: String
    let status: Int32
    /// More for the terminal behind the sentence, fit to be shown as it is: annotated source.
    let detail: String
    init(_ description: String, detail: String = "", status: Int32 = 1) {
        (self.description, self.detail, self.status) = (description, detail, status)
    }
}

/// What the steps of a start hand on to each other. Control plane, one thread.
final class Session {
    let arguments: Arguments
    let environment: [String: String]
    let log = Log()

    var configuration = ConfigurationText()
    var settings: Settings
    var rulesFiles: [RulesFile] = []
    var ruleSet = RuleSet()
    var interest = InterestSet()
    /// Which rule forces the program on `sys_exit`.
    var systemCallReason: String?
    /// The source's, when it was closed.
    var captureCounters = CaptureCounters()
    var queue: AlertQueue?
    var signals: SignalReader?
    var statistics = FinalStatistics()
    var drops: DropMonitor?
    /// Of `falco run`: the command's.
    var commandStatus: Int32?

    init(_ arguments: Arguments, environment: [String: String]) throws(SettingsError) {
        self.arguments = arguments
        self.environment = environment
        settings = try Settings(configuration)
    }

    /// The name alerts carry.
    var hostname: String { environment["FALCO_HOSTNAME"] ?? Machine.hostname }
    var hostRoot: String { environment["HOST_ROOT"] ?? "" }
    var isReplay: Bool { settings.engine == .replay }
    /// Somebody may read what is written now with other questions than our rules'.
    var records: Bool { arguments.recording.path != nil || settings.capture.enabled }
}

/// A rules file with its content.
struct RulesFile: Sendable {
    let name: String
    let content: [UInt8]
}
