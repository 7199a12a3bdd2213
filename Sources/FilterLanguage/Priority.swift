// SPDX-License-Identifier: Apache-2.0

/// How bad an alert is; raw values are syslog's, so a smaller one is worse.
public enum Priority: UInt8, Sendable, CaseIterable, Comparable {
    case emergency, alert, critical, error, warning, notice, informational, debug

    /// `Emergency`, …, `Informational`, `Debug`: the word in alerts and in `-L`.
    public var title: String {
        switch self {
        case .emergency: "Emergency"
        case .alert: "Alert"
        case .critical: "Critical"
        case .error: "Error"
        case .warning: "Warning"
        case .notice: "Notice"
        case .informational: "Informational"
        case .debug: "Debug"
        }
    }

    /// Today's files: a whole word in any case, or `info`.
    public init?(word: String) {
        let word = word.lowercased()
        guard
            let found = Self.allCases.first(where: { $0.title.lowercased() == word || ($0 == .informational && word == "info") })
        else { return nil }
        self = found
    }

    /// The one-line format: any prefix of a word, the worst priority first, so `e` is emergency and `err` is error.
    public init?(foundingPrefix: String) {
        let prefix = foundingPrefix.lowercased()
        guard !prefix.isEmpty, let found = Self.allCases.first(where: { $0.title.lowercased().hasPrefix(prefix) }) else {
            return nil
        }
        self = found
    }

    public static func < (left: Priority, right: Priority) -> Bool { left.rawValue < right.rawValue }
}
