import SprintData

extension ImportLayout {
  /// `vae-sd/NNNNN/img-mean-std-NNNNNNNN.npy`: moments of Stable Diffusion's autoencoder. The layout of REPA, SPRINT,
  /// HASTE and ReDi.
  static let repa = ImportLayout(
    name: "repa",
    recognise: { $0.isOrHolds("vae-sd") ? .certain(.name) : nil },
    open: { path, options in
      try NumberedFiles(path, inner: "vae-sd", prefix: "img-mean-std-", moments: true, labels: options.labels)
    },
    takesLabels: true,
    pictures: PictureFolder(latents: "vae-sd", downscale: 8),
    scaling: PublishedAutoencoder.stableDiffusion.scaling,
    autoencoder: PublishedAutoencoder.stableDiffusion.name,
    secondHalf: .std)
}
