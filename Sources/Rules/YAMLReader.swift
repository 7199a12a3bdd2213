// SPDX-License-Identifier: Apache-2.0
import CYaml
import Diagnostics

/// Why a text is no YAML, or more YAML than we accept.
struct YAMLProblem: Error {
    let message: String
    let position: SourcePosition
    /// Where what is not complete begins.
    var beginning: SourcePosition?
}

/// Reads all documents of a file from libyaml's events. Not Yams' own composer: that refuses repeated keys, which today's
/// rules files may have, recurses, and does not say where a value ends.
struct YAMLReader {
    /// Limits, each far above any real rules file.
    static let fileBytesMax = 64 << 20
    static let depthMax = 128
    /// Nodes that aliases may add, counted as often as they are used: what stops a "billion laughs" file.
    static let aliasedNodesMax = 1_000_000

    private let file: SourceFile
    private var stack: [Frame] = []
    private var anchors: [String: YAMLNode] = [:]
    private var aliasedNodes = 0
    private var cursor: (character: Int, offset: Int)

    fileprivate struct Frame {
        var start: SourcePosition
        var anchor: String?
        var isMapping: Bool
        var items: [YAMLNode] = []
    }

    static func documents(of file: SourceFile) throws(YAMLProblem) -> [YAMLNode] {
        guard file.bytes.count <= fileBytesMax else {
            throw YAMLProblem(
                message: "the file has \(file.bytes.count) bytes, the limit is \(fileBytesMax)", position: SourcePosition())
        }
        var reader = YAMLReader(file: file)
        return try reader.read()
    }

    private init(file: SourceFile) {
        self.file = file
        // A byte order mark is no character of the text.
        cursor = (0, file.bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0)
    }

    private mutating func read() throws(YAMLProblem) -> [YAMLNode] {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) != 0 else {
            throw YAMLProblem(message: "out of memory for the YAML parser", position: SourcePosition())
        }
        defer { yaml_parser_delete(&parser) }
        // The parser keeps the address, so the bytes must not move while it runs.
        let input = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, file.bytes.count))
        defer { input.deallocate() }
        input.initialize(from: file.bytes, count: file.bytes.count)
        yaml_parser_set_input_string(&parser, input, file.bytes.count)

        var documents: [YAMLNode] = []
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(&parser, &event) != 0 else { throw problem(of: parser) }
            defer { yaml_event_delete(&event) }
            let start = position(event.start_mark)
            switch event.type {
            case YAML_STREAM_END_EVENT: return documents
            case YAML_DOCUMENT_START_EVENT:
                anchors = [:]
            case YAML_SCALAR_EVENT:
                let node = scalar(event, start)
                if let anchor = text(event.data.scalar.anchor) { anchors[anchor] = node }
                add(node, to: &documents)
            case YAML_ALIAS_EVENT:
                let name = text(event.data.alias.anchor) ?? ""
                guard let node = anchors[name] else {
                    throw YAMLProblem(message: "the alias '*\(name)' refers to no anchor before it", position: start)
                }
                aliasedNodes += node.weight
                guard aliasedNodes <= Self.aliasedNodesMax else {
                    throw YAMLProblem(
                        message: "the aliases up to '*\(name)' stand for more than \(Self.aliasedNodesMax) values",
                        position: start)
                }
                add(node, to: &documents)
            case YAML_SEQUENCE_START_EVENT:
                try open(Frame(start: start, anchor: text(event.data.sequence_start.anchor), isMapping: false))
            case YAML_MAPPING_START_EVENT:
                try open(Frame(start: start, anchor: text(event.data.mapping_start.anchor), isMapping: true))
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
                let frame = stack.removeLast()
                let node = frame.node(file: file, end: max(frame.start.offset, position(event.end_mark).offset))
                if let anchor = frame.anchor { anchors[anchor] = node }
                add(node, to: &documents)
            default: break
            }
        }
    }

    private mutating func open(_ frame: Frame) throws(YAMLProblem) {
        guard stack.count < Self.depthMax else {
            throw YAMLProblem(message: "values are nested deeper than \(Self.depthMax) levels", position: frame.start)
        }
        stack.append(frame)
    }

    private mutating func add(_ node: YAMLNode, to documents: inout [YAMLNode]) {
        if stack.isEmpty { documents.append(node) } else { stack[stack.count - 1].items.append(node) }
    }

    private mutating func scalar(_ event: yaml_event_t, _ start: SourcePosition) -> YAMLNode {
        let data = event.data.scalar
        let bytes = UnsafeBufferPointer(start: data.value, count: data.length)
        let style: YAMLScalar.Style =
            switch data.style {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
            case YAML_LITERAL_SCALAR_STYLE: .literal
            case YAML_FOLDED_SCALAR_STYLE: .folded
            default: .plain
            }
        let scalar = YAMLScalar(text: String(decoding: bytes, as: UTF8.self), style: style, isTagged: data.tag != nil)
        return YAMLNode(
            content: .scalar(scalar), start: start, end: position(event.end_mark).offset, file: file, weight: 1)
    }

    /// libyaml counts characters. Marks come almost in order, so stepping from the last one keeps one huge line linear.
    private mutating func position(_ mark: yaml_mark_t) -> SourcePosition {
        func continues(_ offset: Int) -> Bool { offset < file.bytes.count && file.bytes[offset] & 0xc0 == 0x80 }
        let wanted = Int(mark.index)
        while cursor.character < wanted, cursor.offset < file.bytes.count {
            cursor.character += 1
            repeat { cursor.offset += 1 } while continues(cursor.offset)
        }
        while cursor.character > wanted, cursor.offset > 0 {
            cursor.character -= 1
            repeat { cursor.offset -= 1 } while cursor.offset > 0 && continues(cursor.offset)
        }
        return file.position(at: cursor.offset)
    }

    private mutating func problem(of parser: yaml_parser_t) -> YAMLProblem {
        if parser.error == YAML_READER_ERROR {
            let offset = min(Int(parser.problem_offset), file.bytes.count)
            let byte = offset < file.bytes.count ? " (byte 0x\(String(file.bytes[offset], radix: 16)))" : ""
            return YAMLProblem(
                message: "the file is not text: \(sentence(parser.problem))\(byte)", position: file.position(at: offset))
        }
        var message = sentence(parser.problem)
        if parser.context != nil {
            message += " " + sentence(parser.context) + " that begins in line \(parser.context_mark.line + 1)"
        }
        let place = position(parser.problem_mark)
        return YAMLProblem(
            message: message, position: place, beginning: parser.context == nil ? nil : position(parser.context_mark))
    }

    private func sentence(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "not YAML" }
    private func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? { bytes.map { String(cString: $0) } }
}

extension YAMLReader.Frame {
    fileprivate func node(file: SourceFile, end: Int) -> YAMLNode {
        let weight = items.reduce(1) { $0 &+ $1.weight }
        guard isMapping else {
            return YAMLNode(content: .sequence(items), start: start, end: end, file: file, weight: weight)
        }
        var pairs: [(key: YAMLNode, value: YAMLNode)] = []
        pairs.reserveCapacity(items.count / 2)
        for index in stride(from: 0, to: items.count - 1, by: 2) { pairs.append((items[index], items[index + 1])) }
        return YAMLNode(content: .mapping(pairs), start: start, end: end, file: file, weight: weight)
    }
}
