// SPDX-License-Identifier: Apache-2.0
import Alerts
import Capture
import Fields

/// Falco's alert about lost events; all its fields are texts.
enum DropAlert {
    private static let classes = ["clone_fork", "execve", "connect", "open", "dir_file", "other_interest", "close", "proc"]

    static func make(_ finding: DropMonitor.Finding, _ counters: CaptureCounters, timestampNs: UInt64) -> Alert {
        let rule = "Falco internal: syscall event drop"
        var fields: [(String, UInt64)] = [
            ("n_evts", finding.events), ("n_drops", finding.drops),
            ("n_drops_buffer_total", counters.dropsByReason["ring_full"] ?? 0),
            ("n_drops_scratch_map", counters.dropsByReason["scratch_busy"] ?? 0), ("n_drops_page_faults", 0),
            ("n_drops_bug", counters.malformed), ("ebpf_enabled", 1),
        ]
        fields += classes.map { ("n_drops_buffer_\($0)_exit", counters.dropsByClass[$0] ?? 0) }
        return Alert.ofOurselves(
            rule: rule, priority: .debug, timestampNs: timestampNs,
            message: "\(rule). \(finding.drops) system calls dropped in last second.",
            fields: fields.map { AlertField($0.0, .string(String($0.1))) })
    }
}
