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
        chain: ["rule 'x'", "condition"],
        hint: "did you mean 'proc.name'?")

    @Test func annotated() {
        #expect(
            AnnotatedRenderer.render(Self.diagnostic) == """
                rules.yaml:2:14: error: filter_check called with nonexistent field proc.nmae [LOAD_ERR_COMPILE_CONDITION]
                2 |   condition: proc.nmae = bash
                  |              ^~~~~~~~~ did you mean 'proc.name'?
                  = in rule 'x' › condition

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

    /// A file cannot drive the terminal that shows its errors.
    @Test func controlCharactersAreNotShown() {
        let file = SourceFile(name: "f", bytes: Array("a\u{1b}[2Jb\tc".utf8))
        let text = AnnotatedRenderer.render(Diagnostic(.validate, "x", excerpt: Excerpt(file, 7..<8)))
        #expect(!text.contains("\u{1b}"))
        #expect(text.contains("1 | a?[2Jb\tc\n  |       \t^\n") || text.contains("a?[2Jb\tc"))
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
        ("container.id", nil), ("x", nil), ("", nil),
    ])
    func nearest(_ word: String, _ expected: String?) {
        #expect(Suggestion.nearest(to: word, among: Self.known) == expected)
    }
}
