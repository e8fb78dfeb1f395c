import SprintCommunication
import SprintFormats
import SprintKernels

/// Compares images with reference images.
///
/// Images are read in pieces. In memory are the covariances, F² numbers of each side and three times as many while
/// their distance is computed, and the features of at most 50,000 samples and 10,000 references (480 MB of 2,048
/// features) for precision and recall.
package struct Evaluation {
  private let samples: EvaluatedSet
  private let reference: EvaluatedSet?
  private let network: EvaluationNetwork
  private let saved: String?

  /// Opens both sides and checks that they can be compared.
  ///
  /// - Parameters:
  ///   - samples: a folder of pictures, an npz file or a data set
  ///   - reference: the same kinds; nil where only statistics of the samples are wanted
  ///   - folders: how pictures of folders are read
  ///   - saved: the file that gets the statistics of the samples
  package init(
    samples: String, reference: String?, _ network: EvaluationNetwork, folders: FolderOptions = FolderOptions(),
    saved: String? = nil
  ) throws {
    (self.network, self.saved) = (network, saved)
    self.samples = try EvaluatedSet(samples, network, folders)
    self.reference = try reference.map { try EvaluatedSet($0, network, folders) }
    guard folders == FolderOptions() || self.samples.isFolder || self.reference?.isFolder ?? false else {
      throw FileError.unusable(
        path: samples, problem: "no folder of pictures to crop or to leave some out",
        remedy: EvaluationRemedy.leaveOutFolderOptions)
    }
    try checkExtents()
    if let saved { try AtomicFile.checkWritable(saved) }
  }

  private func checkExtents() throws {
    guard case .pixels = network, let own = samples.extents, let other = reference?.extents, own != other else {
      return
    }
    throw FileError.unusable(
      path: samples.path, problem: "images of \(own), expected \(other) as in \(reference?.path ?? "")")
  }

  /// What the evaluation tells while it works.
  package struct Hooks {
    /// Whether a signal asks for the end.
    package var stopRequested: () -> Bool
    /// Finished and all items, and what they are.
    package var report: (_ done: Int, _ total: Int, _ what: String) -> Void
    /// Called with something worth a line.
    package var note: (String) -> Void

    package init(
      stopRequested: @escaping () -> Bool = { false },
      report: @escaping (_ done: Int, _ total: Int, _ what: String) -> Void = { _, _, _ in },
      note: @escaping (String) -> Void = { _ in }
    ) {
      (self.stopRequested, self.report, self.note) = (stopRequested, report, note)
    }
  }

  /// Computes all numbers. All ranks call it.
  ///
  /// - Returns: the numbers at rank zero and nil elsewhere; whether it was done, and not stopped
  package func run(
    _ communicator: Communicator, _ workers: Workers, _ hooks: Hooks = Hooks()
  ) throws -> (isDone: Bool, result: EvaluationResult?) {
    if communicator.rank == 0 { notes.forEach(hooks.note) }
    let engine = EvaluationEngine(network: network, communicator: communicator, workers: workers, hooks: hooks)
    guard let own = try engine.measure(samples, most: mostCompared.samples, "samples") else {
      return (false, nil)
    }
    try communicator.agree { try save(own, communicator) }
    guard let reference else { return (true, communicator.rank == 0 ? try result(own) : nil) }
    guard let other = try engine.measure(reference, most: mostCompared.references, "reference images") else {
      return (false, nil)
    }
    var result = try communicator.agree { communicator.rank == 0 ? try self.result(own, other, workers, hooks) : nil }
    guard try engine.compare(own, other, into: &result) else { return (false, nil) }
    [own, other].forEach { $0.spool?.remove() }
    return (true, result)
  }

  /// The images that are kept for precision and recall: none where one side has no images.
  private var mostCompared: (samples: Int, references: Int) {
    guard samples.images != nil, reference?.images != nil else { return (0, 0) }
    return (PrecisionRecall.mostSamples, PrecisionRecall.mostReferences)
  }

  private var notes: [String] {
    var lines = samples.notes + (reference?.notes ?? [])
    if let own = samples.images?.extents, let other = reference?.images?.extents, !own.hasSameSize(as: other) {
      lines.append("samples are \(own), reference images \(other): published figures compare images of equal size")
    }
    return lines
  }

  private func save(_ own: MeasuredSet, _ communicator: Communicator) throws {
    guard let saved, communicator.rank == 0, let statistics = own.statistics else { return }
    try statistics.write(to: saved)
  }

  private func result(_ own: MeasuredSet) throws -> EvaluationResult {
    var result = EvaluationResult(network, own.description(of: samples), nil)
    result.rate(own)
    own.spool?.remove()
    return result
  }

  private func result(
    _ own: MeasuredSet, _ other: MeasuredSet, _ workers: Workers, _ hooks: Hooks
  ) throws -> EvaluationResult {
    var result = EvaluationResult(
      network, own.description(of: samples), reference.map { other.description(of: $0) })
    result.rate(own)
    try result.compare(own, other, threads: workers.count) { hooks.report($0, $1, "distances") }
    return result
  }
}
