import SprintData
import SprintFormats

extension LatentImport {
  /// How to import.
  package struct Options: Sendable {
    /// The layout; nil detects it.
    package var layout: ImportLayout?
    /// Whether to store float16 instead of float32.
    package var isHalf = true
    /// The name of the autoencoder; nil takes the layout's own.
    package var vae: String?
    /// A file of statistics that gives scale and shift; nil takes those of the layout.
    package var statistics: String?
    /// A factor on top of the statistics; without statistics the scale itself, where the layout has none.
    package var multiplier: Float?
    /// The classes, if the source does not name them; see `LabelTable`.
    package var labels: String?
    /// Whether half of the images that the source counts are mirrored ones; nil finds out.
    package var isMirrored: Bool?
    /// What follows the means; nil takes the layout's own.
    package var secondHalf: SecondHalf?
    /// The number of classes; labels are below it.
    package var classes = 1000
    /// How to import pictures.
    package var images = ImageOptions()
    /// What encodes pictures; nil stores their pixels.
    package var encoder: NamedEncoder?
    /// Whose view of the pictures is stored too.
    package var teachers: [TeacherRequest] = []
    /// Whether to leave out samples that cannot be used.
    package var skipsBroken = false

    /// The defaults.
    package init() {}

    /// Opens a source of a layout.
    func open(_ path: String, as layout: ImportLayout) throws -> any LatentSource {
      guard labels == nil || layout.takesLabels else {
        throw FileError.unusable(
          path: path, problem: "the layout \(layout) has classes of its own", remedy: ImportRemedy.leaveOutLabels)
      }
      guard isMirrored == nil || layout.takesMirrored else {
        throw FileError.unusable(
          path: path, problem: "the layout \(layout) names its mirrored images", remedy: ImportRemedy.leaveOutMirrored)
      }
      if !layout.takesImages { try checkOfLatents(path, layout) }
      guard encoder != nil || !teachers.isEmpty || !images.flips else {
        throw FileError.unusable(
          path: path, problem: "mirrored pixels need no room: training mirrors pixels itself",
          remedy: ImportRemedy.leaveOutFlip)
      }
      let source = try layout.open(path, self)
      guard let pictures = layout.pictures, !teachers.isEmpty else { return source }
      return PicturedLatents(
        source, try PairedPictures(pictures.path(of: path), of: source, downscale: pictures.downscale))
    }

    /// Throws for options that concern pictures, of a layout that holds latents. Teachers may look at the pictures that
    /// the latents were made of.
    private func checkOfLatents(_ path: String, _ layout: ImportLayout) throws {
      let areSeen = layout.pictures != nil && !teachers.isEmpty
      var allowed = ImageOptions()
      if areSeen { allowed.tokens = images.tokens }
      guard encoder != nil || images != allowed || !teachers.isEmpty && !areSeen else { return }
      throw FileError.unusable(
        path: path,
        problem: areSeen
          ? "the layout \(layout) holds latents, of pictures that are cut and encoded already"
          : "the layout \(layout) holds latents, no pictures",
        remedy: areSeen ? ImportRemedy.leaveOutEncoding : .leaveOutImageOptions)
    }

    /// Reads the weights of the teachers of pictures of a shape.
    func loadTeachers(_ images: SourceShape, of path: String) throws -> [ImportTeacher] {
      guard !teachers.isEmpty else { return [] }
      let grid = try TeacherGrid.resolve(self.images.tokens, side: images.side, in: path)
      return try teachers.map { try ImportTeacher($0, grid: grid, isHalf: isHalf, mirrored: self.images.flips) }
    }

    /// Returns what the latents of a source mean. Scale and shift are the layout's own, or follow from statistics.
    func properties(_ path: String, _ layout: ImportLayout, channels: Int) throws -> LatentProperties {
      guard !isOfPixels(layout) else {
        guard statistics == nil, multiplier == nil else {
          throw FileError.unusable(
            path: path, problem: "pixels are stored as the model sees them, from -1 to 1",
            remedy: ImportRemedy.leaveOutScale)
        }
        return LatentProperties(
          scale: Array(repeating: 1, count: channels), shift: Array(repeating: 0, count: channels), kind: "pixels",
          pixelRange: -1...1, vae: vae ?? "")
      }
      let (scale, shift) = try scaling(path, layout, channels)
      return LatentProperties(
        scale: scale, shift: shift, kind: "latents", pixelRange: -1...1,
        vae: encoder?.label(vae) ?? vae ?? layout.autoencoder)
    }

    /// Whether the data set holds the pixels of pictures.
    private func isOfPixels(_ layout: ImportLayout) -> Bool { layout.takesImages && encoder == nil }

    private func scaling(_ path: String, _ layout: ImportLayout, _ channels: Int) throws -> (
      scale: [Float], shift: [Float]
    ) {
      if let statistics {
        let statistics = try LatentStatistics(path: statistics, channels: channels, multiplier: multiplier ?? 1)
        return (statistics.scale, statistics.shift)
      }
      if let encoder, multiplier == nil {
        guard let published = encoder.published(vae) else {
          throw FileError.unusable(
            path: encoder.path,
            problem:
              "its name is none of \(PublishedAutoencoder.all.map(\.name).joined(separator: ", ")), so its scale "
              + "is not known", remedy: ImportRemedy.nameAutoencoder)
        }
        return try perChannel(published.scaling, published.name, channels, path)
      }
      guard multiplier == nil || layout.scaling == nil else {
        throw FileError.unusable(
          path: path, problem: "the layout \(layout) has a scale of its own", remedy: ImportRemedy.leaveOutMultiplier)
      }
      guard let scaling = layout.scaling ?? multiplier.map(LatentScaling.factor) else {
        throw FileError.unusable(
          path: path, problem: "the layout \(layout) scales by its data set's statistics",
          remedy: ImportRemedy.nameStatistics)
      }
      return try perChannel(scaling, "the layout \(layout)", channels, path)
    }

    private func perChannel(
      _ scaling: LatentScaling, _ owner: String, _ channels: Int, _ path: String
    ) throws -> (scale: [Float], shift: [Float]) {
      guard scaling.channels == nil || scaling.channels == channels else {
        throw FileError.unusable(
          path: path, problem: "latents of \(channels) channels, \(owner) has \(scaling.channels ?? 0)")
      }
      return scaling.perChannel(channels)
    }
  }
}
