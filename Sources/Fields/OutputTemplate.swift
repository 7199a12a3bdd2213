// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage
import SystemState

/// The text of an output with its fields, read once when rules load: `Shell in %container.id (user=%user.name)`.
///
/// `%20proc.name` is padded with blanks, or cut, to 20 bytes. A leading `*` shows missing values as `<NA>`; without it one
/// missing value suppresses the whole output. There is no way to write a literal `%`.
public struct OutputTemplate: Sendable {
    /// One entry of an alert's fields.
    public struct Field: Sendable {
        /// `proc.aname[2]`, `toupper(proc.name)`
        public let key: String
        public let expression: ValueExpression
        public let isTransformed: Bool
        /// The time of the event in whatever form: JSON shows nanoseconds.
        let isEventTime: Bool
    }

    private enum Segment: Sendable {
        /// A range of `constants`.
        case text(Range<Int>)
        /// Into `shown`; a width of 0 leaves the text as it is.
        case value(Int, width: Int)
    }
    private var segments: [Segment] = []
    private var constants: [UInt8] = []
    private var shown: [ValueExpression] = []
    public let requiresAllValues: Bool
    /// What the output names, in order of appearance, each key once: the fields, and the transformations shown.
    public private(set) var allFields: [Field] = []

    /// A width beyond this is a slip of the pen.
    private static let widthMax = 4096

    public init(_ format: String, catalogue: FieldCatalogue) throws(FieldError) {
        guard !format.isEmpty else { throw FieldError("empty formatting token") }
        requiresAllValues = !format.hasPrefix("*")
        let bytes = Array(format.utf8.dropFirst(requiresAllValues ? 0 : 1))
        let percent = UInt8(ascii: "%")
        var position = 0
        while position < bytes.count {
            let next = bytes[position...].firstIndex(of: percent) ?? bytes.count
            if next > position {
                segments.append(.text(constants.count..<constants.count + next - position))
                constants.append(contentsOf: bytes[position..<next])
            }
            guard next < bytes.count else { break }
            position = next + 1
            guard position < bytes.count else {
                throw FieldError("invalid formatting syntax: formatting cannot end with a %")
            }
            var width = 0
            while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
                width = min(Self.widthMax, width * 10 + Int(bytes[position] - UInt8(ascii: "0")))
                position += 1
            }
            guard position < bytes.count else {
                throw FieldError("invalid formatting syntax: formatting cannot end with a number")
            }
            let (operand, length) = try Self.longestOperand(bytes[position...], catalogue: catalogue)
            segments.append(.value(shown.count, width: width))
            shown.append(try Self.expression(operand, catalogue: catalogue))
            var collector = FieldCollector(catalogue: catalogue)
            try collector.visit(operand)
            for field in collector.fields where !allFields.contains(where: { $0.key == field.key }) { allFields.append(field) }
            position += length
        }
    }

    /// The longest text at the start of `bytes` that names a field: `proc.name` of `proc.name, `, `evt.time.s` of `evt.time.sx`.
    private static func longestOperand(
        _ bytes: ArraySlice<UInt8>, catalogue: FieldCatalogue
    ) throws(FieldError) -> (operand: Operand, length: Int) {
        var firstError: FieldError?
        var length = bytes.count
        while length > 0 {
            let text = String(decoding: bytes.prefix(length), as: UTF8.self)
            do {
                let (operand, used) = try parse(text[...])
                do {
                    _ = try expression(operand, catalogue: catalogue)
                    return (operand, used)
                } catch {
                    if firstError == nil { firstError = error }
                    // The same operand stands in every text that is as long as it.
                    length = min(length, used) - 1
                }
            } catch {
                if firstError == nil { firstError = error }
                length -= 1
            }
        }
        throw FieldError("unknown filter: \(firstError?.message ?? "expected a field or a transformer")")
    }

    private static func parse(_ text: Substring) throws(FieldError) -> (Operand, Int) {
        do {
            let (operand, used) = try ConditionParser.parseOperandPrefix(text)
            return (operand, used)
        } catch {
            throw FieldError(error.message)
        }
    }

    fileprivate static func expression(_ operand: Operand, catalogue: FieldCatalogue) throws(FieldError) -> ValueExpression {
        if case .transformer(let transformer) = operand, transformer.name == TransformerName.val.rawValue {
            throw FieldError("'val' has no place in an output")
        }
        let expression = try ValueExpression(operand, catalogue: catalogue, isShown: true)
        var filterOnly: String?
        expression.collectFields { if $0.definition.flags.contains(.filterOnly) { filterOnly = $0.text } }
        if let filterOnly { throw FieldError("\(filterOnly) is filter only and cannot be used as a display field") }
        return expression
    }

    /// Every field that is read, once per appearance.
    public func collectFields(_ body: (FieldReference) -> Void) {
        for expression in shown { expression.collectFields(body) }
    }

    /// Keys and expressions of the fields, without the transformed ones, which Falco leaves out of `output_fields`.
    public var fields: [Field] { allFields.filter { !$0.isTransformed } }

    /// Appends the text. False when a value is missing and all are required: what stands before it has been written.
    public func renderText(
        context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch, into output: inout [UInt8]
    ) -> Bool {
        for segment in segments {
            switch segment {
            case .text(let range): output.append(contentsOf: constants[range])
            case .value(let index, let width):
                let mark = scratch.mark
                let expression = shown[index]
                let value = expression.evaluate(context: context, state: state, scratch: &scratch)
                if !value.exists, requiresAllValues { return false }
                let start = output.count
                if value.exists {
                    renderValue(
                        value, type: expression.type, isList: expression.isList, format: expression.format, scratch: &scratch,
                        into: &output)
                } else {
                    output.append(contentsOf: "<NA>".utf8)
                }
                if width > 0 {
                    let length = output.count - start
                    if length > width {
                        output.removeLast(length - width)
                    } else {
                        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: width - length))
                    }
                }
                scratch.rewind(to: mark)
            }
        }
        return true
    }

    /// Hands over each field with its typed value, in order of appearance. False, and stops, when one is missing and all are
    /// required.
    public func renderFields(
        context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch, withTransformed: Bool = false,
        _ body: (_ key: String, _ value: JSONValue) -> Void
    ) -> Bool {
        for field in allFields where withTransformed || !field.isTransformed {
            let value = field.value(context: context, state: state, scratch: &scratch)
            if value == .null, requiresAllValues { return false }
            body(field.key, value)
        }
        return true
    }
}

extension OutputTemplate.Field {
    private static let eventTimes: Set<String> = [
        "evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s", "evt.outputtime",
    ]

    init(key: String, expression: ValueExpression, isTransformed: Bool) {
        self.key = key
        self.expression = expression
        self.isTransformed = isTransformed
        isEventTime = Self.eventTimes.contains(expression.field?.definition.name ?? "")
    }

    /// The typed value in the event at hand.
    public func value(context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) -> JSONValue {
        if isEventTime { return .int(Int64(bitPattern: context.event.timestampNs)) }
        let mark = scratch.mark
        let value = expression.evaluate(context: context, state: state, scratch: &scratch)
        defer { scratch.rewind(to: mark) }
        return jsonValue(
            value, type: expression.type, isList: expression.isList, format: expression.format, scratch: &scratch)
    }
}

/// Fields and transformations of one token. A transformation right around another replaces it, as Falco has it.
private struct FieldCollector {
    let catalogue: FieldCatalogue
    var fields: [OutputTemplate.Field] = []
    private var lastIsTransformer = false

    init(catalogue: FieldCatalogue) { self.catalogue = catalogue }

    mutating func visit(_ operand: Operand) throws(FieldError) {
        switch operand {
        case .literal: break
        case .list(let elements, _):
            for element in elements { try visit(element) }
        case .field:
            fields.append(
                OutputTemplate.Field(
                    key: operand.outputKey, expression: try OutputTemplate.expression(operand, catalogue: catalogue),
                    isTransformed: false))
            lastIsTransformer = false
        case .transformer(let transformer):
            for argument in transformer.arguments { try visit(argument) }
            if lastIsTransformer { fields.removeLast() }
            fields.append(
                OutputTemplate.Field(
                    key: operand.outputKey, expression: try ValueExpression(operand, catalogue: catalogue, isShown: true),
                    isTransformed: true))
            lastIsTransformer = true
        }
    }
}

extension Operand {
    /// The key in an alert's fields: `join(->,(proc.name,evt.arg.path))`.
    fileprivate var outputKey: String {
        switch self {
        case .field(let name): name.name + (name.argument.map { "[\($0)]" } ?? "")
        case .literal(let text, _): text
        case .list(let elements, _): "(" + elements.map(\.outputKey).joined(separator: ",") + ")"
        case .transformer(let transformer):
            transformer.name + "(" + transformer.arguments.map(\.outputKey).joined(separator: ",") + ")"
                + (transformer.selector.map { "[\($0)]" } ?? "")
        }
    }
}
