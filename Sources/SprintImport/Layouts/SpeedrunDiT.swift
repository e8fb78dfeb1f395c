import SprintData

extension ImportLayout {
  /// `vae-in/NNNNN/img-latents-NNNNNNNN.npy`: drawn latents of the INVAE. The layout of SpeedrunDiT.
  static let speedrunDiT = ImportLayout(
    name: "speedrun-dit",
    recognise: { source in
      if source.isOrHolds("vae-in") { return .certain(.name) }
      return source.innerNames.contains { $0.hasPrefix("img-latents-") } ? .certain(.beginningInside) : nil
    },
    open: { path, options in
      try NumberedFiles(path, inner: "vae-in", prefix: "img-latents-", moments: false, labels: options.labels)
    },
    takesLabels: true,
    pictures: PictureFolder(latents: "vae-in", downscale: 16),
    scaling: PublishedAutoencoder.e2eINVAE.scaling,
    secondHalf: nil)
}
