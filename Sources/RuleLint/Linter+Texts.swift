// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Fields
import FilterLanguage
import RuleEngine
import Rules

/// What single checks say, wherever they stand: in rules, in macros, in exceptions.
extension Linter {
    func checkConditionTexts() {
        for part in anatomy.rules {
            check(part.unresolved, part.written, part.conditionPlace, isFounding: part.isFounding)
            for exception in part.exceptions {
                for value in exception.values { value.condition?.forEachCheckHere { checkValues($0, value.place) } }
            }
        }
        for part in anatomy.macros { check(part.unresolved, part.written, part.conditionPlace, isFounding: part.isFounding) }
    }

    private func check(_ condition: Condition, _ written: Condition?, _ user: RulesPlace, isFounding: Bool) {
        condition.forEachCheckHere { check in
            let place = anatomy.place(of: check.range, within: user)
            checkEventType(check, place, isFounding: isFounding)
            checkValues(check, user)
            checkRegex(check, place)
            guard let reading = vocabulary.reading(check) else { return }
            for field in reading.fields { checkSupplier(field, check, place) }
        }
        written?.forEachCheckHere { checkNames($0, user) }
    }

    // MARK: values

    private static let processNames: Set<String> = [
        "proc.name", "proc.pname", "proc.aname", "proc.sname", "proc.pgid.name", "proc.vpgid.name",
    ]
    private static let wholePaths: Set<String> = [
        "fd.name", "fd.directory", "fs.path.name", "fs.path.source", "fs.path.target", "proc.exepath", "proc.pexepath",
        "proc.aexepath", "proc.sid.exepath", "proc.pgid.exepath", "proc.vpgid.exepath", "proc.cwd", "kernel.path",
    ]
    private static let words: Set<String> = [
        "fd.filename", "proc.exe", "proc.pexe", "proc.aexe", "user.name", "user.loginname", "group.name", "container.name",
        "container.image", "container.image.repository", "container.image.tag", "k8s.ns.name", "k8s.pod.name",
    ]

    private func checkValues(_ check: Check, _ user: RulesPlace) {
        guard case .field(let name) = check.left else { return }
        let field = name.name
        for (text, range) in check.constantTexts {
            let place = anatomy.place(of: range, within: user)
            switch check.comparison {
            case .equal, .notEqual, .in, .intersects, .startswith, .endswith, .contains:
                if Self.processNames.contains(field), text.utf8.count > 15 {
                    let kept = String(decoding: text.utf8.prefix(15), as: UTF8.self)
                    report(
                        .nameTooLong, "'\(text)' has \(text.utf8.count) bytes, but \(field) has at most 15", at: place,
                        hint: check.comparison == .endswith || check.comparison == .contains
                            || text.contains(where: { " /*".contains($0) })
                            ? "compare proc.exepath or proc.cmdline" : "write '\(kept)', or compare proc.exepath")
                }
                checkWildcard(text, field, check.comparison, place)
                checkPath(text, field, check.comparison, place)
            case .pmatch: checkPath(text, field, check.comparison, place)
            default: break
            }
            if text.isEmpty, [.contains, .icontains, .startswith, .endswith].contains(check.comparison) {
                report(
                    .emptyValue, "'\(check.comparison.rawValue)' of an empty text holds for every value", at: place,
                    hint: "write '\(check.left.normalised) exists' if that is meant")
            }
            // Once per item: who writes this writes it often.
            if text == "<NA>", [.equal, .in].contains(check.comparison), Self.isMissingWhenUnknown(field),
                saidMissing.insert(place.item + field).inserted
            {
                report(
                    .missingValueText, "a missing '\(field)' equals nothing, not even '<NA>'", at: place,
                    hint: "whether it is there, '\(field) exists' tells")
            }
            checkWidth(text, check, place)
        }
    }

    private static func isMissingWhenUnknown(_ field: String) -> Bool {
        ["container.", "k8s.", "fs.path.", "thread."].contains(where: field.hasPrefix)
            || field.hasPrefix("proc.") && !field.hasPrefix("proc.std")
    }

    private func checkWidth(_ text: String, _ check: Check, _ place: RulesPlace) {
        guard let reading = vocabulary.reading(check), reading.kind == .signed || reading.kind == .unsigned,
            let type = reading.leftFields.first?.definition.type, reading.leftFields.count == 1,
            reading.leftKey == reading.leftFields[0].text, let meant = ConditionCompiler.cut(text, type: type)
        else { return }
        let shown = reading.kind == .signed ? String(Int64(bitPattern: meant)) : String(meant)
        report(
            .valueCut, "\(text) does not fit \(check.left.normalised): \(shown) is compared", at: place,
            hint: "the field has \((type.fixedBytes ?? 8) * 8) bits")
    }

    private func checkWildcard(_ text: String, _ field: String, _ comparison: Comparison, _ place: RulesPlace) {
        guard text.utf8.contains(UInt8(ascii: "*")),
            Self.processNames.contains(field) || Self.wholePaths.contains(field) || Self.words.contains(field)
        else { return }
        report(
            .wildcardAsText, "'\(comparison.rawValue)' takes '*' for a character", at: place,
            hint: "write '\(field) glob \(text)'")
    }

    private func checkPath(_ text: String, _ field: String, _ comparison: Comparison, _ place: RulesPlace) {
        guard Self.wholePaths.contains(field), !text.isEmpty else { return }
        func say(_ message: String, _ hint: String) { report(.pathForm, message, at: place, hint: hint) }
        let isWhole = [.equal, .notEqual, .in, .intersects].contains(comparison)
        let isStart = isWhole || comparison == .startswith || comparison == .pmatch
        if isStart, text.hasPrefix("~") {
            say("paths are absolute: \(field) never begins with '~'", "write '/home/', or use glob '/home/*/…'")
        } else if isStart, text.hasPrefix("/"), Self.isUnclean(text) {
            say("paths have no '//', '/./' or '/../': \(field) never looks like '\(text)'", "write the path without them")
        } else if field == "proc.cwd" {
            if isWhole, !text.hasSuffix("/") { say("proc.cwd ends with a slash", "write '\(text)/'") }
        } else if isWhole, text.count > 1, text.hasSuffix("/") {
            say("\(field) has no slash at its end", "write '\(text.dropLast())', or 'startswith' for what lies below it")
        } else if isWhole, field.hasSuffix("exepath"), !text.hasPrefix("/"), !text.hasPrefix("memfd:") {
            say("\(field) is an absolute path", "compare proc.name, or write the whole path")
        }
    }

    private static func isUnclean(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        // The first is empty, and so is the last of `/etc/`.
        for (index, part) in parts.enumerated().dropFirst() {
            let isLast = index == parts.count - 1
            if part == "." || part == "..", !isLast { return true }
            if part.isEmpty, !isLast { return true }
        }
        return false
    }

    // MARK: names among values, as written

    private func checkNames(_ check: Check, _ user: RulesPlace) {
        let texts = check.constantTexts
        let fieldName: String? = if case .field(let name) = check.left { name.name } else { nil }
        switch check.comparison {
        case .in, .intersects, .pmatch:
            if case .list(let items) = check.right { checkListSide(check, items, user) }
        case .exists: return
        default:
            guard check.modifier == nil else { break }
            for (text, range) in texts where listNames.contains(text) {
                report(
                    .listInComparison, "'\(text)' is a list: its items take the name's place, which suits one value at most",
                    at: anatomy.place(of: range, within: user), hint: "write '\(check.left.normalised) in (\(text))'")
            }
        }
        for (text, range) in texts where !listNames.contains(text) {
            let place = anatomy.place(of: range, within: user)
            if macroNames.contains(text), text.contains("_"), fieldName?.hasPrefix("evt.arg") != true {
                report(
                    .macroAsValue, "'\(text)' is a macro; among values it is only a word", at: place,
                    hint: "write 'and \(text)', or the name of a list")
            } else if text.contains("_"), !text.contains("/"), !text.contains("."), case .list = check.right,
                let near = Suggestion.nearest(to: text, among: listNames), Self.isMisspelling(text, near)
            {
                report(.misspeltList, "no list is named '\(text)', so it is a word", at: place, hint: "did you mean '\(near)'?")
            }
        }
    }

    /// A slip of the keyboard, not the singular of a plural or another number at the end.
    private static func isMisspelling(_ text: String, _ near: String) -> Bool {
        text.count >= 6 && near.count >= 6 && text.dropLast() != near.dropLast()
            || text.hasPrefix(near) && text.count == near.count + 1 || near.hasPrefix(text) && near.count == text.count + 1
    }

    private func checkListSide(_ check: Check, _ items: [ListItem], _ user: RulesPlace) {
        let place = anatomy.place(of: check.range, within: user)
        if items.isEmpty {
            report(.emptyList, "nothing is in an empty list", at: place, hint: "to switch a rule off, write (evt.num=0)")
            return
        }
        if check.comparison == .in, items.count == 1, !listNames.contains(items[0].text),
            let reading = vocabulary.reading(check), !reading.isList, reading.idiom == nil
        {
            report(
                .inWithOneValue, "a list of one value", at: place,
                hint: "write '\(check.left.normalised) = \(ListItemText.quoted(items[0].text))'")
        }
        var seen: Set<String> = []
        for item in items where !seen.insert(item.text).inserted {
            report(
                .repeatedValue, "'\(item.text)' is in this list twice", at: anatomy.place(of: item.range, within: user),
                hint: "remove one")
        }
    }
}

enum ListItemText {
    static func quoted(_ text: String) -> String {
        text.isEmpty || text.contains(where: { " ()=,\"'".contains($0) }) ? "\"\(text)\"" : text
    }
}
