import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
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
    let (labels, communicator) = (configuration.samples.labels, optimizer.communicator)
    let rendering = SampleRendering(
      .colors, channels: dataset.channels, side: dataset.side, dataset.properties, decoder: try decoder(communicator))
    var records: [UInt8] = []
    let isDone = try optimizer.withAverage { average in
      let generator = SampleGenerator(
        network, weights: average, settings: configuration.samples.sampler, seed: configuration.seed)
      let samples = generator.tiles(of: labels)
      return try SampleRounds(count: labels.count, tile: generator.tile).run(
        from: 0, numbers: rendering.bytes, communicator, stopRequested: stopRequested
      ) { first in
        // Weights that are not finite yet make black images.
        SampleTile(try rendering.tile(samples(first), first: first, of: labels.count).numbers)
      } deliver: {
        records += $0
      }
    }
    if isDone, communicator.rank == 0 { write(records, labels, rendering, step: step) }
    return isDone
  }

  private func write(_ records: [UInt8], _ labels: [Int], _ rendering: SampleRendering, step: Int) {
    let picture = GridLayout(labels: labels, side: rendering.side).picture { image in
      Array(records[image * rendering.bytes..<(image + 1) * rendering.bytes])
    }
    journal.drew(picture, at: path(step: step), step: step)
  }

  /// Opens the autoencoder, which takes its memory only while a picture is drawn. Without one, or where a rank cannot
  /// open it any more, a picture shows the colours of latents.
  private func decoder(_ communicator: Communicator) throws -> LatentDecoder? {
    guard configuration.samples.autoencoder != nil else { return nil }
    do {
      return try communicator.agree { try configuration.samples.decoder(of: dataset, network.workers) }
    } catch  where !(error is CommunicationError) {
      journal.note("\(error); this picture shows the colours of latents")
      return nil
    }
  }
}
