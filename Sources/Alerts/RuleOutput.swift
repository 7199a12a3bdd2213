// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import FilterLanguage
import SystemState

/// A field that only the JSON form carries (`extra_fields` of `append_output`).
public enum ExtraOutputField: Sendable, Equatable {
    /// `proc.pid`: under its own name, its type kept.
    case raw(String)
    /// Under `name`, the text that `format` gives.
    case formatted(name: String, format: String)
}

/// From a match to its alert: a rule's output, read once, so that a match walks prepared segments.
public struct RuleOutput: Sendable {
    private enum Source: Sendable {
        case value(OutputTemplate.Field)
        case text(OutputTemplate)
    }

    public let rule: AlertRule
    private let template: OutputTemplate
    /// In the order of the keys, each once; empty when nothing that is written shows fields.
    private let fields: [(key: String, source: Source)]

    /// `output` is the whole output as it is to be shown, with or without the leading `*`. Throws Falco's text for a field
    /// that is not there.
    public init(
        rule: AlertRule, output: String, extraFields: [ExtraOutputField] = [], options: AlertOptions,
        catalogue: FieldCatalogue = .builtin
    ) throws(FieldError) {
        self.rule = rule
        template = try OutputTemplate(Self.lenient(output), catalogue: catalogue)
        var sources: [String: Source] = [:]
        for field in template.fields { sources[field.key] = .value(field) }
        let time = try OutputTemplate("*%" + options.timeField, catalogue: catalogue)
        for field in time.fields { sources[field.key] = .value(field) }
        for extra in extraFields {
            switch extra {
            case .raw(let name):
                let field = try OutputTemplate("*%" + name, catalogue: catalogue)
                if let value = field.allFields.last(where: { $0.key == name }) { sources[name] = .value(value) }
            case .formatted(let name, let format):
                if !format.isEmpty { sources[name] = .text(try OutputTemplate(Self.lenient(format), catalogue: catalogue)) }
            }
        }
        guard options.needsFields else {
            fields = []
            return
        }
        fields = sources.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { ($0, sources[$0]!) }
    }

    /// Missing values show as `<NA>`, always.
    private static func lenient(_ output: String) -> String { output.hasPrefix("*") ? output : "*" + output }

    /// The alert of a match. Its bytes are its own.
    public func alert(context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) -> Alert {
        var message: [UInt8] = []
        message.reserveCapacity(256)
        _ = template.renderText(context: context, state: state, scratch: &scratch, into: &message)
        var values: [AlertField] = []
        values.reserveCapacity(fields.count)
        for (key, source) in fields {
            switch source {
            case .value(let field): values.append(AlertField(key, field.value(context: context, state: state, scratch: &scratch)))
            case .text(let template):
                var text: [UInt8] = []
                _ = template.renderText(context: context, state: state, scratch: &scratch, into: &text)
                values.append(AlertField(key, .string(String(decoding: text, as: UTF8.self))))
            }
        }
        return Alert(rule: rule, timestampNs: context.event.timestampNs, message: message, sortedFields: values)
    }

    /// Every field that an alert of this rule reads: what is shown needs its state as much as what is asked.
    public func collectFields(_ body: (FieldReference) -> Void) {
        template.collectFields(body)
        for (_, source) in fields {
            switch source {
            case .value(let field): field.expression.collectFields(body)
            case .text(let template): template.collectFields(body)
            }
        }
    }
}

/// The outputs of all rules, by the index that the rule program gives a match.
public struct OutputPlan: Sendable {
    public let options: AlertOptions
    private let outputs: ContiguousArray<RuleOutput>

    public init(_ outputs: some Sequence<RuleOutput>, options: AlertOptions) {
        self.outputs = ContiguousArray(outputs)
        self.options = options
    }

    public var count: Int { outputs.count }
    public subscript(rule: Int) -> RuleOutput { outputs[rule] }
}
