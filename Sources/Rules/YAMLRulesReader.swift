// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// Reads the items of a YAML rules file into the collector.
///
/// A bad item is reported and left out, and reading goes on, so that one run finds all of them; whoever wants Falco's
/// behaviour takes the first error.
struct YAMLRulesReader {
    let engineVersion: Version
    let checker: ExceptionChecker
    var collector: RuleCollector
    var report: LoadReport

    static let appendIsDeprecated =
        "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
    static let appendAndOverride =
        "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: append') "
        + "under 'override' instead."
    static let enabledIsDeprecated =
        "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry under "
        + "the 'override' key (i.e. 'enabled: replace')."

    static let listKeys = RuleSchema.keys(of: .list)
    static let macroKeys = RuleSchema.keys(of: .macro)
    static let ruleKeys = RuleSchema.keys(of: .rule)

    mutating func read(_ documents: [YAMLNode], of file: SourceFile) {
        let root = ItemContext(file)
        for document in documents where !document.isNull {
            guard let items = document.items else {
                let message = document.isMapping ? "Rules content is not yaml array of objects" : "Rules content is not yaml"
                report.fail(root.diagnostic(.yamlValidate, message, hint: "a rules file is a list of items that begin with '- '"))
                return
            }
            for item in items where !item.isNull {
                do throws(Diagnostic) { try read(item, root) } catch { report.fail(error) }
            }
        }
    }

    private mutating func read(_ node: YAMLNode, _ root: ItemContext) throws(Diagnostic) {
        guard node.isMapping else {
            throw root.item(.rulesContentItem, "", node).diagnostic(
                .yamlValidate, "Unexpected element type. Each element should be a yaml associative array.")
        }
        if node["required_engine_version"] != nil {
            try readEngineVersion(YAMLItem(node: node, context: root.item(.requiredEngineVersion, "", node)))
        } else if let plugins = node["required_plugin_versions"] {
            try readPluginVersions(plugins, root.item(.requiredPluginVersions, "", plugins))
            warnOfUnknownKeys(node, ["required_plugin_versions"], root.item(.requiredPluginVersions, "", plugins))
        } else if node["list"] != nil {
            try readList(node, root)
        } else if node["macro"] != nil {
            try readMacro(node, root)
        } else if node["rule"] != nil {
            try readRule(node, root)
        } else {
            let first = node.pairs?.first?.key.scalar ?? ""
            let kinds = ["rule", "macro", "list", "required_engine_version", "required_plugin_versions"]
            report.warn(
                root.item(.rulesContentItem, "", node).diagnostic(
                    .unknownItem, "Unknown top level item", hint: Suggestion.hint(for: first, among: kinds)))
        }
    }

    private mutating func readEngineVersion(_ item: YAMLItem) throws(Diagnostic) {
        let text = try item.text("required_engine_version")
        warnOfUnknownKeys(item.node, ["required_engine_version"], item.context)
        // A plain number is the minor version of the days before semantic versions.
        let version = UInt32(text).map { Version(0, $0, 0) } ?? Version(text)
        guard let version else {
            throw item.context.diagnostic(
                .yamlValidate, "Unable to parse engine version '\(text)' as a semver string. Expected \"x.y.z\" semver format.")
        }
        try collector.require(engine: version, have: engineVersion, item.context)
    }

    private mutating func readPluginVersions(_ node: YAMLNode, _ context: ItemContext) throws(Diagnostic) {
        guard let entries = node.items else {
            throw context.diagnostic(.yamlValidate, "Value of required_plugin_versions must be a sequence")
        }
        func requirement(_ node: YAMLNode, _ context: ItemContext) throws(Diagnostic) -> PluginRequirement {
            guard node.isMapping else {
                throw context.diagnostic(.yamlValidate, "Plugin version must be a mapping of name and version")
            }
            let item = YAMLItem(node: node, context: context)
            return PluginRequirement(name: try item.text("name"), version: try item.text("version"))
        }
        for entry in entries {
            let entryContext = context.item(.requiredPluginVersionsEntry, "", entry)
            var alternatives = [try requirement(entry, entryContext)]
            if let others = entry["alternatives"] {
                guard let items = others.items else {
                    throw entryContext.diagnostic(.yamlValidate, "Value of plugin version alternatives must be a sequence")
                }
                for other in items {
                    alternatives.append(try requirement(other, entryContext.item(.requiredPluginVersionsAlternative, "", other)))
                }
            }
            try collector.require(plugin: alternatives, entryContext)
        }
    }

    private mutating func readList(_ node: YAMLNode, _ root: ItemContext) throws(Diagnostic) {
        let name = try YAMLItem(node: node, context: root.item(.list, "", node)).text("list")
        let context = root.item(.list, name, node)
        let item = YAMLItem(node: node, context: context)
        if name.contains(where: { $0.isWhitespace || "()\"'=,".contains($0) }) {
            report.warn(
                context.diagnostic(
                    .invalidListName,
                    "List has an invalid name. List names should match a regular expression: ([^()\"'[:space:]=,]+)"))
        }
        let items = try item.scalars("items").map(\.traced)
        let append = try readAppend(item)
        let overrides = try readOverrides(item, appendable: ["items"], replaceable: ["items"])
        if append, !overrides.isEmpty { throw context.diagnostic(.yamlValidate, Self.appendAndOverride) }
        warnOfUnknownKeys(node, Self.listKeys, context)
        let list = ListItemInfo(name: name, items: items, context: context)
        if append || overrides["items"] == .append { try collector.append(list) } else { collector.define(list) }
    }

    private mutating func readMacro(_ node: YAMLNode, _ root: ItemContext) throws(Diagnostic) {
        let name = try YAMLItem(node: node, context: root.item(.macro, "", node)).text("macro")
        let context = root.item(.macro, name, node)
        let item = YAMLItem(node: node, context: context)
        if !Self.isIdentifier(name) {
            report.warn(
                context.diagnostic(
                    .invalidMacroName,
                    "Macro has an invalid name. Macro names should match a regular expression: ([a-zA-Z]+[a-zA-Z0-9_]*)"))
        }
        let condition = try item.scalar("condition")
        let append = try readAppend(item)
        let overrides = try readOverrides(item, appendable: ["condition"], replaceable: ["condition"])
        if append, !overrides.isEmpty { throw context.diagnostic(.yamlValidate, Self.appendAndOverride) }
        warnOfUnknownKeys(node, Self.macroKeys, context)
        let macro = MacroInfo(
            name: name, condition: condition.traced, context: context,
            conditionContext: context.item(.macroCondition, "", condition))
        if append || overrides["condition"] == .append { try collector.append(macro) } else { collector.define(macro) }
    }

    static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, isLetter(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }
    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

    // MARK: shared by the item kinds

    mutating func readAppend(_ item: YAMLItem) throws(Diagnostic) -> Bool {
        let append = try item.bool("append") ?? false
        if append { report.warn(item.context.diagnostic(.deprecatedItem, Self.appendIsDeprecated)) }
        return append
    }

    enum OverrideOperation: String { case append, replace }

    func readOverrides(
        _ item: YAMLItem, appendable: Set<String>, replaceable: Set<String>
    ) throws(Diagnostic) -> [String: OverrideOperation] {
        guard let node = item.node["override"] else { return [:] }
        let context = item.context.item(.overrides, "", node)
        guard let pairs = node.pairs else { throw context.diagnostic(.yamlValidate, "Value of override must be a mapping") }
        var overrides: [String: OverrideOperation] = [:]
        for (keyNode, value) in pairs {
            guard let key = keyNode.scalar, let word = value.scalar else {
                throw context.diagnostic(.yamlValidate, "Value is not a scalar value")
            }
            let entry = context.item(.valueFor, key, value)
            switch OverrideOperation(rawValue: word) {
            case .append:
                guard appendable.contains(key) else {
                    guard replaceable.contains(key) else { throw notOverridable(key, "appended to", replaceable, entry) }
                    throw entry.diagnostic(.yamlValidate, "Key '\(key)' cannot be appended to, use 'replace' instead")
                }
                overrides[key] = .append
            case .replace:
                guard replaceable.contains(key) else { throw notOverridable(key, "replaced", replaceable, entry) }
                overrides[key] = .replace
            case nil:
                var allowed: [String] = []
                if appendable.contains(key) { allowed.append("append") }
                if replaceable.contains(key) { allowed.append("replace") }
                throw entry.diagnostic(
                    .yamlValidate,
                    "Invalid override operation for key '\(key)': '\(word)'. Allowed values are: "
                        + "\(allowed.joined(separator: " "))",
                    hint: Suggestion.hint(for: word, among: allowed))
            }
        }
        return overrides
    }

    private func notOverridable(_ key: String, _ verb: String, _ known: Set<String>, _ context: ItemContext) -> Diagnostic {
        context.diagnostic(.yamlValidate, "Key '\(key)' cannot be \(verb)", hint: Suggestion.hint(for: key, among: known))
    }

    mutating func warnOfUnknownKeys(_ node: YAMLNode, _ known: Set<String>, _ context: ItemContext) {
        for (keyNode, _) in node.pairs ?? [] {
            guard let key = keyNode.scalar else { continue }
            guard !known.contains(key) else { continue }
            var diagnostic = context.diagnostic(
                .unknownKey, "Unknown key '\(key)'. The key will be ignored.", hint: Suggestion.hint(for: key, among: known))
            diagnostic.help = "keys here: \(known.sorted().joined(separator: ", "))"
            diagnostic.excerpt = Excerpt(context.file, keyNode.start.offset..<max(keyNode.start.offset + 1, keyNode.end))
            report.warn(diagnostic)
        }
    }
}
