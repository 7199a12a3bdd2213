// SPDX-License-Identifier: Apache-2.0
import FilterLanguage

/// The macros of all files, parsed.
final class MacroTable {
    struct Entry {
        let info: MacroInfo
        /// Nil when it did not compile.
        let condition: Condition?
        let entry: TextRegistry.Entry
        let lists: Set<String>
        /// Set when the macros it names have been put in.
        var resolved: MacroResolver.Resolved?
    }

    private var entries: [String: Entry] = [:]
    /// Every definition of a founding macro, in order.
    var founding: [String: [Entry]] = [:]

    subscript(name: String) -> Entry? {
        get { entries[name] }
        set { entries[name] = newValue }
    }

    func setResolved(_ name: String, _ resolved: MacroResolver.Resolved) { entries[name]?.resolved = resolved }

    /// A macro sees those whose first position precedes its own last change; a rule sees all.
    func definition(_ name: String, before visibility: Int) -> MacroResolver.Definition? {
        guard let macro = entries[name], macro.info.index < visibility else { return nil }
        if let resolved = macro.resolved { return .resolved(resolved) }
        return macro.condition.map { .condition($0) } ?? .broken
    }

    /// A founding rule sees the last definition before its own line; then what other files define.
    func foundingDefinition(_ name: String, before index: Int) -> MacroResolver.Definition? {
        if let versions = founding[name], let last = versions.last(where: { $0.info.index < index }) {
            return last.condition.map { .condition($0) } ?? .broken
        }
        guard let macro = entries[name], macro.info.dialect == .today else { return nil }
        return definition(name, before: Int.max)
    }
}
