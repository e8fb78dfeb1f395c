import SprintData

extension ImportLayout {
  /// REPA's names in a folder or a zip, but from an autoencoder that sees pixels in [0, 1]. The layout of EDM2.
  static let edm2 = ImportLayout(
    name: "edm2",
    recognise: { source in
      if !source.isFolder, source.ending == "zip" {
        return .ambiguous("a zip may be of EDM2 or of REPA, which differ in scale")
      }
      return source.innerNames.contains { $0.hasPrefix("img-mean-std-") }
        ? .ambiguous("img-mean-std files may be of REPA or of EDM2, which differ in scale") : nil
    },
    open: { path, options in
      try NumberedFiles(path, inner: "vae-sd", prefix: "img-mean-std-", moments: true, labels: options.labels)
    },
    takesLabels: true,
    pictures: PictureFolder(latents: "vae-sd", downscale: 8),
    scaling: PublishedAutoencoder.stableDiffusionOfEDM2.scaling,
    autoencoder: PublishedAutoencoder.stableDiffusionOfEDM2.name,
    secondHalf: .std)
}
