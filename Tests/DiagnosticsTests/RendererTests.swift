// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

@Suite struct Renderers {
    static let file = SourceFile(name: "rules.yaml", bytes: Array("- rule: x\n  condition: proc.nmae = bash\n".utf8))

    static let diagnostic = Diagnostic(
        .compileCondition, "filter_check called with nonexistent field proc.nmae",
        context: [
            ContextLocation(.rulesContent, place: "rules.yaml", line: 0, column: 0, offset: 0),
            ContextLocation(.rule, name: "x", place: "rules.yaml", line: 0, column: 2, offset: 2),
        ],
        snippet: Snippet.make(Array("proc.nmae = bash".utf8), at: 0), excerpt: Excerpt(file, 23..<32),
        chain: [
            ChainLink(.within, "macro 'm'", file: "rules.yaml", line: 2),
            ChainLink(.user, "rule 'x'", file: "other.yaml", line: 7),
        ],
        hint: "did you mean 'proc.name'?", headline: "unknown field 'proc.nmae'", help: "one\ntwo")

    @Test func annotated() {
        #expect(
            AnnotatedRenderer.render(Self.diagnostic) == """
                rules.yaml:2:14: error: unknown field 'proc.nmae' [LOAD_ERR_COMPILE_CONDITION]
                2 |   condition: proc.nmae = bash
                  |              ^~~~~~~~~ did you mean 'proc.name'?
                  = in macro 'm' (rules.yaml:2), used by rule 'x' (other.yaml:7)
                  = help: one
                          two

                """)
    }

    @Test func falcoText() {
        #expect(
            FalcoTextRenderer.verbose(name: "rules.yaml", successful: false, errors: [Self.diagnostic], warnings: []) == """
                rules.yaml: Invalid
                1 Errors:
                In rules content: (rules.yaml:0:0)
                    rule 'x': (rules.yaml:0:2)
                ------
                proc.nmae = bash
                ^
                ------
                LOAD_ERR_COMPILE_CONDITION (Error compiling condition): filter_check called with nonexistent field proc.nmae

                """)
        #expect(
            FalcoTextRenderer.summary(name: "f", successful: false, errors: [Self.diagnostic], warnings: [])
                == "f: Invalid\n 1 errors: [LOAD_ERR_COMPILE_CONDITION (Error compiling condition)]")
    }

    @Test func json() {
        #expect(Self.diagnostic.json["code"] == "LOAD_ERR_COMPILE_CONDITION")
        #expect(Self.diagnostic.json["codedesc"] == "Error compiling condition")
        let location = Self.diagnostic.json["context"]?["locations"]?[1]
        #expect(
            location?.text
                == #"{"item_name":"x","item_type":"rule","position":{"column":2,"line":0,"name":"rules.yaml","offset":2}}"#)
        #expect(JSONNode.string("a\"\\\n\u{1}é").text == #""a\"\\\n\u0001é""#)
    }

    /// `‹…›` is the text at fault. What the terminal gets is one cell for each cell of the underline.
    @Test(arguments: [
        ("a\u{1b}[2J ‹b› c", "a␛[2J b c", "      ^"),
        ("\tx: ‹\ty›", "    x:     y", "       ^~~~~"),
        ("名前 ‹日本› x", "名前 日本 x", "     ^~~~"),
        ("e\u{301}e\u{301} ‹o\u{308}x›", "e\u{301}e\u{301} o\u{308}x", "   ^~"),
        ("🐧 ‹🐧🐧›", "🐧 🐧🐧", "   ^~~~"),
        ("a\u{a0}‹\u{200b}b›", "a<U+00A0><U+200B>b", "         ^~~~~~~~~"),
        ("\u{202e}‹x›", "<U+202E>x", "        ^"),
        ("a ‹›", "a ", "  ^"),
    ])
    func underlineStandsBelow(_ marked: String, _ line: String, _ mark: String) {
        let bytes = Array(marked.utf8)
        let (open, close) = (Array("‹".utf8), Array("›".utf8))
        let start = bytes.indices.first { bytes[$0...].starts(with: open) }!
        let end = bytes.indices.first { bytes[$0...].starts(with: close) }!
        let text = bytes[..<start] + bytes[(start + open.count)..<end] + bytes[(end + close.count)...]
        let file = SourceFile(name: "f", bytes: Array(text))
        let excerpt = Excerpt(file, start..<end - open.count)
        #expect(AnnotatedRenderer.render(Diagnostic(.validate, "x", excerpt: excerpt)).hasSuffix("\n1 | \(line)\n  | \(mark)\n"))
    }

    /// Bytes that are no UTF-8 take a cell each; a message that quotes them is made fit too.
    @Test func badBytes() {
        let file = SourceFile(name: "f\u{7}", bytes: [0x61, 0xff, 0xe2, 0x82, 0x20, 0x62])
        let text = AnnotatedRenderer.render(Diagnostic(.validate, "x\u{1b}[0m", excerpt: Excerpt(file, 5..<6)))
        #expect(text == "f␇:1:6: error: x␛[0m [LOAD_ERR_VALIDATE]\n1 | a\u{fffd}\u{fffd}\u{fffd} b\n  |      ^\n")
    }

    @Test(arguments: [0, 1, 50, 5_000, 99_999]) func veryLongLinesAreCutAroundTheText(_ offset: Int) {
        var bytes = Array(repeating: UInt8(ascii: "x"), count: 100_000)
        bytes[offset] = UInt8(ascii: "!")
        let excerpt = Excerpt(SourceFile(name: "f", bytes: bytes), offset..<offset + 1)
        #expect(excerpt.lines[0].bytes.count <= 1000)
        let lines = AnnotatedRenderer(width: 80).render(Diagnostic(.validate, "m", excerpt: excerpt)).split(separator: "\n")
        #expect(lines[1].count <= 80)
        #expect(lines[1].firstIndex(of: "!").map { lines[1].distance(from: lines[1].startIndex, to: $0) } == lines[2].count - 1)
    }

    @Test func severalLines() {
        let file = SourceFile(name: "f", bytes: Array("a: >\n  one two\n  three four\n  five\n  six\n".utf8))
        let short = AnnotatedRenderer.render(Diagnostic(.validate, "m", excerpt: Excerpt(file, 11..<22, linesMax: 3), hint: "h"))
        #expect(short.hasSuffix("2 |   one two\n  |       ^~~\n3 |   three four\n  |   ~~~~~ h\n"))
        let long = AnnotatedRenderer.render(Diagnostic(.validate, "m", excerpt: Excerpt(file, 7..<file.bytes.count, linesMax: 2)))
        #expect(long.hasSuffix("3 |   three four\n  |   ~~~~~~~~~~...\n"))
    }

    @Test func coloursAreTheRenderersAlone() {
        let text = AnnotatedRenderer(hasColours: true).render(Self.diagnostic)
        #expect(text.contains("\u{1b}[1;31merror: \u{1b}[0m"))
        var plain = ""
        var isEscape = false
        for character in text {
            if character == "\u{1b}" { isEscape = true }
            if !isEscape { plain.append(character) }
            if character == "m" { isEscape = false }
        }
        #expect(plain == AnnotatedRenderer.render(Self.diagnostic))
    }
}

@Suite struct AdviceRows {
    @Test(arguments: [
        ("Item has no mapping for key 'output'", "rule 'x' has no output"),
        ("Unknown key 'sev'. The key will be ignored.", "'sev' is no key of rule 'x', and is ignored"),
        (
            "Invalid override operation for key 'desc': 'add'. Allowed values are: append replace",
            "'add' is no way to override 'desc'"
        ),
        ("Invalid priority", "'proc.nmae' is no priority"), ("something new", nil),
    ])
    func sentence(_ message: String, _ headline: String?) {
        var diagnostic = Renderers.diagnostic
        (diagnostic.message, diagnostic.headline, diagnostic.help) = (message, nil, nil)
        #expect(Advice.on(diagnostic).headline == headline)
    }

    @Test func whoRaisesItHasTheLastWord() {
        var diagnostic = Renderers.diagnostic
        diagnostic.message = "Item has no mapping for key 'output'"
        #expect(Advice.on(diagnostic).headline == "unknown field 'proc.nmae'")
        diagnostic.help = nil
        #expect(Advice.on(diagnostic).help?.hasPrefix("add 'output: ") == true)
    }
}

@Suite struct Snippets {
    @Test(arguments: [
        ("one\ntwo\nthree", 4, "two\n^\n"), ("one\ntwo\nthree", 6, "two\n  ^\n"), ("one\ntwo", 7, "two\n   ^\n"),
        ("one\ntwo", 3, "one\n   ^\n"), ("", 0, "<No context available>\n"), ("\n", 0, "\n^\n"),
    ])
    func line(_ text: String, _ offset: Int, _ expected: String) {
        #expect(Snippet.make(Array(text.utf8), at: offset) == expected)
    }

    @Test func longLinesAreCut() {
        let text = String(repeating: "x", count: 500)
        let lines = Snippet.make(Array(text.utf8), at: 250).split(separator: "\n")
        #expect(lines[0].count <= 161)
        #expect(lines[0].hasPrefix("...x") && lines[0].hasSuffix("x..."))
        #expect(lines[1] == String(repeating: " ", count: 80) + "^")
    }
}

@Suite struct Positions {
    @Test(arguments: [(0, 1, 1), (3, 1, 4), (4, 2, 1), (5, 3, 1), (8, 3, 4), (99, 3, 4)])
    func lineAndColumn(_ offset: Int, _ line: Int, _ column: Int) {
        let file = SourceFile(name: "f", bytes: Array("one\n\ntwo".utf8))
        let position = file.position(at: offset)
        #expect((position.line, position.column) == (line, column))
    }

    @Test func lineRangesLeaveTheLineEndOut() {
        let file = SourceFile(name: "f", bytes: Array("a\r\nbb\n".utf8))
        #expect((1...4).map { file.text(file.lineRange($0)) } == ["a", "bb", "", ""])
    }
}

@Suite struct Suggestions {
    static let known = ["proc.name", "proc.pname", "proc.exe", "fd.name"]

    @Test(arguments: [
        ("proc.nmae", "proc.name"), ("proc.nam", "proc.name"), ("proc.pnam", "proc.pname"), ("fd.nme", "fd.name"),
        ("container.id", nil), ("x", nil), ("", nil), ("proc", "proc.exe"), ("proc.", nil),
    ])
    func nearest(_ word: String, _ expected: String?) {
        #expect(Suggestion.nearest(to: word, among: Self.known) == expected)
    }
}
