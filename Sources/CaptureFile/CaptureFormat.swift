// SPDX-License-Identifier: Apache-2.0

/// Numbers of the capture format (`.scap`): `u32 type · u32 total · payload · padding · u32 total`, all little-endian.
enum CaptureFormat {
    static let magic: UInt32 = 0x1A2B_3C4D
    static let majorVersion: UInt16 = 1
    static let minorVersion: UInt16 = 2
    /// Type and total in front, total behind.
    static let blockOverhead = 12
    static let machineHostnameBytes = 128

    /// An event of an ordinary type, block overhead included.
    static let eventBlockBytesMax = 64 * 1024
    /// An event with a large payload; ours, so that a damaged length cannot ask for gigabytes.
    static let largeEventBlockBytesMax = 64 * 1024 * 1024
    static func eventBlockBytesMax(large: Bool) -> Int { large ? largeEventBlockBytesMax : eventBlockBytesMax }
    /// One entry of a process or descriptor list.
    static let entryBytesMax = 1024 * 1024
}

/// What a block holds, whichever of its identifiers introduced it.
enum BlockKind: Equatable {
    case section
    case machine
    case interfaces(version: Int)
    case accounts(version: Int)
    case threads(version: Int)
    case descriptors(version: Int)
    /// `version` 1 lacks the parameter count; `flagged` has 32 bits of flags behind the processor.
    case event(version: Int, flagged: Bool, large: Bool)
    /// Ours, see `OwnFormat`.
    case run, threadDetails, descriptorDetails
    case unknown

    init(identifier: UInt32) {
        switch identifier {
        case 0x0A0D_0D0A: self = .section
        case 0x201, 0x8002_ABCD: self = .machine
        case 0x205, 0x8011_ABCD: self = .interfaces(version: 1)
        case 0x219: self = .interfaces(version: 2)
        case 0x206, 0x8012_ABCD: self = .accounts(version: 1)
        case 0x220: self = .accounts(version: 2)
        case 0x202, 0x8000_ABCD: self = .threads(version: 1)
        case 0x207, 0x8013_ABCD: self = .threads(version: 2)
        case 0x209, 0x8014_ABCD: self = .threads(version: 3)
        case 0x210: self = .threads(version: 4)
        case 0x211: self = .threads(version: 5)
        case 0x212: self = .threads(version: 6)
        case 0x213: self = .threads(version: 7)
        case 0x214: self = .threads(version: 8)
        case 0x215: self = .threads(version: 9)
        case 0x203, 0x8001_ABCD: self = .descriptors(version: 1)
        case 0x218: self = .descriptors(version: 2)
        case 0x204, 0x8010_ABCD: self = .event(version: 1, flagged: false, large: false)
        case 0x208: self = .event(version: 1, flagged: true, large: false)
        case 0x216: self = .event(version: 2, flagged: false, large: false)
        case 0x217: self = .event(version: 2, flagged: true, large: false)
        case 0x221: self = .event(version: 2, flagged: false, large: true)
        case 0x222: self = .event(version: 2, flagged: true, large: true)
        case OwnFormat.runBlock: self = .run
        case OwnFormat.threadBlock: self = .threadDetails
        case OwnFormat.descriptorBlock: self = .descriptorDetails
        default: self = .unknown
        }
    }

    /// For error sentences.
    var name: String {
        switch self {
        case .section: "the section header"
        case .machine: "the machine description"
        case .interfaces: "the interface list"
        case .accounts: "the list of users and groups"
        case .threads: "the process list"
        case .descriptors: "a descriptor list"
        case .event: "an event"
        case .run: "the position of the run"
        case .threadDetails: "the details of threads"
        case .descriptorDetails: "the details of descriptors"
        case .unknown: "a block of unknown type"
        }
    }
}
