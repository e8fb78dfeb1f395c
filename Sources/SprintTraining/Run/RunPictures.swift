import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintModel

/// The pictures that a run draws along the way, from the moving average.
final class RunPictures {
  private let configuration: Configuration
  private let folder: RunFolder
  private let network: Network
  private let dataset: LatentDataset
  private let journal: RunJournal

  init(
    _ configuration: Configuration, _ folder: RunFolder, _ network: Network, _ dataset: LatentDataset,
    _ journal: RunJournal
  ) {
    (self.configuration, self.folder, self.network) = (configuration, folder, network)
    (self.dataset, self.journal) = (dataset, journal)
  }

  private func path(step: Int) -> String { "\(folder.samples)/\(RunFolder.name(step: step)).png" }

  /// Whether the picture of a step exists.
  func exists(step: Int) -> Bool { FileManager.default.fileExists(atPath: path(step: step)) }

  /// Draws the picture of a step; all ranks call it. Returns false where a rank asked to stop: then there is no
  /// picture.
  func draw(step: Int, _ optimizer: Optimizer, stopRequested: () -> Bool) throws -> Bool {
    let labels = configuration.samples.labels
    var samples: [[Float]] = []
    let isDone = try optimizer.withAverage { average in
      let generator = SampleGenerator(
        network, weights: average, settings: configuration.samples.sampler, seed: configuration.seed)
      return try generator.draw(labels: labels, optimizer.communicator, stopRequested: stopRequested) { samples += $0 }
    }
    if isDone, optimizer.communicator.rank == 0 { write(samples, labels, step: step) }
    return isDone
  }

  private func write(_ samples: [[Float]], _ labels: [Int], step: Int) {
    let grid = SampleGrid(channels: dataset.channels, side: dataset.side, dataset.properties)
    journal.drew(grid.picture(samples, labels: labels), at: path(step: step), step: step)
  }
}
