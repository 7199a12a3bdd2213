// SPDX-License-Identifier: Apache-2.0

// What several rules ask is asked once, for all of them.

extension ProgramBuilder {
    /// Deeper than that, rules are asked one by one: recursion has an end, and so many questions in common are none that people
    /// write.
    private static let groupingDepthMax = 200

    /// A rule and what is left to ask of it; all of it has to hold. Conjuncts by number.
    private struct GroupedRule {
        let number: Int
        var conjuncts: [Int]
    }

    /// The conjuncts of the rules of one group of event codes, each once.
    private struct ConjunctTable {
        private(set) var trees: [Folded] = []
        private var numbers: [Folded: Int] = [:]
        /// By conjunct: how likely it is to rule out a rule, for its cost.
        private(set) var worths: [Double] = []

        mutating func number(of tree: Folded, _ weights: CheckWeights) -> Int {
            if let known = numbers[tree] { return known }
            let weight = weights.weight(of: tree)
            numbers[tree] = trees.count
            trees.append(tree)
            worths.append(weight.chanceOfFalse / weight.cost)
            return trees.count - 1
        }
    }

    mutating func emit(_ rules: [(rule: Int, tree: Folded)]) {
        let weights = CheckWeights(checks: checks, expressions: expressions)
        var table = ConjunctTable()
        let grouped = rules.map { rule, tree in
            switch tree {
            case .constant: GroupedRule(number: rule, conjuncts: [])
            case .and(let children): GroupedRule(number: rule, conjuncts: children.map { table.number(of: $0, weights) })
            default: GroupedRule(number: rule, conjuncts: [table.number(of: tree, weights)])
            }
        }
        emit(grouped, table, depth: 0)
        instructions.append(.init(opcode: .end, index: 0, onTrue: 0, onFalse: 0))
    }

    /// Of the conjuncts the one that is likely to rule out most rules for its cost comes first, then the rules that have it,
    /// without it, and behind them the others. Each rule stands in one place, so the code grows with the rules only; matches come
    /// out of order, the evaluator sorts them. O(n log n) in the conjuncts, per level.
    private mutating func emit(_ rules: [GroupedRule], _ table: ConjunctTable, depth: Int) {
        for rule in rules where rule.conjuncts.isEmpty { match(rule) }
        let left = rules.filter { !$0.conjuncts.isEmpty }
        guard left.count > 1, depth < Self.groupingDepthMax else {
            for rule in left { emitAlone(rule, table) }
            return
        }
        var users: [Int: [Int]] = [:]
        var order: [Int] = []
        for (position, rule) in left.enumerated() {
            for conjunct in rule.conjuncts {
                if users[conjunct] == nil { order.append(conjunct) }
                users[conjunct, default: []].append(position)
            }
        }
        var shares = users.mapValues(\.count)
        var candidates = CandidateHeap()
        for (place, conjunct) in order.enumerated() {
            let share = shares[conjunct]!
            candidates.push(.init(worth: Double(share) * table.worths[conjunct], place: place, conjunct: conjunct, share: share))
        }
        var isDone = [Bool](repeating: false, count: left.count)
        while var best = candidates.pop() {
            let share = shares[best.conjunct]!
            if share == 0 { continue }
            if share < best.share {
                // Rules that have it went with another conjunct: worth less now.
                best.share = share
                best.worth = Double(share) * table.worths[best.conjunct]
                candidates.push(best)
                continue
            }
            let having = users[best.conjunct]!.filter { !isDone[$0] }
            for position in having {
                isDone[position] = true
                for conjunct in left[position].conjuncts { shares[conjunct]! -= 1 }
            }
            var onTrue = Label()
            var onFalse = Label()
            emit(table.trees[best.conjunct], &onTrue, &onFalse)
            bind(onTrue)
            emit(
                having.map { position in
                    GroupedRule(
                        number: left[position].number, conjuncts: left[position].conjuncts.filter { $0 != best.conjunct })
                }, table, depth: depth + 1)
            bind(onFalse)
        }
    }

    /// One rule by itself: the same order, in one pass.
    private mutating func emitAlone(_ rule: GroupedRule, _ table: ConjunctTable) {
        let order = rule.conjuncts.enumerated().sorted {
            let (one, other) = (table.worths[$0.element], table.worths[$1.element])
            return one != other ? one > other : $0.offset < $1.offset
        }
        var onFalse = Label()
        for (_, conjunct) in order {
            var onTrue = Label()
            emit(table.trees[conjunct], &onTrue, &onFalse)
            bind(onTrue)
        }
        match(rule)
        bind(onFalse)
    }

    private mutating func match(_ rule: GroupedRule) {
        let next = Int32(instructions.count + 1)
        instructions.append(.init(opcode: .match, index: Int32(rule.number), onTrue: next, onFalse: next))
    }
}

/// The conjunct of the highest worth first, of equals the one that stands first.
private struct CandidateHeap {
    struct Candidate {
        var worth: Double
        let place: Int
        let conjunct: Int
        /// Rules that had it when `worth` was worked out.
        var share: Int
        func goesBefore(_ other: Candidate) -> Bool { worth != other.worth ? worth > other.worth : place < other.place }
    }
    private var items: [Candidate] = []

    mutating func push(_ candidate: Candidate) {
        items.append(candidate)
        var at = items.count - 1
        while at > 0, items[at].goesBefore(items[(at - 1) / 2]) {
            items.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    mutating func pop() -> Candidate? {
        guard let top = items.first else { return nil }
        items[0] = items[items.count - 1]
        items.removeLast()
        var at = 0
        while true {
            var first = at
            for child in [2 * at + 1, 2 * at + 2] where child < items.count && items[child].goesBefore(items[first]) {
                first = child
            }
            if first == at { return top }
            items.swapAt(at, first)
            at = first
        }
    }
}
