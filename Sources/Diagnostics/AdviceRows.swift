// SPDX-License-Identifier: Apache-2.0

extension Advice {
    /// In order; the first sentence that fits counts.
    static let rows: [Row] = yaml + shape + overrides + exceptions + items + versions + warnings

    /// What libyaml says. Where indentation is wrong, it complains about the first line that does not fit any more.
    private static let yaml: [Row] = [
        .init(
            "found character that cannot start any token*", "this character cannot begin a value here",
            "a tab cannot indent (use blanks), and a value that begins with @ ` % or a tab needs quotes"),
        .init(
            "found a tab character*", "a tab stands where YAML wants blanks", "indent with blanks only"),
        .init(
            "mapping values are not allowed in this context*", "a ':' with a blank behind it cannot stand here",
            "if it begins a key: indent it as far as the other keys of its item; if it belongs to a text: put the text into\n"
                + "quotes, or write it below 'key: >'"),
        .init(
            "did not find expected key*", "this line does not fit the item that it stands in",
            "indent all keys of an item equally; a text that goes on behind its closing quote, or begins with [ or {, needs quotes"
        ),
        .init(
            "did not find expected '-' indicator*", "a list item or the end of the list is expected here",
            "begin each item with '- ' in the same column, and indent its keys two blanks further"),
        .init(
            "could not find expected ':'*", "a key without ':' in the line before, or a text that is not indented",
            "write 'key: value'; lines of a text have to be indented further than its key"),
        .init(
            "did not find expected ',' or ']'*", "a list that begins with '[' is not closed",
            "separate its items by ',' and close it with ']'; an item with , [ ] { } or ': ' in it needs quotes"),
        .init(
            "did not find expected ',' or '}'*", "a mapping that begins with '{' is not closed",
            "separate its entries by ',' and close it with '}'; for a text that begins with '{' use quotes"),
        .init(
            "found unexpected end of stream*", "a text in quotes is not closed before the file ends",
            "add the closing quote; within '…' a quote is written twice, within \"…\" as \\\""),
        .init(
            "found unexpected document indicator*", "a text in quotes is not closed",
            "add the closing quote before '---' or '...'"),
        .init(
            "found unknown escape character*", "this is no escape of a text in double quotes",
            "double the backslash, or use single quotes or 'key: >', where a backslash is just that"),
        .init(
            "did not find expected alphabetic or numeric character*",
            "'*' and '&' have a meaning of their own at the start of a value",
            "put the value into quotes"),
        .init(
            "block sequence entries are not allowed in this context*", "a '- ' cannot begin a list here",
            "begin a list in a line of its own below its key, or write it as [a, b]"),
        .init(
            "did not find expected <document start>*", "there is something behind the end of the first value",
            "a rules file is one list: begin every item with '- ' in the first column"),
        .init(
            "found undefined tag handle*", "'!' begins a tag of YAML here", "put a value that begins with '!' into quotes"),
        .init(
            "found a tab character that violates indentation*", "a tab stands where YAML wants blanks", "indent with blanks only"),
        .init(
            "found character '%' that cannot start any token*", "a value cannot begin with '%'", "put the value into quotes"),
        .init(
            "the alias '*' refers to no anchor before it*", "'*{1}' refers to nothing",
            "for a text that begins with '*' use quotes; an anchor is defined by '&{1}' in front of a value"),
        .init("the file is not text:*", nil, "save the file as UTF-8; check that it is a rules file and not damaged"),
        .init(
            "values are nested deeper than *", nil, "no rules file needs that; look for a '-' or '[' too many"),
    ]

    private static let shape: [Row] = [
        .init(
            "Rules content is not yaml array of objects", "the file is one mapping, not a list of items",
            "begin every rule, macro and list with '- ' in the first column, as in\n- rule: name\n  desc: …"),
        .init(
            "Rules content is not yaml*", "the file is one text, not a list of items",
            "begin every rule, macro and list with '- ' and its kind, as in\n- rule: name\n  desc: …"),
        .init(
            "Unexpected element type. Each element should be a yaml associative array.",
            "an item of a rules file consists of keys and values",
            "write '- rule: name', '- macro: name' or '- list: name', and its keys below"),
        .init(
            "Unknown top level item*", "this item is neither rule, macro nor list, and is left out",
            "an item begins with one of: rule, macro, list, required_engine_version, required_plugin_versions"),
        .init("Item has no mapping for key 'priority'", "{item} has no priority", "add 'priority: WARNING' or another one to it"),
        .init(
            "Item has no mapping for key 'output'", "{item} has no output",
            "add 'output: text with %fields'; to change one key of a rule that exists, add 'override: {key: replace}'"),
        .init(
            "Item has no mapping for key 'desc'", "{item} has no description",
            "add 'desc: text'; to change one key of a rule that exists, add 'override: {key: replace}'"),
        .init(
            "Item has no mapping for key 'condition'", "{item} has no condition",
            "add 'condition: …' to it, in the column of its other keys"),
        .init("Item has no mapping for key 'items'", "{item} has no items", "add 'items: [a, b]'; an empty list is 'items: []'"),
        .init("Item has no mapping for key 'name'", "{item} has no name", "add 'name: …' to it"),
        .init("Item has no mapping for key 'version'", "the requirement has no version", "add 'version: 1.2.3' below the name"),
        .init(
            "Item has no mapping for key 'enabled'", "{item} has nothing but a name",
            "a new rule needs condition, output, desc and priority"),
        .init("Item has no mapping for key 'fields'", "{item} has no fields", "add 'fields: [proc.name, fd.name]' to it"),
        .init(
            "Item has no mapping for key '*'", "{item} has no key '{1}'", "add '{1}: …' to it, in the column of its other keys"),
        .init(
            "Mapping for key '*' is empty", "'{1}' of {item} has no value",
            "write the value behind '{1}:', or below it, indented further, behind '{1}: >'"),
        .init(
            "Value is not a scalar value", "a single value is expected here, not a list or a mapping",
            "a text that begins with [ or {, or has ': ' in it, needs quotes"),
        .init("Value must be non-empty", "this value is empty", "write something between the quotes, or leave the key out"),
        .init(
            "Value is not a sequence", "a list is expected here, and this is a single value",
            "write [a, b], or each item in a line of its own behind '- '"),
        .init("Can't decode YAML scalar value", "'{text}' is not a value of the kind that is expected here"),
        .init(
            "Invalid priority", "'{text}' is no priority"),
    ]

    private static let overrides: [Row] = [
        .init(
            "Key '*' cannot be appended to, use 'replace' instead", "nothing can be appended to '{1}'", "write '{1}: replace'"),
        .init(
            "Key '*' cannot be *", "'{1}' is no key that 'override' can change",
            "of a rule: condition, output, desc, tags, exceptions (append or replace), priority, enabled, warn_evttypes,\n"
                + "skip-if-unknown-filter, capture, capture_duration (replace); of a macro: condition; of a list: items"),
        .init(
            "Invalid override operation for key '*': '*'. Allowed values are: *", "'{2}' is no way to override '{1}'",
            "write one of: {3}"),
        .init(
            "An * override for '*' was specified but '*' is not defined",
            "'override' speaks of '{2}', which {item} does not have",
            "add '{2}: …' to the item, or take '{2}: {1}' out of 'override'"),
        .init(
            "Unexpected key '*': no corresponding entry under 'override' is defined.",
            "'override' does not say what to do with '{1}'",
            "write below 'override' either '{1}: replace' or, where that is possible, '{1}: append'; or leave the key out"),
        .init(
            "Keys 'override' and 'append: true' cannot be used together*", "'append' and 'override' do not go together",
            "take 'append' out, and write below 'override' which keys are appended, as in 'condition: append'"),
        .init(
            "Value of override must be a mapping", "'override' names keys and what to do with each",
            "as in\noverride:\n  condition: append"),
        .init(
            "Appended rule must have exceptions or condition property", "{item} appends nothing",
            "add a condition or exceptions to it; other keys are appended with 'override'"),
        .init(
            "Rule uses 'append' or *", "there is no {item} to append to",
            "the rule has to come before, in this file or in one loaded earlier; its name has to be the same letter by letter"),
        .init(
            "Macro uses 'append' or *", "there is no {item} to append to",
            "the macro has to come before, in this file or in one loaded earlier; its name has to be the same letter by letter"),
        .init(
            "List uses 'append' or *", "there is no {item} to append to",
            "the list has to come before, in this file or in one loaded earlier; its name has to be the same letter by letter"),
        .init(
            "An 'override.<key>: replace' to a rule was requested*", "there is no {item} to override",
            "the rule has to come before, in this file or in one loaded earlier; its name has to be the same letter by letter"),
        .init(
            "Rule has 'enabled' key but no rule by that name already exists", "there is no {item} to switch on or off",
            "the rule has to come before, in this file or in one loaded earlier; a new rule needs condition, output, desc, priority"
        ),
        .init(
            "Rule has been re-defined with a different source", "{item} exists already, for another event source",
            "give this one another name, or the same source"),
    ]

    private static let exceptions: [Row] = [
        .init(
            "Fields and comps lists must have equal length", "{item} has not as many comps as fields",
            "give one operator for each field, in the same order, or leave 'comps' out for '='"),
        .init(
            "Fields and values lists must have equal length", "a value of {item} has not as many parts as there are fields",
            "each value is a list with one part for each field, as in\nvalues:\n  - [nginx, /etc/passwd]"),
        .init(
            "Fields and comps must both be strings", "one field takes one operator, not a list",
            "write 'comps: in'; or make 'fields' a list too"),
        .init(
            "When fields is a single value, comps must be one of*",
            "with a single field the operator has to be one that takes a list",
            "write 'comps: in', pmatch, intersects, or 'startswith oneof' and its kin; or make 'fields' a list: [field]"),
        .init(
            "'*' is not a supported comparison operator", "'{1}' is no operator for an exception",
            "write one for each field: = != < <= > >= in contains startswith endswith glob regex pmatch intersects and their kin,\n"
                + "or two words such as 'startswith oneof'"),
        .init("'*' is not a supported filter field", "unknown field '{1}'", "`falco --list` prints all fields"),
        .init(
            "Rule exception item must have fields property*", "{item} has no fields", "add 'fields: [proc.name, fd.name]' to it"),
        .init(
            "Rule exception must have fields property*", "there is no {item} yet, and a new one needs fields",
            "add 'fields: […]'; to add values to one that exists use its name, letter by letter"),
        .init("Rule exception must have values property*", "{item} is new and has no values", "add 'values: […]' to it"),
        .init(
            "Can not append exception * to existing exception, only values", "{item} exists; only values can be added to it",
            "take '{1}' out, or use 'override: {exceptions: replace}' with the whole exceptions"),
        .init("Rule exceptions must be a sequence", "'exceptions' is a list", "begin each exception with '- name: …'"),
        .init(
            "Rule exception must be a mapping", "an exception has a name, fields and values",
            "as in\n- name: known\n  fields: [proc.name]\n  values: [[nginx]]"),
        .init(
            "Rule exception values must be a sequence", "'values' is a list",
            "write 'values: [a, b]' for one field, 'values: [[a, b], [c, d]]' for two"),
        .init(
            "Expected values array to contain a list of strings", "with a single field each value is a single word",
            "write 'values: [a, b]', or make 'fields' a list too"),
    ]

    private static let items: [Row] = [
        .init("Invalid severity level: *", "'{1}' is no priority")
    ]

    private static let versions: [Row] = [
        .init(
            "Rules require engine version *, but engine version is *", "the file needs engine {1}; this program has {2}",
            "update the program, or take an older version of the rules"),
        .init(
            "Unable to parse engine version '*' as a semver string*", "'{1}' is no version",
            "write a number, or three of them: 0.31.0"),
        .init(
            "Invalid required version '*' for plugin '*'", "'{1}' is no version of the plugin '{2}'",
            "write three numbers, as in 1.2.3"),
        .init(
            "Value of required_plugin_versions must be a sequence", "'required_plugin_versions' is a list",
            "as in\n- required_plugin_versions:\n  - name: json\n    version: 0.7.0"),
    ]

    private static let warnings: [Row] = [
        .init(
            "Unknown source *, skipping", "no event source is named '{1}', so {item} is left out",
            "sources beside 'syscall' come with plugins, which have to be loaded"),
        .init("Unknown key '*'. The key will be ignored.", "'{1}' is no key of {item}, and is ignored"),
        .init(
            "'append' key is deprecated.*", "'append' is deprecated",
            "instead of 'append: true' write which keys are appended:\noverride:\n  condition: append"),
        .init(
            "The standalone 'enabled' key usage is deprecated.*", "'enabled' without 'override' is deprecated",
            "add\noverride:\n  enabled: replace"),
        .init(
            "Macro not referred to by any other rule/macro", "no rule and no macro uses {item}",
            "take it out, unless another file uses it"),
        .init(
            "List not referred to by any other rule/macro", "no rule, macro or list uses {item}",
            "take it out, unless another file uses it"),
        .init(
            "Rule matches too many evt.type values. This has a significant performance penalty.",
            "{item} does not say which events it is about, so it is evaluated for nearly all"),
        .init(
            "Macro has an invalid name.*", "conditions cannot refer to {item}: such a name is not read as one",
            "a name begins with a letter and goes on with letters, digits and '_'"),
        .init(
            "List has an invalid name.*", "conditions cannot refer to {item}: such a name is not read as one",
            "a name has no blanks and none of ( ) \" ' = ,"),
        .init(
            "Overriding/appending exception with no values", "{item} adds no values, so it changes nothing",
            "add 'values: …' to it"),
        .init(
            "Multiple definitions of exception '*' in the same rule", "the rule has two exceptions with the name '{1}'",
            "give each its own name; what is appended later goes to the first only"),
        .init(
            "usage of deprecated field '*' has been detected in the rule output", "the field '{1}' is deprecated",
            "take it out of the output"),
        .init("%container.info is deprecated*", "'%container.info' is deprecated and was taken out of the output"),
    ]
}
