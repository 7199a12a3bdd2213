// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CProbeABI
import Capture
import EventModel
import LinuxSystem

/// Live events of this machine from our eBPF probe.
///
/// Order of use: `init` (load) → `setInterest` → `attach` → `snapshot` → `nextBatch` … → `close`. Whoever follows one command
/// calls `finish` when it has ended: the next batches then deliver what is left, and `end`.
public final class ProbeSource: EventSource {
    let options: ProbeOptions
    let loaded: LoadedProbe
    private(set) var proc: ProcFilesystem
    private let rings: RingSet
    let enterHooks: EnterHooks
    private let settingsMemory: MappedMemory
    private let controlMemory: MappedMemory
    private let poller: Poller
    /// Signal it to end a waiting `nextBatch` from another thread.
    public let wakeUp: WakeUp
    public let ringCount: Int
    let possibleCPUs: Int

    private var interest = InterestSet()
    public private(set) var isAttached = false
    private var isEnding = false
    private(set) var isClosed = false
    private(set) var anchor = ClockAnchor()
    private var anchoredNs: UInt64 = 0
    private var countersAtClose: CaptureCounters?
    /// Optional programs that a rule asked for and that could not be attached, a sentence each.
    private(set) var missing: [String] = []
    // Questions between two batches: ProbeSource+Lookup.swift, RepairPass.swift.
    var lookupBudget = LookupBudget()
    var knownHostStartNs: UInt64?
    var repairPass: RepairPass?
    public private(set) var deliveredThroughNs: UInt64 = 0
    /// How the first scan was done; nil before it.
    public internal(set) var snapshotReport: SnapshotReport?

    // Pace of the drain.
    private var intervalNs = ProbeSource.intervalMinNs
    private var lastDrainNs: UInt64 = 0
    private var emptyDrains = 0
    /// The last batch was full: more is ready, so the next drain does not wait.
    private var isBehind = false

    static let intervalMinNs: UInt64 = 1_000_000
    static let intervalMaxNs: UInt64 = 8_000_000
    /// Younger events wait: another CPU may still be writing an older one.
    static let settleNs: UInt64 = 1_000_000
    static let anchorIntervalNs: UInt64 = 100_000_000
    static let emptyDrainsBeforeSleep = 4
    /// With fewer events than this in a drain, the next one is later; with more than eight times as many, sooner.
    static let eventsPerDrainMin = 32

    /// Loads the probe into the kernel; nothing is attached yet. Takes the verifier about 0.4 s.
    public init(_ options: ProbeOptions = ProbeOptions()) throws(CaptureError) {
        if case .unavailable(let reason) = Self.probeSupport() { throw CaptureError(reason) }
        guard options.ringBytes >= MappedMemory.pageBytes, options.ringBytes & (options.ringBytes - 1) == 0,
            options.ringBytes <= 1 << 31
        else {
            throw CaptureError(
                "a ring of \(options.ringBytes) bytes is not possible: its size is a power of two of at least a page")
        }
        if case .tree(let pids) = options.scope, let bad = pids.first(where: { $0 <= 0 }) {
            throw CaptureError("\(bad) is no process whose tree can be watched")
        }
        self.options = options
        proc = ProcFilesystem(hostRoot: options.hostRoot)
        let online = Machine.onlineCPUs
        possibleCPUs = max(online, Machine.possibleCPUs)
        let share = options.cpusForEachBuffer <= 0 ? online : options.cpusForEachBuffer
        ringCount = min(Int(PROBE_RING_MAX), (online + share - 1) / share)
        guard possibleCPUs <= Int(PROBE_CPU_MAX) else {
            throw CaptureError("this machine may have \(possibleCPUs) CPUs, the probe is built for \(PROBE_CPU_MAX)")
        }
        loaded = try LoadedProbe(
            ringCount: ringCount, ringBytes: options.ringBytes, possibleCPUs: possibleCPUs,
            without: EnterHooks.unused(options).union(
                options.useIterators && Self.isInHostPidNamespace ? [] : ProbeProgram.iterators))
        enterHooks = EnterHooks(loaded, options)
        rings = try Self.makeRings(loaded, count: ringCount, bytes: options.ringBytes)
        let page = MappedMemory.pageBytes
        do throws(Errno) {
            poller = try Poller()
            wakeUp = try WakeUp()
            try poller.add(wakeUp.descriptor, token: 0)
            // Edge-triggered: a ring with events in it is the normal case, only its bell ends a wait.
            for (index, ring) in rings.descriptors.enumerated() {
                try poller.add(ring, token: UInt64(index + 1), edgeTriggered: true)
            }
        } catch { throw CaptureError("could not make a poller: \(error)") }
        do {
            settingsMemory = try MappedMemory(fd: try loaded.mapDescriptor("settings"), count: page, writable: true)
            let controlBytes = (ringCount * MemoryLayout<probe_ring_control>.stride + page - 1) / page * page
            controlMemory = try MappedMemory(fd: try loaded.mapDescriptor("ring_control"), count: controlBytes, writable: true)
        } catch let error as Errno {
            throw CaptureError("could not map the probe's settings: \(error)")
        } catch let error as CaptureError {
            throw error
        } catch { preconditionFailure("only these two are thrown above") }
        try prepare(share: share)
    }

    private static func makeRings(_ loaded: LoadedProbe, count: Int, bytes: Int) throws(CaptureError) -> RingSet {
        var descriptors: [Int32] = []
        do throws(CaptureError) {
            for index in 0..<count {
                let ring = probe_ring_create("falco_ring", UInt32(bytes))
                guard ring >= 0 else { throw CaptureError("could not create ring \(index) of \(bytes) bytes: \(Errno(-ring))") }
                descriptors.append(ring)
                try loaded.update("rings", UInt32(index), ring)
            }
        } catch {
            descriptors.forEach(closeDescriptor)
            throw error
        }
        do throws(Errno) {
            return try RingSet(descriptors: descriptors, bytes: bytes)
        } catch { throw CaptureError("could not map the rings: \(error)") }
    }

    private func prepare(share: Int) throws(CaptureError) {
        // Every possible CPU has its ring, so one that comes up later needs nobody.
        for cpu in 0..<possibleCPUs { try loaded.update("ring_of_cpu", UInt32(cpu), UInt32((cpu / share) % ringCount)) }
        try loaded.fillExitTable()
        let settings = settingsMemory.base.assumingMemoryBound(to: probe_settings.self)
        settings.pointee.abi_version = UInt32(PROBE_ABI_VERSION)
        settings.pointee.ring_count = UInt32(ringCount)
        settings.pointee.snaplen = options.snaplen
        settings.pointee.dynamic_snaplen = options.dynamicSnaplen ? 1 : 0
        settings.pointee.fullcapture_first = options.fullcapturePorts?.lowerBound ?? 0
        settings.pointee.fullcapture_last = options.fullcapturePorts?.upperBound ?? 0
        settings.pointee.statsd_port = options.statsdPort
        settings.pointee.drop_failed = options.dropFailed ? 1 : 0
        settings.pointee.agent_tgid = UInt32(bitPattern: ownPid())
        if !Self.isInHostPidNamespace, let own = try? Files.status("/proc/self/ns/pid") {
            settings.pointee.pidns_inode = own.inode
            settings.pointee.pidns_device = UInt64(own.device)
        }
        settings.pointee.scope_mode =
            switch options.scope {
            case .host: UInt32(PROBE_SCOPE_HOST.rawValue)
            case .tree: UInt32(PROBE_SCOPE_TREE.rawValue)
            case .cgroups: UInt32(PROBE_SCOPE_CGROUP.rawValue)
            }
        if case .cgroups(let references) = options.scope { try enter(references) }
    }

    // MARK: attaching

    /// Attaches the scheduler's hooks, then fills a tree's scope, then attaches what the interest set asks for.
    public func attach() throws(CaptureError) {
        precondition(!isAttached && !isClosed, "attached once")
        for program in ProbeProgram.always { try loaded.attach(program) }
        if case .tree(let pids) = options.scope { try enterTrees(pids) }
        isAttached = true
        try attachWanted()
    }

    public func setInterest(_ interest: InterestSet) throws(CaptureError) {
        self.interest = interest
        let base = settingsMemory.base
        let wanted = (base + MemoryLayout<probe_settings>.offset(of: \.wanted)!).assumingMemoryBound(to: UInt64.self)
        for (index, word) in interest.words.enumerated() { settings_store(wanted + index, word) }
        base.assumingMemoryBound(to: probe_settings.self).pointee.kernel_records = interest.kernelRecords ? 1 : 0
        base.assumingMemoryBound(to: probe_settings.self).pointee.sched_events = Self.schedEvents(interest)
        if isAttached { try attachWanted() }
    }

    /// Process starts and ends come from the scheduler's hooks; an end is always reported, since the state needs it.
    static func schedEvents(_ interest: InterestSet) -> UInt32 {
        var bits = UInt32(PROBE_SCHED_EXIT.rawValue)
        func wants(_ names: Set<String>, _ codes: [UInt16]) -> Bool {
            EventTable.syscalls.contains { names.contains($0.name) && interest.contains(syscall: $0.number) }
                || codes.contains { interest.events.contains($0) }
        }
        if wants(["execve", "execveat"], [PPME_SYSCALL_EXECVE_19_X.code, PPME_SYSCALL_EXECVEAT_X.code]) {
            bits |= UInt32(PROBE_SCHED_EXEC.rawValue)
        }
        let clones = [
            PPME_SYSCALL_CLONE_20_X.code, PPME_SYSCALL_FORK_20_X.code, PPME_SYSCALL_VFORK_20_X.code, PPME_SYSCALL_CLONE3_X.code,
        ]
        if wants(["clone", "clone3", "fork", "vfork"], clones) { bits |= UInt32(PROBE_SCHED_FORK.rawValue) }
        return bits
    }

    private func attachWanted() throws(CaptureError) {
        let settings = settingsMemory.base.assumingMemoryBound(to: probe_settings.self)
        if interest.isEmptyOfSyscalls { loaded.detach(.sysExit) } else { try loaded.attach(.sysExit) }
        enterHooks.attach(interest) { settings.pointee.enter_mode = $0.rawValue }
        missing = []
        for program in ProbeProgram.allCases {
            guard let event = program.optionalEvent else { continue }
            guard interest.events.contains(event) else {
                loaded.detach(program)
                continue
            }
            do throws(CaptureError) {
                guard loaded.has(program) else {
                    throw CaptureError("could not attach '\(program.rawValue)': the kernel refused it")
                }
                try loaded.attach(program)
            } catch { missing.append(error.description) }
        }
    }

    /// Whether `sys_exit`, which every system call of the machine passes, is attached.
    public var isSysExitAttached: Bool { loaded.isAttached(.sysExit) }

    // MARK: events

    public var openingMessage: String { "Opening 'syscall' source with modern BPF probe." }
    public var isLive: Bool { true }

    public func nextBatch(into batch: EventBatch, waitMs: Int) throws(CaptureError) -> BatchResult {
        precondition(!isClosed, "a closed source has no events")
        batch.removeAll()
        rings.release()
        let startNs = Clock.boottimeNs
        if startNs &- anchoredNs >= Self.anchorIntervalNs {
            anchoredNs = startNs
            followClock()
        }
        let endNs = startNs &+ UInt64(max(0, waitMs)) &* 1_000_000
        do throws(Errno) {
            if !isBehind, !isEnding { try rest(untilNs: min(lastDrainNs &+ intervalNs, endNs), asleep: false) }
            var waitsForWriter = 0
            while true {
                let nowNs = Clock.boottimeNs
                rings.drain(into: batch, deadlineNs: isEnding ? .max : nowNs &- Self.settleNs, anchor: anchor)
                lastDrainNs = nowNs
                noteDelivered(batch, drainedNs: nowNs)
                if !batch.events.isEmpty {
                    adaptPace(to: batch)
                    return .events
                }
                isBehind = false
                if isEnding {
                    // Nothing is attached any more, but a CPU may still be inside its last record.
                    guard rings.hasRecords, waitsForWriter < 100 else { return .end }
                    waitsForWriter += 1
                    Clock.sleep(ms: 1)
                    continue
                }
                if wakeUp.consume() || nowNs >= endNs { return .idle }
                if let oldest = rings.nextTimestampNs {
                    try rest(untilNs: min(oldest &+ Self.settleNs, endNs), asleep: false)
                } else if emptyDrains < Self.emptyDrainsBeforeSleep {
                    emptyDrains += 1
                    intervalNs = min(intervalNs * 2, Self.intervalMaxNs)
                    try rest(untilNs: min(nowNs &+ intervalNs, endNs), asleep: false)
                } else {
                    intervalNs = Self.intervalMinNs
                    try rest(untilNs: endNs, asleep: true)
                }
            }
        } catch { throw CaptureError("could not wait for events: \(error)") }
    }

    /// Up to where the rings are empty: the settled past, where no CPU is inside a record and nothing was left for the next batch.
    private func noteDelivered(_ batch: EventBatch, drainedNs: UInt64) {
        if let last = batch.events.last { deliveredThroughNs = max(deliveredThroughNs, last.timestampNs) }
        if let oldest = rings.nextTimestampNs {
            if !batch.isFull, oldest > drainedNs &- Self.settleNs {
                deliveredThroughNs = anchor.epochNs(boottimeNs: drainedNs &- Self.settleNs)
            }
        } else if !rings.hasRecords {
            deliveredThroughNs = anchor.epochNs(boottimeNs: drainedNs &- Self.settleNs)
        }
    }

    private func adaptPace(to batch: EventBatch) {
        let count = batch.events.count
        isBehind = batch.isFull
        emptyDrains = 0
        if count < Self.eventsPerDrainMin {
            intervalNs = min(intervalNs * 2, Self.intervalMaxNs)
        } else if count > 8 * Self.eventsPerDrainMin {
            intervalNs = Self.intervalMinNs
        }
    }

    /// Sleeps until a time on the boot clock. `asleep`: the next event ends it; else only a ring that is a quarter full does.
    private func rest(untilNs: UInt64, asleep: Bool) throws(Errno) {
        let nowNs = Clock.boottimeNs
        guard untilNs > nowNs else { return }
        announce(asleep ? PROBE_READER_ASLEEP : PROBE_READER_NAPPING)
        // What arrived before the announcement rings no bell.
        if !asleep || !rings.hasRecords { try poller.wait(timeoutNs: Int64(untilNs &- nowNs)) }
        announce(PROBE_READER_AWAKE)
    }

    private func announce(_ state: probe_reader_sleep) {
        let control = controlMemory.base.assumingMemoryBound(to: probe_ring_control.self)
        for ring in 0..<ringCount {
            let word = UnsafeMutableRawPointer(control + ring).assumingMemoryBound(to: UInt32.self)
            ring_store_asleep(word, UInt32(state.rawValue))
        }
    }

    public func wake() { wakeUp.signal() }

    /// Detaches the probe; what the rings still hold is delivered by the next batches, the last of which is `end`.
    public func finish() {
        stopProbe()
        isAttached = false
        isEnding = true
        // A CPU may still be inside a program that is detached now; such a run takes microseconds.
        Clock.sleep(ms: 1)
    }

    public func close() {
        guard !isClosed else { return }
        countersAtClose = counters
        stopProbe()
        isAttached = false
        isClosed = true
    }

    private func stopProbe() {
        let wanted = (settingsMemory.base + MemoryLayout<probe_settings>.offset(of: \.wanted)!)
            .assumingMemoryBound(to: UInt64.self)
        // What stays attached for a while tells nothing any more.
        for index in interest.words.indices { settings_store(wanted + index, 0) }
        loaded.detachWhatIsFast()
    }

    /// After the clock was set, everything that tells a time tells it by the new one.
    func followClock() {
        let before = anchor.offsetNs
        guard anchor.refresh() else { return }
        proc.bootEpochNs = anchor.offsetNs
        knownHostStartNs = nil
        if deliveredThroughNs != 0 { deliveredThroughNs = deliveredThroughNs &+ anchor.offsetNs &- before }
    }

    public var clockOffsetNs: UInt64 { anchor.offsetNs }

    /// How often the clock was set while we watched.
    public var clockChanges: Int { anchor.reanchored }

    // MARK: counters

    public var counters: CaptureCounters {
        if let countersAtClose { return countersAtClose }
        var total = CaptureCounters()
        total.malformed = rings.malformed
        for row in loaded.counters(possibleCPUs: possibleCPUs) { total.add(row) }
        return total
    }
}

extension CaptureCounters {
    private static let reasons: [(name: String, isLoss: Bool)] = [
        ("ring_full", true), ("scratch_busy", true), ("too_large", true), ("read_fault", false), ("no_ring", true),
        ("scope_full", false), ("ia32", false),
    ]
    private static let classes = [
        "clone_fork", "execve", "connect", "open", "dir_file", "other_interest", "close", "proc", "other",
    ]

    /// Adds the counters of one CPU. `read_fault` (sent, a parameter missing), `scope_full` and `ia32` (never an event) are
    /// reasons to look at, not lost events.
    mutating func add(_ row: probe_counters) {
        events &+= row.events
        eventsByCPU.append(row.events)
        var lost: UInt64 = 0
        withUnsafeBytes(of: row.drops) { bytes in
            for (index, value) in bytes.bindMemory(to: UInt64.self).enumerated() where index < Self.reasons.count {
                let reason = Self.reasons[index]
                dropsByReason[reason.name, default: 0] &+= value
                if reason.isLoss { lost &+= value }
            }
        }
        withUnsafeBytes(of: row.ring_full_by_class) { bytes in
            for (index, value) in bytes.bindMemory(to: UInt64.self).enumerated() where index < Self.classes.count {
                dropsByClass[Self.classes[index], default: 0] &+= value
            }
        }
        drops &+= lost
        dropsByCPU.append(lost)
    }
}
