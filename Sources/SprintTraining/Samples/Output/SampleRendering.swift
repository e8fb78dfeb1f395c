import SprintData
import SprintFormats
import SprintModel

/// Turns samples into what a file keeps of an image: its record, of a fixed number of bytes.
package struct SampleRendering {
  /// What a record holds.
  package enum Record: String, Sendable {
    /// float32 [C, S, S] in the units of the data set.
    case numbers
    /// Bytes [S, S, C] as evaluations take them.
    case pixels
    /// Red, green and blue [S, S, 3] to look at.
    case colors
  }

  /// C and S of an image in a record; of colours C is 3.
  package let channels, side: Int
  /// What the numbers in a record are.
  package let properties: LatentProperties
  /// Decodes latents first, if there is one.
  package let decoder: LatentDecoder?
  let record: Record
  private let grid: SampleGrid

  /// Prepares records of samples [C, S, S], or of what `decoder` makes of them.
  package init(
    _ record: Record, channels: Int, side: Int, _ properties: LatentProperties, decoder: LatentDecoder? = nil
  ) {
    (self.record, self.decoder) = (record, decoder)
    let shown = decoder == nil ? channels : 3
    self.side = decoder?.imageSide ?? side
    self.properties = decoder?.imageProperties ?? properties
    grid = SampleGrid(channels: shown, side: self.side, self.properties)
    self.channels = record == .colors ? 3 : shown
  }

  /// The number of bytes of a record.
  package var bytes: Int { channels * side * side * (record == .numbers ? 4 : 1) }

  /// Returns the records of a tile of samples.
  ///
  /// - Parameters:
  ///   - first: the number of the tile's first image
  ///   - count: the number of all images; those after the last one are filling
  package func tile(_ samples: [Float], first: Int, of count: Int) throws -> SampleTile<UInt8> {
    let shown = try decoder?.images(samples) ?? samples
    let images = tileImages(of: shown, samples)
    let elements = shown.count / images
    var (bytes, fault): ([UInt8], (image: Int, value: Float)?) = ([], nil)
    bytes.reserveCapacity(images * self.bytes)
    for image in 0..<images {
      let sample = Array(shown[image * elements..<(image + 1) * elements])
      let values = record == .numbers ? stored(sample) : sample
      if fault == nil, first + image < count, let value = values.first(where: { !$0.isFinite }) {
        fault = (first + image, value)
      }
      bytes += encoded(values)
    }
    return SampleTile(bytes, fault: fault)
  }

  private func tileImages(of shown: [Float], _ samples: [Float]) -> Int {
    guard let decoder else { return shown.count / grid.elements }
    return samples.count / (decoder.channels * decoder.side * decoder.side)
  }

  private func stored(_ sample: [Float]) -> [Float] {
    let plane = side * side
    return sample.indices.map { properties.stored(sample[$0], channel: $0 / plane) }
  }

  private func encoded(_ values: [Float]) -> [UInt8] {
    switch record {
    case .numbers: values.withUnsafeBytes(Array.init)
    case .pixels: grid.bytes(values)
    case .colors: grid.colors(values)
    }
  }
}
