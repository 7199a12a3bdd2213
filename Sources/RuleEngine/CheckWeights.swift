// SPDX-License-Identifier: Apache-2.0
import Fields

/// What a check costs and how often it fails, estimated from its shape: for the order of checks only, so being wrong costs time and
/// nothing else. The unit of cost is a comparison of a number that the event carries.
struct CheckWeights {
    struct Weight {
        var cost: Double
        /// Between 0 and 1.
        var chanceOfFalse: Double
    }
    private let weights: [Weight]

    init(checks: [FlatCheck], expressions: [ValueExpression]) {
        let fieldCosts = expressions.map(Self.cost)
        weights = checks.map { check in
            var weight = Self.weight(of: check.opcode)
            if check.shape != .single { weight.cost *= Double(max(1, check.operandCount)) }
            weight.cost += fieldCosts[Int(check.left)]
            if check.right >= 0 { weight.cost += fieldCosts[Int(check.right)] }
            return weight
        }
    }

    func weight(of tree: ProgramBuilder.Folded) -> Weight {
        switch tree {
        case .constant(let value): return Weight(cost: 0, chanceOfFalse: value ? 0 : 1)
        case .check(let check): return weights[Int(check)]
        case .not(let child):
            let inner = weight(of: child)
            return Weight(cost: inner.cost, chanceOfFalse: 1 - inner.chanceOfFalse)
        case .and(let children):
            return children.map(weight).reduce(Weight(cost: 0, chanceOfFalse: 0)) { sum, next in
                let goesOn = 1 - sum.chanceOfFalse
                return Weight(cost: sum.cost + goesOn * next.cost, chanceOfFalse: 1 - goesOn * (1 - next.chanceOfFalse))
            }
        case .or(let children):
            return children.map(weight).reduce(Weight(cost: 0, chanceOfFalse: 1)) { sum, next in
                Weight(
                    cost: sum.cost + sum.chanceOfFalse * next.cost, chanceOfFalse: sum.chanceOfFalse * next.chanceOfFalse)
            }
        }
    }

    private static func cost(_ expression: ValueExpression) -> Double {
        guard let field = expression.field else { return 12 }
        let name = field.definition.name
        if field.definition.flags.contains(.anyOf) { return 12 }
        if name.hasPrefix("evt.arg") || name == "evt.info" || name == "evt.res" { return 8 }
        if name.hasPrefix("evt.") { return 1 }
        switch name {
        case "proc.name", "proc.exe", "proc.exepath", "proc.pid", "proc.tty": return 1
        case "proc.cmdline", "proc.args", "proc.exeline", "proc.pcmdline", "proc.env": return 6
        default: return name.hasPrefix("fs.path") ? 8 : 3
        }
    }

    private static func weight(of opcode: CheckOpcode) -> Weight {
        switch opcode {
        case .exists: Weight(cost: 1, chanceOfFalse: 0.2)
        case .numberEqual: Weight(cost: 1, chanceOfFalse: 0.6)
        case .numberNotEqual: Weight(cost: 1, chanceOfFalse: 0.2)
        case .numberIn: Weight(cost: 2, chanceOfFalse: 0.7)
        case .signedOrder, .unsignedOrder, .doubleOrder, .bytesOrder: Weight(cost: 1, chanceOfFalse: 0.3)
        case .bytesEqual, .addressEqual, .networkEqual: Weight(cost: 1, chanceOfFalse: 0.8)
        case .bytesNotEqual, .addressNotEqual, .networkNotEqual: Weight(cost: 1, chanceOfFalse: 0.3)
        case .bytesIn, .addressIn, .networkIn: Weight(cost: 2, chanceOfFalse: 0.9)
        case .startswith, .endswith: Weight(cost: 1, chanceOfFalse: 0.9)
        case .contains: Weight(cost: 4, chanceOfFalse: 0.95)
        case .glob, .iglob, .icontains: Weight(cost: 6, chanceOfFalse: 0.95)
        case .pmatch: Weight(cost: 4, chanceOfFalse: 0.9)
        case .regex: Weight(cost: 40, chanceOfFalse: 0.95)
        case .fields: Weight(cost: 3, chanceOfFalse: 0.5)
        }
    }
}
