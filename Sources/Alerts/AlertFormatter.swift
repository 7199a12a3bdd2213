// SPDX-License-Identifier: Apache-2.0
import Fields
import FilterLanguage

/// How alerts are written; the keys are those of `falco.yaml`.
public struct AlertOptions: Sendable, Equatable {
    /// `json_output`
    public var isJSON = false
    /// `json_include_output_property`: the full text line.
    public var includesOutput = true
    /// `json_include_message_property`: the rule's output without time and priority.
    public var includesMessage = false
    /// `json_include_output_fields_property`
    public var includesFields = true
    /// `json_include_tags_property`
    public var includesTags = true
    /// `time_format_iso_8601`: UTC dates instead of local times.
    public var usesISO8601 = false
    public var hostname = ""
    public init() {}

    /// Does anything that is written show the fields?
    var needsFields: Bool { isJSON && includesFields }
    /// The event's time among the fields.
    var timeField: String { usesISO8601 ? "evt.time.iso8601" : "evt.time" }
}

/// Writes an alert as the one line that goes out: text, or a JSON object with its keys sorted. The line feed is part of it.
public struct AlertFormatter: Sendable {
    public let options: AlertOptions
    private let quotedHostname: [UInt8]

    public init(_ options: AlertOptions) {
        self.options = options
        var quoted: [UInt8] = []
        JSONText.appendQuoted(options.hostname, to: &quoted)
        quotedHostname = quoted
    }

    public func line(_ alert: Alert) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(options.isJSON ? 512 + 2 * alert.message.count : 64 + alert.message.count)
        append(alert, to: &line)
        return line
    }

    public func append(_ alert: Alert, to output: inout [UInt8]) {
        if options.isJSON {
            appendJSON(alert, to: &output)
        } else if alert.isInternal {
            appendInternalText(alert, to: &output)
        } else {
            JSONText.appendEscaped(text(alert), to: &output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    /// `13:53:31.726060287: Warning Shell spawned …`, bytes as they are.
    private func text(_ alert: Alert) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(48 + alert.message.count)
        if options.usesISO8601 {
            Moment.appendUTC(alert.timestampNs, zone: "+0000", to: &text)
        } else {
            Moment.appendLocalTime(alert.timestampNs, to: &text)
        }
        text.append(contentsOf: ": ".utf8)
        text.append(contentsOf: alert.rule.priority.title.utf8)
        text.append(UInt8(ascii: " "))
        text.append(contentsOf: alert.message)
        return text
    }

    /// Local time whatever the options say, fields behind the message, nothing escaped.
    private func appendInternalText(_ alert: Alert, to output: inout [UInt8]) {
        Moment.appendLocalTime(alert.timestampNs, to: &output)
        output.append(contentsOf: ": \(alert.rule.priority.title) ".utf8)
        output.append(contentsOf: alert.message)
        output.append(contentsOf: " (".utf8)
        for (index, field) in alert.fields.enumerated() {
            if index > 0 { output.append(UInt8(ascii: " ")) }
            output.append(contentsOf: field.key.utf8)
            output.append(UInt8(ascii: "="))
            JSONText.append(field.value, to: &output)
        }
        output.append(UInt8(ascii: ")"))
    }

    private func appendJSON(_ alert: Alert, to output: inout [UInt8]) {
        output.append(contentsOf: "{\"hostname\":".utf8)
        output.append(contentsOf: quotedHostname)
        if alert.isInternal {
            key("output", &output)
            JSONText.appendQuoted(alert.message, to: &output)
        } else {
            if options.includesMessage {
                key("message", &output)
                JSONText.appendQuoted(alert.message, to: &output)
            }
            if options.includesOutput {
                key("output", &output)
                JSONText.appendQuoted(text(alert), to: &output)
            }
        }
        if options.includesFields || alert.isInternal {
            key("output_fields", &output)
            output.append(UInt8(ascii: "{"))
            for (index, field) in alert.fields.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONText.appendQuoted(field.key, to: &output)
                output.append(UInt8(ascii: ":"))
                JSONText.append(field.value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
        key("priority", &output)
        JSONText.appendQuoted(alert.rule.priority.title, to: &output)
        key("rule", &output)
        JSONText.appendQuoted(alert.rule.name, to: &output)
        key("source", &output)
        JSONText.appendQuoted(alert.rule.source, to: &output)
        if options.includesTags, !alert.isInternal {
            key("tags", &output)
            JSONText.append(.list(alert.rule.tags.map { .string($0) }), to: &output)
        }
        key("time", &output)
        output.append(UInt8(ascii: "\""))
        Moment.appendUTC(alert.timestampNs, zone: "Z", to: &output)
        output.append(contentsOf: "\"}".utf8)
    }

    private func key(_ name: StaticString, _ output: inout [UInt8]) {
        output.append(contentsOf: ",\"".utf8)
        output.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        output.append(contentsOf: "\":".utf8)
    }
}
