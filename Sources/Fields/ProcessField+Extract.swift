// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

extension ProcessField {
    /// Ancestors are followed so far; captures may hold loops.
    private static let levelsMax = 128
    /// How far `proc.aenv[NAME]` looks.
    private static let environmentLevelsMax = 20

    @inline(__always)
    static func extract(
        _ field: ProcessField, _ reference: FieldSelector, context: borrowing EventContext, state: SystemState,
        scratch: inout ExtractionScratch
    ) -> FieldValue {
        let slot = context.thread
        guard slot.exists else {
            return field == .tid ? identifier(context.event.tid) : field == .lastRunTime ? .uint(context.runTimeNs) : .none
        }
        switch field {
        // The fields that nearly every rule asks for, without a detour.
        case .name: return .bytes(state.pool[state[slot].comm])
        case .exe: return .bytes(state.pool[state[slot].exe])
        case .exePath: return .bytes(state.pool[state[slot].exepath])
        case .pid: return identifier(state[slot].pid)
        case .tid: return identifier(context.event.tid)
        case .tty: return .uint(UInt64(state[slot].tty))
        case .parentName:
            let parent = parent(of: slot, state)
            return parent.exists ? .bytes(state.pool[state[parent].comm]) : .none
        default:
            return extractOther(field, reference, slot, context: context, state: state, scratch: &scratch)
        }
    }

    private static func extractOther(
        _ field: ProcessField, _ reference: FieldSelector, _ slot: ThreadSlot, context: borrowing EventContext,
        state: SystemState,
        scratch: inout ExtractionScratch
    ) -> FieldValue {
        let pool = state.pool
        let isAnyOf = reference.flags.contains(.anyOf)
        switch field {
        case .name, .exe, .exePath, .pid, .tid, .tty, .parentName:
            preconditionFailure("extracted before")

        // Parents and ancestors
        case .parentExe, .parentExePath, .parentCommandLine, .parentPid, .parentVirtualPid, .parentDuration, .parentStartTime:
            let parent = parent(of: slot, state)
            guard parent.exists else { return .none }
            switch field {
            case .parentExe: return .bytes(pool[state[parent].exe])
            case .parentExePath: return .bytes(pool[state[parent].exepath])
            case .parentCommandLine: return line(.commandLine, of: parent, state, &scratch)
            case .parentPid: return knownIdentifier(state[parent].pid)
            case .parentVirtualPid: return virtualIdentifier(state[parent].vpid)
            case .parentDuration: return duration(since: state[parent].cloneTimeNs, context)
            default: return .uint(state[parent].cloneTimeNs)
            }
        case .ancestorExe, .ancestorExePath, .ancestorName, .ancestorArguments, .ancestorCommandLine, .ancestorPid:
            return ancestors(field, level: reference.number, isAnyOf: isAnyOf, slot, state, &scratch)
        case .ancestorEnvironment:
            if let name = reference.key { return nearestEnvironment(name, slot, state) }
            if reference.number == nil, !isAnyOf { return line(.environment, of: slot, state, &scratch) }
            return ancestors(field, level: reference.number, isAnyOf: isAnyOf, slot, state, &scratch)

        // The command line
        case .arguments:
            let words = pool[state[slot].args]
            if let index = reference.number { return words.word(Int(clamping: index)).map { .bytes($0) } ?? .none }
            return line(.arguments, of: slot, state, &scratch)
        case .commandLine, .exeLine: return line(field, of: slot, state, &scratch)
        case .argumentCount: return .uint(UInt64(count(of: pool[state[slot].args]).words))
        case .argumentLength: return .uint(UInt64(count(of: pool[state[slot].args]).bytes))
        case .environment:
            if let name = reference.key { return .bytes(pool[state[slot].env].value(of: name) ?? .empty) }
            return line(.environment, of: slot, state, &scratch)
        case .workingDirectory: return .bytes(workingDirectory(of: slot, state))
        case .loginShellPid:
            guard let main = main(of: slot, state) else { return .none }
            return topmostShell(main, state)

        // Numbers of the process
        case .virtualPid: return virtualIdentifier(state[slot].vpid)
        case .virtualTid: return virtualIdentifier(state[slot].vtid)
        case .sessionID: return .int(state[slot].sid)
        case .virtualGroupID: return .int(state[slot].vpgid)
        case .groupID: return .int(state[slot].pgid)
        case .isSessionLeader: return .bool(state[slot].sid == state[slot].vpid)
        case .isVirtualGroupLeader: return .bool(state[slot].vpgid == state[slot].vpid)
        case .isGroupLeader: return .bool(state[slot].pgid == state[slot].pid)
        case .sessionName, .sessionExe, .sessionExePath:
            return words(
                of: state.sessionLeader(of: slot), field == .sessionName ? .name : field == .sessionExe ? .exe : .exePath, state)
        case .virtualGroupName, .virtualGroupExe, .virtualGroupExePath:
            return words(
                of: state.virtualProcessGroupLeader(of: slot),
                field == .virtualGroupName ? .name : field == .virtualGroupExe ? .exe : .exePath, state)
        case .groupName, .groupExe, .groupExePath:
            return words(
                of: state.processGroupLeader(of: slot), field == .groupName ? .name : field == .groupExe ? .exe : .exePath, state)
        case .duration: return duration(since: state[slot].cloneTimeNs, context)
        case .startTime: return known(state[slot].cloneTimeNs)

        // The executable file
        case .exeIsWritable: return .bool(state[slot].exeWritable)
        case .exeIsUpperLayer: return .bool(state[slot].exeUpperLayer)
        case .exeIsLowerLayer: return .bool(state[slot].exeLowerLayer)
        case .exeIsFromMemfd: return .bool(state[slot].exeFromMemfd)
        case .exeInode: return state[slot].exeIno == 0 ? .none : .int(Int64(bitPattern: state[slot].exeIno))
        case .exeInodeChanged: return known(state[slot].exeInoCtimeNs)
        case .exeInodeModified: return known(state[slot].exeInoMtimeNs)
        case .exeChangedBeforeStart: return known(state[slot].exeInoCtimeDurationCloneNs)
        case .exeChangedAfterNamespace: return known(state[slot].exeInoCtimeDurationPidnsNs)
        case .namespaceStart: return known(state[slot].pidnsInitStartNs)
        case .capPermitted: return capabilities(state[slot].capPermitted, &scratch)
        case .capInheritable: return capabilities(state[slot].capInheritable, &scratch)
        case .capEffective: return capabilities(state[slot].capEffective, &scratch)

        // Descriptors and memory
        case .descriptorCount: return .uint(UInt64(state.descriptorCount(of: slot)))
        case .descriptorLimit: return .int(descriptorLimit(of: slot, state))
        case .descriptorUsage:
            let limit = descriptorLimit(of: slot, state)
            guard limit > 0 else { return .double(0) }
            return .double(min(100, Double(state.descriptorCount(of: slot)) * 100 / Double(limit)))
        case .virtualMemory: return main(of: slot, state).map { .uint(UInt64(state[$0].vmsizeKb)) } ?? .none
        case .residentMemory: return main(of: slot, state).map { .uint(UInt64(state[$0].vmrssKb)) } ?? .none
        case .swappedMemory: return main(of: slot, state).map { .uint(UInt64(state[$0].vmswapKb)) } ?? .none
        case .threadVirtualMemory: return .uint(state[slot].isMain ? UInt64(state[slot].vmsizeKb) : 0)
        case .threadResidentMemory: return .uint(state[slot].isMain ? UInt64(state[slot].vmrssKb) : 0)
        case .threadVirtualBytes: return .uint(state[slot].isMain ? UInt64(state[slot].vmsizeKb) * 1024 : 0)
        case .threadResidentBytes: return .uint(state[slot].isMain ? UInt64(state[slot].vmrssKb) * 1024 : 0)
        case .majorFaults: return .uint(state[slot].pfmajor)
        case .minorFaults: return .uint(state[slot].pfminor)
        case .stdinType, .stdoutType, .stderrType:
            let fd: Int64 = field == .stdinType ? 0 : field == .stdoutType ? 1 : 2
            guard let descriptor = state.descriptor(fd, of: slot) else { return .none }
            return .bytes(DescriptorText.word(descriptor.kind).map { Bytes($0) } ?? Bytes("<NA>"))
        case .stdinName, .stdoutName, .stderrName:
            let fd: Int64 = field == .stdinName ? 0 : field == .stdoutName ? 1 : 2
            guard let descriptor = state.descriptor(fd, of: slot) else { return .none }
            scratch.begin()
            DescriptorText.appendName(descriptor, state: state, to: &scratch)
            return .bytes(scratch.finish())

        // The thread
        case .isMain: return .bool(state[slot].isMain)
        case .nameAndTid:
            scratch.begin()
            scratch.append(pool[state[slot].comm])
            scratch.append(signed: context.event.tid)
            return .bytes(scratch.finish())
        case .cgroups: return pool[state[slot].cgroups].isEmpty ? .none : line(.cgroups, of: slot, state, &scratch)
        case .cgroup:
            guard let subsystem = reference.key, let path = pool[state[slot].cgroups].value(of: subsystem) else {
                return .none
            }
            return .bytes(path)
        case .threadCount: return .uint(UInt64(state.threadCount(of: slot)))
        case .childCount: return .uint(UInt64(state.childCount(of: slot)))
        case .lastRunTime: return .uint(context.runTimeNs)
        case .totalRunTime: return .uint(state[slot].totalRunTimeNs)
        // Only statistics events of old captures tell processor times.
        case .cpu, .cpuUser, .cpuSystem:
            guard let share = context.processorShare else { return .none }
            let percent = (field == .cpuSystem ? 0 : share.user) &+ (field == .cpuUser ? 0 : share.system)
            return .double(Double(min(100, percent)))
        }
    }

    // MARK: relatives

    /// The parent's main thread.
    @inline(__always)
    private static func parent(of slot: ThreadSlot, _ state: SystemState) -> ThreadSlot {
        let parent = state.parent(of: state.leader(of: slot))
        return parent.exists ? state.leader(of: parent) : .none
    }

    /// The main thread of the process, nil when it is not known.
    private static func main(of slot: ThreadSlot, _ state: SystemState) -> ThreadSlot? {
        if state[slot].isMain { return slot }
        if state[slot].isPlaceholder { return nil }
        let leader = state[slot].leader
        return leader.exists ? leader : nil
    }

    /// Level 0 is the process. None past the top.
    private static func ancestor(_ level: Int64, of slot: ThreadSlot, _ state: SystemState) -> ThreadSlot {
        guard level <= Int64(levelsMax), var at = main(of: slot, state) else { return .none }
        var left = level
        while left > 0 {
            let next = parent(of: at, state)
            guard next.exists else { return .none }
            at = next
            left -= 1
        }
        return at
    }

    /// One level, every ancestor as a list for a check, or all of them in a line for an output.
    private static func ancestors(
        _ field: ProcessField, level: Int64?, isAnyOf: Bool, _ slot: ThreadSlot, _ state: SystemState,
        _ scratch: inout ExtractionScratch
    ) -> FieldValue {
        if let level {
            let found = ancestor(level, of: slot, state)
            return found.exists ? value(field, of: found, state, &scratch) : .none
        }
        guard let main = main(of: slot, state) else { return .none }
        if !isAnyOf, field == .ancestorPid { return identifier(state[main].pid) }
        let start = scratch.listCount
        var at = parent(of: main, state)
        var levels = 0
        while at.exists, levels < levelsMax {
            let value = value(field, of: at, state, &scratch)
            if value.exists { scratch.push(value) }
            // A process that is its own ancestor would repeat without end.
            let next = parent(of: at, state)
            if next == at || next == main { break }
            at = next
            levels += 1
        }
        let count = scratch.listCount - start
        if isAnyOf { return .list(start: start, count: count) }
        scratch.begin()
        for index in start..<(start + count) {
            if index > start { scratch.append(UInt8(ascii: " ")) }
            if case .bytes(let text) = scratch.list[index] { scratch.append(text) }
        }
        return .bytes(scratch.finish())
    }

    private static func value(
        _ field: ProcessField, of slot: ThreadSlot, _ state: SystemState, _ scratch: inout ExtractionScratch
    ) -> FieldValue {
        switch field {
        case .ancestorExe: return .bytes(state.pool[state[slot].exe])
        case .ancestorExePath: return .bytes(state.pool[state[slot].exepath])
        case .ancestorName: return .bytes(state.pool[state[slot].comm])
        case .ancestorArguments: return line(.arguments, of: slot, state, &scratch)
        case .ancestorCommandLine: return line(.commandLine, of: slot, state, &scratch)
        case .ancestorEnvironment: return line(.environment, of: slot, state, &scratch)
        case .ancestorPid: return knownIdentifier(state[slot].pid)
        default: preconditionFailure("not a field of ancestors")
        }
    }

    private static func nearestEnvironment(_ name: Bytes, _ slot: ThreadSlot, _ state: SystemState) -> FieldValue {
        guard var at = main(of: slot, state) else { return .none }
        for _ in 0..<environmentLevelsMax {
            at = parent(of: at, state)
            // The top of the lineage: not set, as in `proc.env[NAME]`.
            guard at.exists else { break }
            if let value = state.pool[state[at].env].value(of: name), !value.isEmpty { return .bytes(value) }
        }
        return .bytes(.empty)
    }

    private static func topmostShell(_ main: ThreadSlot, _ state: SystemState) -> FieldValue {
        var at = main
        var found = FieldValue.none
        for _ in 0..<levelsMax {
            if state.pool[state[at].comm].hasSuffix(Bytes("sh")) { found = identifier(state[at].pid) }
            at = parent(of: at, state)
            guard at.exists, at != main else { break }
        }
        return found
    }

    // MARK: values

    /// Ids above 32 bits are made up by sandboxes to keep threads apart, and mean nothing to a user.
    @inline(__always)
    private static func identifier(_ id: Int64) -> FieldValue { id > Int64(UInt32.max) ? .none : .int(id) }
    @inline(__always)
    private static func virtualIdentifier(_ id: Int64) -> FieldValue { id < 0 ? .none : .int(id) }
    /// Threads that were never seen have the id -1.
    private static func knownIdentifier(_ id: Int64) -> FieldValue { id < 0 ? .none : identifier(id) }

    /// Times and numbers that are 0 where nobody told them.
    private static func known(_ value: UInt64) -> FieldValue { value == 0 ? .none : .uint(value) }

    private static func duration(since startNs: UInt64, _ context: borrowing EventContext) -> FieldValue {
        guard startNs != 0 else { return .none }
        let now = context.event.timestampNs
        return .uint(now > startNs ? now - startNs : 0)
    }

    private static func words(of slot: ThreadSlot, _ field: ProcessField, _ state: SystemState) -> FieldValue {
        guard slot.exists else { return .none }
        switch field {
        case .name: return .bytes(state.pool[state[slot].comm])
        case .exe: return .bytes(state.pool[state[slot].exe])
        default: return .bytes(state.pool[state[slot].exepath])
        }
    }

    /// Words of the process in one line.
    private static func line(
        _ field: ProcessField, of slot: ThreadSlot, _ state: SystemState, _ scratch: inout ExtractionScratch
    ) -> FieldValue {
        let pool = state.pool
        let blank = UInt8(ascii: " ")
        scratch.begin()
        switch field {
        case .environment: scratch.append(words: pool[state[slot].env], separator: blank)
        case .cgroups: scratch.append(words: pool[state[slot].cgroups], separator: blank)
        case .arguments: scratch.append(words: pool[state[slot].args], separator: blank)
        default:
            scratch.append(pool[field == .exeLine ? state[slot].exe : state[slot].comm])
            let arguments = pool[state[slot].args]
            // One empty argument is what programs leave that write over their command line.
            if arguments.count > 1 || arguments.count == 1 && arguments[0] != 0 {
                scratch.append(blank)
                scratch.append(words: arguments, separator: blank)
            }
        }
        return .bytes(scratch.finish())
    }

    private static func count(of words: Bytes) -> (words: Int, bytes: Int) {
        var rest = words
        var result = (words: 0, bytes: 0)
        while !rest.isEmpty {
            let word = rest.untilNul
            result.words += 1
            result.bytes += word.count
            rest = rest.from(min(rest.count, word.count + 1))
        }
        return result
    }

    /// The process's directory; `./` where its main thread was never seen.
    static func workingDirectory(of slot: ThreadSlot, _ state: SystemState) -> Bytes {
        guard let main = main(of: slot, state) else { return Bytes("./") }
        return state.cwd(of: main)
    }

    private static func descriptorLimit(of slot: ThreadSlot, _ state: SystemState) -> Int64 {
        state[main(of: slot, state) ?? slot].fdlimit
    }

    private static func capabilities(_ set: UInt64, _ scratch: inout ExtractionScratch) -> FieldValue {
        scratch.begin()
        var isFirst = true
        for (number, name) in LinuxNames.capabilities.enumerated() where set & (1 << UInt64(number)) != 0 {
            if !isFirst { scratch.append(UInt8(ascii: " ")) }
            scratch.append(name)
            isFirst = false
        }
        return .bytes(scratch.finish())
    }
}
