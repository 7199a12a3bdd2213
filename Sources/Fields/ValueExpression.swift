// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage
import SystemState

/// A side of a check, or one token of an output, ready to be evaluated: a field, a constant, or transformers over them.
///
/// Flat: nodes refer to each other by index, so evaluating neither allocates nor counts references per node.
public struct ValueExpression: Sendable {
    /// As written, in the normal form of the language.
    public let text: String
    public let type: ParameterType
    /// Several values at once; `in`, `intersects` and `exists` only.
    public let isList: Bool
    /// How a number is shown: the field's way, decimal for what a transformer counted.
    public let format: PrintFormat
    /// The field, when nothing transforms it.
    public let field: FieldReference?
    /// The same as plain memory, for whoever evaluates it per event.
    public var selector: FieldSelector? { field?.selector }

    private struct Node: Sendable {
        enum Operation: Sendable { case field, literal, list, transform(TransformerName) }
        var operation: Operation
        var type: ParameterType
        var isList: Bool
        /// Arguments: `count` entries of `arguments` from here on.
        var first = 0
        var count = 0
        /// Into `fields` or `literals`.
        var index = 0
        /// `getopt(…)[c]`
        var selector: UInt8?
    }
    private var nodes: ContiguousArray<Node> = []
    private var arguments: ContiguousArray<Int> = []
    private var fields: ContiguousArray<FieldReference> = []
    private var selectors: ContiguousArray<FieldSelector> = []
    private var literals: ContiguousArray<FieldKey> = []
    private let root: Int

    /// Throws Falco's text for a field that is not there, an argument of the wrong type, or a transformer that does not fit.
    /// `isShown`: for an output, which writes all of several candidates in one line where a check asks any of them.
    public init(_ operand: Operand, catalogue: FieldCatalogue, isShown: Bool = false) throws(FieldError) {
        var builder = Builder(catalogue: catalogue, isShown: isShown)
        root = try builder.add(operand, isArgument: false)
        (nodes, arguments, fields, literals) = (builder.nodes, builder.arguments, builder.fields, builder.literals)
        selectors = ContiguousArray(fields.map(\.selector))
        type = nodes[root].type
        isList = nodes[root].isList
        switch nodes[root].operation {
        case .field:
            let reference = fields[nodes[root].index]
            field = reference
            format = reference.definition.format
            text = reference.text
        default:
            field = nil
            // `tolower` and its like keep the type of their field; nothing that yields a number keeps its format.
            format = type == .uint64 ? .dec : .na
            text = operand.normalised
        }
    }

    /// A field that the catalogue has resolved already.
    public init(_ reference: FieldReference) {
        fields = [reference]
        selectors = [reference.selector]
        root = 0
        text = reference.text
        type = reference.definition.type
        isList = reference.definition.flags.contains(.list)
        format = reference.definition.format
        field = reference
        nodes = [Node(operation: .field, type: type, isList: isList)]
    }

    /// Every field that is read, the transformed ones included.
    public func collectFields(_ body: (FieldReference) -> Void) {
        for field in fields { body(field) }
    }

    /// The value in the event at hand; bytes and list entries live until the scratch's next reset.
    public func evaluate(context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) -> FieldValue {
        evaluate(root, context: context, state: state, scratch: &scratch)
    }

    private func evaluate(
        _ index: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let node = nodes[index]
        switch node.operation {
        case .field: return FieldExtractor.extract(selectors[node.index], context: context, state: state, scratch: &scratch)
        case .literal: return .bytes(literals[node.index].bytes)
        case .list: return evaluateAll(node, context: context, state: state, scratch: &scratch)
        case .transform(let name):
            let first = arguments[node.first]
            switch name {
            case .val:
                return evaluate(first, context: context, state: state, scratch: &scratch)
            case .tolower, .toupper, .b64, .basename, .len:
                let value = evaluate(first, context: context, state: state, scratch: &scratch)
                return Transformers.apply(name, value, type: nodes[first].type, isList: nodes[first].isList, scratch: &scratch)
            case .concat:
                let parts = evaluateAll(node, context: context, state: state, scratch: &scratch)
                return Transformers.join(separator: .empty, parts, scratch: &scratch)
            case .join:
                let separator = evaluate(first, context: context, state: state, scratch: &scratch)
                guard case .bytes(let bytes) = separator else { return .none }
                let parts = evaluate(arguments[node.first + 1], context: context, state: state, scratch: &scratch)
                return Transformers.join(separator: bytes, parts, scratch: &scratch)
            case .getopt:
                let words = evaluate(first, context: context, state: state, scratch: &scratch)
                let options = evaluate(arguments[node.first + 1], context: context, state: state, scratch: &scratch)
                guard case .bytes(let bytes) = options else { return .none }
                return OptionParser.parse(words, options: bytes, selector: node.selector, scratch: &scratch)
            }
        }
    }

    /// All arguments as one list; none when one of them has no value.
    private func evaluateAll(
        _ node: Node, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let start = scratch.listCount
        // Room first: evaluating an argument may put lists of its own behind.
        for _ in 0..<node.count { guard scratch.push(.none) else { return .none } }
        for offset in 0..<node.count {
            let value = evaluate(arguments[node.first + offset], context: context, state: state, scratch: &scratch)
            guard value.exists else { return .none }
            scratch.list[start + offset] = value
        }
        return .list(start: start, count: node.count)
    }

    private struct Builder {
        let catalogue: FieldCatalogue
        let isShown: Bool
        var nodes: ContiguousArray<Node> = []
        var arguments: ContiguousArray<Int> = []
        var fields: ContiguousArray<FieldReference> = []
        var literals: ContiguousArray<FieldKey> = []

        init(catalogue: FieldCatalogue, isShown: Bool) { (self.catalogue, self.isShown) = (catalogue, isShown) }

        private mutating func add(_ node: Node) -> Int {
            nodes.append(node)
            return nodes.count - 1
        }

        mutating func add(_ operand: Operand, isArgument: Bool) throws(FieldError) -> Int {
            switch operand {
            case .field(let name):
                let reference = try catalogue.resolve(name)
                let flags = reference.definition.flags
                if isArgument, flags.contains(.noTransformer) {
                    throw FieldError("field '\(reference.definition.name)' does not support transformers")
                }
                fields.append(isArgument || isShown ? reference.asSingleValue : reference)
                return add(
                    Node(
                        operation: .field, type: reference.definition.type, isList: flags.contains(.list), index: fields.count - 1
                    ))
            case .literal(let text, _):
                literals.append(FieldKey(FilterText.bytes(text)))
                return add(Node(operation: .literal, type: .charbuf, isList: false, index: literals.count - 1))
            case .list(let elements, _):
                let children = try addAll(elements)
                var type = ParameterType.charbuf
                for (position, child) in children.enumerated() {
                    let own = nodes[child]
                    guard !own.isList else {
                        throw FieldError("a list cannot hold another list: '\(elements[position].normalised)'")
                    }
                    if position == 0 { type = own.type }
                    if Transformers.isText(type), Transformers.isText(own.type) {
                        if own.type != type { type = .charbuf }
                    } else if own.type != type {
                        throw FieldError("elements of a list must have one type: '\(operand.normalised)'")
                    }
                }
                return add(Node(operation: .list, type: type, isList: true, first: keep(children), count: children.count))
            case .transformer(let transformer):
                return try add(transformer, isArgument: isArgument)
            }
        }

        private mutating func addAll(_ operands: [Operand]) throws(FieldError) -> [Int] {
            var children: [Int] = []
            for operand in operands { children.append(try add(operand, isArgument: true)) }
            return children
        }

        private mutating func keep(_ children: [Int]) -> Int {
            defer { arguments.append(contentsOf: children) }
            return arguments.count
        }

        private mutating func add(_ transformer: Transformer, isArgument: Bool) throws(FieldError) -> Int {
            guard let name = TransformerName(rawValue: transformer.name) else {
                throw FieldError("transformer '\(transformer.name)' is not supported")
            }
            var selector: UInt8?
            if let text = transformer.selector {
                guard name == .getopt else {
                    throw FieldError("transformer '\(name.rawValue)' does not take an argument in brackets")
                }
                guard text.utf8.count == 1 else {
                    throw FieldError("the argument in brackets of 'getopt' must be one option letter, not '\(text)'")
                }
                selector = text.utf8.first
            }
            if name == .val {
                // Marks a field on the right side of a check: a field alone, and nothing around it.
                guard !isArgument, transformer.arguments.count == 1, case .field = transformer.arguments[0] else {
                    throw FieldError("'val' takes one field and stands alone on the right side of a check")
                }
                let child = try add(transformer.arguments[0], isArgument: false)
                return add(
                    Node(
                        operation: .transform(.val), type: nodes[child].type, isList: nodes[child].isList, first: keep([child]),
                        count: 1))
            }
            let children = try addAll(transformer.arguments)
            var node = Node(operation: .transform(name), type: .charbuf, isList: false, count: children.count, selector: selector)
            switch name {
            case .tolower, .toupper, .basename, .b64, .len:
                guard children.count == 1 else {
                    throw FieldError("transformer '\(name.rawValue)' takes one argument, not \(children.count)")
                }
                let input = nodes[children[0]]
                guard Transformers.accepts(name, input.type, isList: input.isList) else {
                    let list = input.isList ? "list " : ""
                    throw FieldError(
                        "can't add field transformer: type '\(input.type.name)' is not supported by '\(name.rawValue)'"
                            + " transformer applied on \(list)field '\(subject(of: transformer.arguments[0]))'")
                }
                node.type = name == .len ? .uint64 : input.type
                node.isList = name != .len && input.isList
            case .concat:
                guard children.count >= 2 else {
                    throw FieldError("transformer 'concat' takes two arguments or more, not \(children.count)")
                }
                for (position, child) in children.enumerated()
                where nodes[child].isList || !Transformers.isText(nodes[child].type) {
                    throw FieldError(
                        "transformer 'concat' joins strings, which '\(transformer.arguments[position].normalised)' is not")
                }
            case .join:
                guard children.count == 2 else {
                    throw FieldError("transformer 'join' takes a separator and a list, not \(children.count) arguments")
                }
                guard !nodes[children[0]].isList, Transformers.isText(nodes[children[0]].type) else {
                    throw FieldError(
                        "the separator of 'join' must be a string, which '\(transformer.arguments[0].normalised)' is not")
                }
                guard nodes[children[1]].isList, Transformers.isText(nodes[children[1]].type) else {
                    throw FieldError(
                        "the second argument of 'join' must be a list of strings,"
                            + " which '\(transformer.arguments[1].normalised)' is not"
                    )
                }
            case .getopt:
                guard children.count == 2 else {
                    throw FieldError(
                        "transformer 'getopt' takes a list of words and an option string, not \(children.count) arguments")
                }
                guard nodes[children[0]].isList, Transformers.isText(nodes[children[0]].type) else {
                    throw FieldError(
                        "the first argument of 'getopt' must be a list of strings,"
                            + " which '\(transformer.arguments[0].normalised)' is not"
                    )
                }
                guard !nodes[children[1]].isList, Transformers.isText(nodes[children[1]].type) else {
                    throw FieldError(
                        "the option string of 'getopt' must be a string, which '\(transformer.arguments[1].normalised)' is not")
                }
                node.isList = selector == nil
            case .val: preconditionFailure("handled above")
            }
            node.first = keep(children)
            return add(node)
        }

        /// The field under the transformers, by name; else the text.
        private func subject(of operand: Operand) -> String {
            switch operand {
            case .field(let name): name.name
            case .transformer(let inner) where inner.arguments.count == 1: subject(of: inner.arguments[0])
            default: operand.normalised
            }
        }
    }
}
