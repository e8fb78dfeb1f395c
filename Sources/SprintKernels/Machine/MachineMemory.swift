import Foundation

/// What this machine can still give, in bytes.
package struct MachineMemory: Sendable, Equatable {
  /// What can run out.
  package enum Limit: Sendable, CaseIterable {
    /// Memory and swap of the host, within the limits of the control groups of this process. All processes share it.
    case host
    /// What the host promises its processes, where it promises no more than it has (`vm.overcommit_memory` is 2). All
    /// processes share it.
    case promise
    /// The address space of this process, `ulimit -v`.
    case addressSpace
    /// The writable memory of this process, `ulimit -d`.
    case data

    /// Whether all processes of a host share what is left.
    package var isShared: Bool { self == .host || self == .promise }
  }

  private let left: [Limit: Double]

  /// What is left at this moment.
  package static var current: MachineMemory { MachineMemory(root: "") }

  /// Reads the files below `root`, which is empty outside tests.
  package init(root: String) {
    let files = MemoryFiles(root: root)
    left = Limit.allCases.reduce(into: [:]) { left, limit in
      left[limit] =
        switch limit {
        case .host: files.host
        case .promise: files.promise
        case .addressSpace: files.addressSpace
        case .data: files.data
        }
    }
  }

  /// A machine of which so much is left.
  package init(_ left: [Limit: Double]) { self.left = left }

  /// Bytes that are left; nil without such a limit or where the system does not say.
  package subscript(limit: Limit) -> Double? { left[limit] }
}
