/// Latents, and the pictures that they were made of.
struct PicturedLatents: LatentSource {
  private let latents: any LatentSource
  private let paired: PairedPictures

  init(_ latents: any LatentSource, _ pictures: PairedPictures) { (self.latents, paired) = (latents, pictures) }

  var pictures: PairedPictures? { paired }

  var count: Int { latents.count }

  var shape: SourceShape { latents.shape }

  var notes: [String] { latents.notes + paired.notes }

  var classNames: [String] { latents.classNames }

  var contents: String { "\(latents.contents) \(paired.contents)" }

  func name(_ index: Int) -> String { latents.name(index) }

  func files(_ index: Int) -> [String] { latents.files(index) + [paired.file(index)].compactMap(\.self) }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  { try latents.read(index, into: values, flipped: flipped) }
}
