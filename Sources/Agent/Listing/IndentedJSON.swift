// SPDX-License-Identifier: Apache-2.0
import Diagnostics

extension JSONNode {
    /// Every element on a line of its own, each level indented by two blanks: how the listings print.
    var indented: String {
        var output = ""
        write(to: &output, level: 0)
        return output
    }

    private func write(to output: inout String, level: Int) {
        switch self {
        case .null, .bool, .int, .string: output += text
        case .array(let elements):
            Self.write(elements.count, ("[", "]"), to: &output, level) { elements[$0].write(to: &$1, level: level + 1) }
        case .object(let members):
            let keys = members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            Self.write(keys.count, ("{", "}"), to: &output, level) { index, output in
                output += JSONNode.string(keys[index]).text + ": "
                members[keys[index]]!.write(to: &output, level: level + 1)
            }
        }
    }

    private static func write(
        _ count: Int, _ brackets: (String, String), to output: inout String, _ level: Int, _ element: (Int, inout String) -> Void
    ) {
        output += brackets.0
        for index in 0..<count {
            output += (index > 0 ? ",\n" : "\n") + String(repeating: "  ", count: level + 1)
            element(index, &output)
        }
        if count > 0 { output += "\n" + String(repeating: "  ", count: level) }
        output += brackets.1
    }
}
