import Foundation

/// Decides which tests run at the same time: one that computes for each core, as many more that wait, and nothing
/// beside a test that needs to be alone.
actor Turns {
  /// What a test does most of its time.
  enum Kind { case computing, waiting, alone }

  static let shared = Turns(cores: ProcessInfo.processInfo.activeProcessorCount)

  private let cores: Int
  private var running: [Kind] = []
  private var queue: [(kind: Kind, turn: CheckedContinuation<Void, Never>)] = []

  init(cores: Int) { self.cores = cores }

  /// Does `body` in a turn of its own.
  nonisolated func take(_ kind: Kind, _ body: () async throws -> Void) async rethrows {
    await begin(kind)
    do { try await body() } catch {
      await end(kind)
      throw error
    }
    await end(kind)
  }

  private func begin(_ kind: Kind) async {
    await withCheckedContinuation {
      queue.append((kind, $0))
      resume()
    }
  }

  private func end(_ kind: Kind) {
    running.firstIndex(of: kind).map { _ = running.remove(at: $0) }
    resume()
  }

  /// Begins every turn that may begin. Tests that need to be alone come when no other is left.
  private func resume() {
    while let next = queue.firstIndex(where: { mayBegin($0.kind) }) {
      let (kind, turn) = queue.remove(at: next)
      running.append(kind)
      turn.resume()
    }
  }

  private func mayBegin(_ kind: Kind) -> Bool {
    switch kind {
    case .alone: running.isEmpty
    case .computing, .waiting: !running.contains(.alone) && running.count { $0 == kind } < cores
    }
  }
}
