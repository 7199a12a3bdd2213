// SPDX-License-Identifier: Apache-2.0
import Alerts
import Capture
import CaptureProbe
import CaptureReplay
import EventModel
import Fields
import FilterLanguage
import Glibc
import LinuxSystem
import Outputs
import Pipeline
import Recording
import RuleEngine
import Rules
import Settings
import SystemState

/// The last step of a start: opens the source, runs the pipeline until something ends it.
final class EventProcessing {
    private let session: Session
    private var log: Log { session.log }
    private let formatter: AlertFormatter
    /// Positions of the enabled rules among the loaded ones.
    private var ruleIndices: [Int]
    private var source: any EventSource = IdleSource()
    private var probe: ProbeSource? { source as? ProbeSource }
    private var command: ChildProcess?
    private let startNs = Clock.monotonicNs
    private var failure: AgentError?
    private var interrupted = false
    private var saidFirstScan = false
    private var plan = OutputPlan([], options: AlertOptions())
    private let inbox = PipelineInbox()
    private var hostNames: HostNameResolver?
    private let recordings = Recordings()
    private var recording: ContinuousRecording?
    private var matchRecording: MatchRecording?
    private weak var pipeline: EventPipeline?
    private var timeLimitNs: UInt64 { session.arguments.stopAfterSeconds * 1_000_000_000 }

    init(_ session: Session) {
        self.session = session
        var options = AlertOptions()
        let settings = session.settings
        options.isJSON = settings.jsonOutput
        options.includesOutput = settings.jsonIncludesOutput
        options.includesMessage = settings.jsonIncludesMessage
        options.includesFields = settings.jsonIncludesOutputFields
        options.includesTags = settings.jsonIncludesTags
        options.usesISO8601 = settings.timeISO8601
        options.hostname = session.hostname
        formatter = AlertFormatter(options)
        ruleIndices = session.ruleSet.rules.indices.filter {
            session.ruleSet.rules[$0].isEnabled && session.ruleSet.rules[$0].source == Rule.syscallSource
        }
    }

    func run() throws -> Int32? {
        let capture = session.settings.capture
        if capture.enabled, !session.arguments.recordsOnly {
            log.info(
                "Capture is enabled in mode '\(capture.allRules ? "all_rules" : "rules")'. Capturing events to \(capture.pathPrefix)"
            )
        }
        log.info("Loaded event sources: \(Rule.syscallSource)")
        log.info("Enabled event sources: \(Rule.syscallSource)")
        if session.arguments.dryRun {
            log.debug("Skipping event processing in dry-run")
            return 0
        }
        let recordsAll = session.arguments.recordsOnly && session.arguments.recording.filter == nil
        if recordsAll { ruleIndices = [] }
        let rules = ruleIndices.map { session.ruleSet.rules[$0] }
        plan = try OutputPlan(rules.map { try Self.output(of: $0, formatter.options) }, options: formatter.options)
        session.drops = DropMonitor(session.settings.drops)
        defer { source.close() }
        let program = RuleProgram(rules: rules.map { $0.condition })
        // A replay tells what was; who has an address today says nothing of it.
        if session.settings.engine == .modernEBPF { hostNames = HostNameResolver(rules.map { $0.condition }) }
        hostNames?.start()
        defer { hostNames?.stop() }
        do throws(CaptureError) {
            try process(PipelineRules(program: program, firstOnly: session.settings.ruleMatching == .first))
        } catch { throw failure ?? AgentError(error.description) }
        if let failure { throw failure }
        return session.commandStatus ?? 0
    }

    private func process(_ rules: PipelineRules) throws(CaptureError) {
        let state = SystemState()
        try openRecordings()
        try open(state)
        var isAlive: ((Int64, Int64) -> Bool)?
        if source.isLive {
            let proc = session.hostRoot + "/proc"
            isAlive = { [recordings] tid, pid in
                if Files.exists("\(proc)/\(pid)/task/\(tid)") { return true }
                recordings.noteGone(tid: tid)
                return false
            }
        }
        let pipeline = EventPipeline(
            source: source, state: state, rules: rules, handler: self, inbox: inbox,
            durationNs: source.isLive ? 0 : timeLimitNs, isAlive: isAlive,
            recordings: session.records ? recordings : nil, clock: source.isLive ? { Clock.monotonicNs } : nil)
        self.pipeline = pipeline
        defer { finish(pipeline) }
        _ = try pipeline.run()
    }

    private static func output(of rule: Rule, _ options: AlertOptions) throws -> RuleOutput {
        try RuleOutput(
            rule: AlertRule(name: rule.name, source: rule.source, priority: rule.priority, tags: rule.tags), output: rule.output,
            extraFields: rule.extraFields.map { field in
                field.name.map { .formatted(name: $0, format: field.format) } ?? .raw(field.key)
            }, options: options)
    }

    // MARK: Opening

    private func open(_ state: SystemState) throws(CaptureError) {
        let engine = session.settings.engine
        if engine != .modernEBPF, session.arguments.command != nil || session.arguments.scope != nil {
            let verb = session.arguments.recordsOnly ? "falco record with a command" : "falco run"
            let asked = session.arguments.command != nil ? verb : "--scope"
            throw CaptureError("\(asked) watches live; it can not be used with engine.kind=\(engine.rawValue)")
        }
        switch engine {
        case .replay:
            let replay = try ReplaySource(path: session.settings.captureFile)
            source = replay
            if let recording {
                let filters = session.arguments.recording.filter != nil
                source = RecordedReplay(replay, recording.recorder) { snapshot, position in
                    var position = position
                    if filters { position?.numbersStateOnly = true }
                    recording.begin(snapshot, position: position)
                }
            }
            log.info(source.openingMessage)
            log.info("Engine: replay; it sees what the capture file holds, and nothing of this machine")
        case .nodriver:
            log.info(source.openingMessage)
            log.info("Engine: none; it sees nothing")
        case .modernEBPF:
            try openProbe(state)
        }
    }

    private func openRecordings() throws(CaptureError) {
        if session.arguments.recording.path != nil {
            recording = try ContinuousRecording(session.arguments.recording, waits: session.isReplay)
            recordings.continuous = recording?.recorder
            recordings.onlyMatches = session.arguments.recording.filter != nil
        }
        if session.settings.capture.enabled, !session.arguments.recordsOnly {
            matchRecording = try MatchRecording(session.settings.capture, waits: session.isReplay)
            recordings.triggered = matchRecording?.recorder
        }
    }

    private func openProbe(_ state: SystemState) throws(CaptureError) {
        let settings = session.settings.modernEBPF
        var options = ProbeOptions()
        options.ringBytes = settings.bufferBytes
        options.cpusForEachBuffer = settings.cpusForEachBuffer
        options.dropFailed = settings.dropFailedExit
        options.useIterators = !settings.disableIterators
        options.enterEvents =
            switch settings.enterEvents {
            case .none: .none
            case .tracepoints: .tracepoints
            case .sysEnter: .tracepointsOrEveryCall
            }
        options.hostRoot = session.hostRoot
        if session.settings.snaplen > 0 { options.snaplen = UInt32(session.settings.snaplen) }
        options.dynamicSnaplen = session.settings.dynamicSnaplen
        options.fullcapturePorts = session.settings.fullcapturePorts
        options.statsdPort = session.settings.statsdPort
        if let words = session.arguments.command {
            do throws(Errno) { command = try ChildProcess(words) } catch {
                throw CaptureError("could not start '\(words[0])': \(error)")
            }
            options.scope = .tree(pids: [command!.pid])
        } else if let pid = session.arguments.scope {
            guard let process = ProcFilesystem(hostRoot: session.hostRoot).process(of: pid) else {
                throw CaptureError("--scope \(pid): there is no such process")
            }
            if process != pid { log.notice("--scope \(pid) is a thread of process \(process): that process is watched") }
            options.scope = .tree(pids: [process])
        }
        log.info("The chosen syscall buffer dimension is: \(options.ringBytes) bytes (\(options.ringBytes >> 20) MBs)")
        let probe = try ProbeSource(options)
        source = probe
        log.info(probe.openingMessage)
        log.info("One ring buffer every '\(settings.cpusForEachBuffer)' CPUs.")
        try probe.setInterest(session.interest)
        state.hasKernelRecords = session.interest.kernelRecords
        // Attach first, scan second: what starts in between is seen by one of them.
        try probe.attach()
        state.taskLookup = session.records ? RecordingLookup(ProbeLookup(probe), recordings) : ProbeLookup(probe)
        for line in probe.visibility { log.info(line) }
        if probe.isSysExitAttached, let reason = session.systemCallReason { log.info(reason) }
    }

    /// The command waits at its gate until the probe watches it and the first scan has seen it: its working directory and its open files
    /// are known before it does anything.
    func snapshotEnded() throws(CaptureError) {
        if let recording {
            if source.isLive, let pipeline { recording.begin(pipeline) }
            try recording.checkBeginning()
        }
        guard let words = session.arguments.command, let command else { return }
        do throws(Errno) { try command.start() } catch {
            // What shells answer: 127 for a command that is not there, 126 for one that can't be run.
            failure = AgentError("could not start '\(words[0])': \(error)", status: error == .notFound ? 127 : 126)
            throw CaptureError("could not start '\(words[0])': \(error)")
        }
        log.info("Watching the command '\(words.joined(separator: " "))' (pid \(command.pid))")
    }

    // MARK: Ending

    private func finish(_ pipeline: EventPipeline) {
        // A second signal is for who does not want to wait for a slow disk.
        let givesUp = { [session] in (session.signals?.next()).map { $0 == SIGINT || $0 == SIGTERM } ?? false }
        if let error = recording?.finish(log, givesUp: givesUp) { recordingFailed(error) }
        matchRecording?.finish(log, givesUp: givesUp)
        if let probe, let command {
            let living = probe.livingInScope.filter { $0 != command.pid }
            if !living.isEmpty {
                let names = living.prefix(10).map { "\($0) (\(Self.name(of: $0)))" }.joined(separator: ", ")
                log.notice("outlives the command, no longer watched: \(names)\(living.count > 10 ? ", …" : "")")
            }
        }
        let counters = source.counters
        session.captureCounters = counters
        if counters.malformed > 0 { log.warning("\(counters.malformed) records could not be decoded and were left out") }
        if source.isLive, counters.drops > 0 {
            let reasons = counters.dropsByReason.filter { $0.value > 0 }.map { "\($0.key) \($0.value)" }.sorted().joined(
                separator: ", ")
            log.warning("\(counters.drops) events were lost: \(reasons)")
        }
        let state = pipeline.state
        let textsRefused = state.pool.refused + state.descriptorTextsCut
        if state.threadsRefused + state.descriptorsRefused + textsRefused > 0 {
            log.warning(
                "the tables of the state were full: \(state.threadsRefused) threads, \(state.descriptorsRefused) descriptors and "
                    + "\(textsRefused) texts found no room; fields of those processes were missing")
        }
        let repairs = state.repairs
        if repairs.passes > 0 {
            log.notice(
                "the state was repaired \(repairs.passes) times after a loss: \(repairs.threadsRepaired) threads and "
                    + "\(repairs.descriptorsRepaired) descriptors corrected, \(repairs.threadsRemoved) threads and "
                    + "\(repairs.descriptorsRemoved) descriptors removed")
        }
        if state.counters.lookupsRefused > 0 {
            log.warning("\(state.counters.lookupsRefused) look-ups of unknown processes had to wait, so many there were")
        }
        guard session.arguments.verbose else { return }
        let seconds = Double(Clock.monotonicNs - startNs) / 1e9
        var lines = source.isLive ? ["Driver Events:\(counters.events)", "Driver Drops:\(counters.drops)"] : []
        let rate = seconds > 0 ? Double(pipeline.counters.events) / seconds : 0
        lines.append("Elapsed time: \(fixed(seconds, 3)), Captured Events: \(pipeline.counters.events), \(fixed(rate, 2)) eps")
        StandardError.write(lines.joined(separator: "\n") + "\n")
    }

    /// Where recording is all there is to do, that is the end; else the rules go on.
    private func recordingFailed(_ error: CaptureError) {
        guard session.arguments.recordsOnly else { return log.error("\(error); the recording ends here") }
        if failure == nil { failure = AgentError(error.description) }
        inbox.stop()
    }

    private static func name(of pid: Int64) -> String {
        let text = (try? Files.read("/proc/\(pid)/comm", bytesMax: 64)) ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

/// Digits after the point without Foundation.
func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "0" }
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    let scaled = Int64((abs(value) * scale).rounded())
    let whole = scaled / Int64(scale)
    let rest = String(scaled % Int64(scale))
    return (value < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
}

extension EventProcessing: MatchHandler {
    func matched(rule: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) {
        if session.arguments.recordsOnly { return }
        matchRecording?.matched(session.ruleSet.rules[ruleIndices[rule]], context, state)
        session.statistics.alerts += 1
        session.statistics.rules[ruleIndices[rule]].count += 1
        guard session.queue?.makesRoom() == true else { return }
        scratch.showsBuffersAsBase64 = session.settings.buffersAsBase64
        defer { scratch.showsBuffersAsBase64 = false }
        push(plan[rule].alert(context: context, state: state, scratch: &scratch))
    }

    private func push(_ alert: Alert) {
        session.queue?.push(
            RenderedAlert(
                line: formatter.line(alert), priority: alert.rule.priority.rawValue,
                timestampNs: alert.isInternal ? 0 : alert.timestampNs))
    }

    func secondBegan(timestampNs: UInt64) {
        let counters = source.counters
        let finding = session.drops?.check(timestampNs: timestampNs) {
            source.isLive
                ? .init(events: counters.events, drops: counters.drops) : .init(events: pipeline?.counters.events ?? 0, drops: 0)
        }
        guard let finding, finding.actionsDue else { return }
        let actions = session.settings.drops.actions
        let alert = DropAlert.make(finding, counters, timestampNs: timestampNs)
        if actions.contains(.log) { log.debug(String(decoding: alert.message, as: UTF8.self)) }
        if actions.contains(.alert) { push(alert) }
        if actions.contains(.exit) {
            log.critical("\(finding.drops) system calls dropped: exiting, as syscall_event_drops.actions asks")
            failure = AgentError("Drop manager internal error")
            inbox.stop()
        }
    }

    func batchEnded(nowNs: UInt64) {
        if !saidFirstScan, let report = probe?.snapshotReport {
            saidFirstScan = true
            log.info("First scan: \(report)")
        }
        if let names = hostNames?.take() { pipeline?.state.hostNames = names }
        if let recording, let pipeline {
            recording.batchEnded(pipeline, nowNs: nowNs, source)
            if let error = recording.recorder.takeFailure() { recordingFailed(error) }
        }
        if let alert = matchRecording?.batchEnded(log, nowNs: nowNs) { push(alert) }
        session.queue?.watch()
        // A command that is watched runs on, and its status is the answer.
        if session.queue?.isDeaf == true, session.arguments.command == nil {
            failure = AgentError("nobody reads the alerts any more, and there is no other output")
            inbox.stop()
        }
        if !takeSignals() { inbox.stop() }
        if let command, session.commandStatus == nil, let status = command.poll() {
            session.commandStatus = status
            // What the rings still hold is delivered, then the source ends.
            probe?.finish()
        }
        // Live it is real time: nothing may happen, or the clock may be set.
        if source.isLive, timeLimitNs > 0, Clock.monotonicNs - startNs >= timeLimitNs { inbox.stop() }
    }

    /// False when one of them ends the run.
    private func takeSignals() -> Bool {
        while let number = session.signals?.next() {
            switch number {
            case SIGUSR1:
                log.info("SIGUSR1 received, reopening outputs...")
                session.queue?.reopen()
            case SIGHUP:
                log.warning("SIGHUP received: restarting is not supported yet, nothing changes")
            default:
                if let command, session.commandStatus == nil, !interrupted {
                    // The command decides; when it has ended, so do we. A second signal ends us at once.
                    interrupted = true
                    if number == SIGTERM { command.signal(SIGTERM) }
                    continue
                }
                log.info("SIGINT received, exiting...")
                return false
            }
        }
        return true
    }
}

/// Asks the probe's side for a thread that was missed.
private final class ProbeLookup: TaskLookup {
    private unowned let probe: ProbeSource
    init(_ probe: ProbeSource) { self.probe = probe }
    func lookUp(tid: Int64, into sink: any SnapshotSink) -> LookupResult { result(probe.lookUp(tid: tid, into: sink)) }
    func lookUpDescriptors(pid: Int64, into sink: any SnapshotSink) -> LookupResult {
        result(probe.lookUpDescriptors(pid: pid, into: sink))
    }
    private func result(_ answer: ProbeSource.Answer) -> LookupResult {
        switch answer {
        case .found: .found
        case .gone: .gone
        case .refused: .refused
        }
    }
}
