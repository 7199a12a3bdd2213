// SPDX-License-Identifier: Apache-2.0
import CLinux
import EventModel

/// Byte strings for `in`: open addressing, one hash and as a rule one comparison per look-up.
/// Plain memory over constants that live elsewhere; whoever made it calls `deallocate`.
struct ByteSet {
    private struct Entry {
        var base: UnsafePointer<UInt8>
        var count: Int
        var hash: UInt64
        var isUsed: Bool
    }
    private let entries: UnsafeMutablePointer<Entry>
    private let mask: Int
    private let countMin: Int
    private let countMax: Int
    /// Chosen per program, so that nobody outside can prepare collisions.
    private let seed: UInt64

    init(_ members: [Bytes], seed: UInt64) {
        var capacity = 4
        while capacity < members.count * 2 { capacity *= 2 }
        self.seed = seed
        mask = capacity - 1
        countMin = members.map(\.count).min() ?? 1
        countMax = members.map(\.count).max() ?? 0
        entries = .allocate(capacity: capacity)
        entries.initialize(repeating: Entry(base: Bytes.empty.base, count: 0, hash: 0, isUsed: false), count: capacity)
        for member in members {
            let hash = member.hash(seed: seed)
            var slot = Int(truncatingIfNeeded: hash) & mask
            while entries[slot].isUsed { slot = (slot + 1) & mask }
            entries[slot] = Entry(base: member.base, count: member.count, hash: hash, isUsed: true)
        }
    }

    func contains(_ value: Bytes) -> Bool {
        guard value.count >= countMin, value.count <= countMax else { return false }
        let hash = value.hash(seed: seed)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while entries[slot].isUsed {
            let entry = entries + slot
            if entry.pointee.hash == hash, entry.pointee.count == value.count,
                memcmp(entry.pointee.base, value.base, value.count) == 0
            {
                return true
            }
            slot = (slot &+ 1) & mask
        }
        return false
    }

    func deallocate() { entries.deallocate() }
}

/// Pairs of words for `in`: numbers as (value, 0), addresses as they lie in memory. As `ByteSet` otherwise.
struct WordSet {
    private struct Entry {
        var first: UInt64
        var second: UInt64
        var isUsed: Bool
    }
    private let entries: UnsafeMutablePointer<Entry>
    private let mask: Int

    init(_ members: [(UInt64, UInt64)]) {
        var capacity = 4
        while capacity < members.count * 2 { capacity *= 2 }
        mask = capacity - 1
        entries = .allocate(capacity: capacity)
        entries.initialize(repeating: Entry(first: 0, second: 0, isUsed: false), count: capacity)
        for (first, second) in members {
            var slot = Self.hash(first, second) & mask
            while entries[slot].isUsed { slot = (slot + 1) & mask }
            entries[slot] = Entry(first: first, second: second, isUsed: true)
        }
    }

    @inline(__always)
    private static func hash(_ first: UInt64, _ second: UInt64) -> Int {
        var hash = (first ^ (second &* 0xff51_afd7_ed55_8ccd)) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 32
        return Int(truncatingIfNeeded: hash)
    }

    func contains(_ first: UInt64, _ second: UInt64) -> Bool {
        var slot = Self.hash(first, second) & mask
        while entries[slot].isUsed {
            if entries[slot].first == first, entries[slot].second == second { return true }
            slot = (slot &+ 1) & mask
        }
        return false
    }

    func deallocate() { entries.deallocate() }
}

/// Paths for `pmatch`, as a tree of components: holds when a path is the value or one of its ancestors.
/// A component with `*`, `?` or `[` is a glob for that one component. As `ByteSet` otherwise.
struct PathTree {
    private struct Node {
        /// A path ends here.
        var isEnd = false
        var globStart = 0
        var globCount = 0
        var hasNames = false
    }
    private struct Name {
        var base: UnsafePointer<UInt8>
        var count: Int
        var hash: UInt64
        var parent: Int32
        var child: Int32  // -1: free
    }
    private struct GlobChild {
        var pattern: GlobPattern
        var child: Int32
    }
    private let nodes: UnsafeMutablePointer<Node>
    private let names: UnsafeMutablePointer<Name>
    private let nameMask: Int
    private let globs: UnsafeMutablePointer<GlobChild>
    private let globCount: Int
    private let seed: UInt64

    init(_ paths: [Bytes], seed: UInt64) {
        // First as dictionaries, then laid out flat.
        final class Draft {
            var isEnd = false
            var names: [[UInt8]: (text: Bytes, node: Draft)] = [:]
            var globs: [[UInt8]: (text: Bytes, node: Draft)] = [:]
            var number = 0
        }
        let root = Draft()
        for path in paths {
            var node = root
            var offset = 0
            while let component = Self.component(path, from: &offset) {
                let key = component.array
                let isGlob = key.contains { "*?[".utf8.contains($0) }
                if let known = isGlob ? node.globs[key] : node.names[key] {
                    node = known.node
                } else {
                    let child = Draft()
                    if isGlob { node.globs[key] = (component, child) } else { node.names[key] = (component, child) }
                    node = child
                }
            }
            node.isEnd = true
        }
        var order = [root]
        var index = 0
        while index < order.count {
            order[index].number = index
            order.append(contentsOf: order[index].names.values.map(\.node))
            order.append(contentsOf: order[index].globs.values.map(\.node))
            index += 1
        }
        nodes = .allocate(capacity: order.count)
        var capacity = 4
        while capacity < order.count * 2 { capacity *= 2 }
        nameMask = capacity - 1
        names = .allocate(capacity: capacity)
        names.initialize(repeating: Name(base: Bytes.empty.base, count: 0, hash: 0, parent: 0, child: -1), count: capacity)
        self.seed = seed
        globCount = order.reduce(0) { $0 + $1.globs.count }
        globs = .allocate(capacity: max(1, globCount))
        var nextGlob = 0
        for node in order {
            var flat = Node(isEnd: node.isEnd, globStart: nextGlob, globCount: node.globs.count, hasNames: !node.names.isEmpty)
            if node.isEnd { flat = Node(isEnd: true) }  // what lies deeper cannot matter
            (nodes + node.number).initialize(to: flat)
            for glob in node.globs.values {
                (globs + nextGlob).initialize(
                    to: GlobChild(pattern: GlobPattern(glob.text, ignoringCase: false), child: Int32(glob.node.number)))
                nextGlob += 1
            }
            for name in node.names.values {
                let hash = Self.hash(name.text, parent: Int32(node.number), seed: seed)
                var slot = Int(truncatingIfNeeded: hash) & nameMask
                while names[slot].child >= 0 { slot = (slot + 1) & nameMask }
                names[slot] = Name(
                    base: name.text.base, count: name.text.count, hash: hash, parent: Int32(node.number),
                    child: Int32(name.node.number))
            }
        }
    }

    func deallocate() {
        for index in 0..<globCount { globs[index].pattern.deallocate() }
        globs.deallocate()
        names.deallocate()
        nodes.deallocate()
    }

    func matches(_ path: Bytes) -> Bool { matches(path, from: 0, node: 0) }

    /// Recursion as deep as the longest constant path has globs; each node is visited once at most.
    private func matches(_ path: Bytes, from start: Int, node: Int32) -> Bool {
        var (node, offset) = (node, start)
        while true {
            let here = nodes[Int(node)]
            if here.isEnd { return true }
            guard let component = Self.component(path, from: &offset) else { return false }
            for index in here.globStart..<here.globStart &+ here.globCount where globs[index].pattern.matches(component) {
                if matches(path, from: offset, node: globs[index].child) { return true }
            }
            guard here.hasNames, let child = child(of: node, named: component) else { return false }
            node = child
        }
    }

    private func child(of node: Int32, named name: Bytes) -> Int32? {
        let hash = Self.hash(name, parent: node, seed: seed)
        var slot = Int(truncatingIfNeeded: hash) & nameMask
        while names[slot].child >= 0 {
            let entry = names + slot
            if entry.pointee.hash == hash, entry.pointee.parent == node, entry.pointee.count == name.count,
                memcmp(entry.pointee.base, name.base, name.count) == 0
            {
                return entry.pointee.child
            }
            slot = (slot &+ 1) & nameMask
        }
        return nil
    }

    @inline(__always)
    private static func hash(_ name: Bytes, parent: Int32, seed: UInt64) -> UInt64 {
        name.hash(seed: seed ^ UInt64(UInt32(bitPattern: parent)) &* 0x9e37_79b9_7f4a_7c15)
    }

    /// The next component that is not empty; `offset` moves behind it.
    @inline(__always)
    static func component(_ path: Bytes, from offset: inout Int) -> Bytes? {
        while offset < path.count, path.base[offset] == UInt8(ascii: "/") { offset &+= 1 }
        let start = offset
        while offset < path.count, path.base[offset] != UInt8(ascii: "/") { offset &+= 1 }
        return offset > start ? path[start..<offset] : nil
    }
}
