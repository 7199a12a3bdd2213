// SPDX-License-Identifier: Apache-2.0

/// A place in a text: byte offset from 0, line and column from 1 (CR and LF each start a new line, as in Falco's parser).
public struct SourcePosition: Sendable, Equatable, Hashable {
    public var offset: Int
    public var line: Int
    public var column: Int
    public init(offset: Int = 0, line: Int = 1, column: Int = 1) {
        (self.offset, self.line, self.column) = (offset, line, column)
    }
}

public struct SourceRange: Sendable, Equatable, Hashable {
    public var start: SourcePosition
    public var end: SourcePosition
    public init(_ start: SourcePosition, _ end: SourcePosition) { (self.start, self.end) = (start, end) }
}
