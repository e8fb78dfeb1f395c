/// An autoencoder whose latents others have published, with the scale and shift that diffusion models are trained with.
package struct PublishedAutoencoder: Sendable {
  /// The name that data sets keep in their attribute `vae`.
  package let name: String
  /// What turns its latents into the numbers that a model sees.
  package let scaling: LatentScaling

  /// Stable Diffusion's factor, the inverse of the deviation of its latents.
  /// `scale_factor` of `configs/stable-diffusion/v1-inference.yaml`, https://github.com/CompVis/stable-diffusion
  package static let stableDiffusionFactor: Float = 0.18215

  /// Stable Diffusion's autoencoder with the fine-tuned decoder, as SiT, REPA and SPRINT use it: 4 channels.
  /// https://huggingface.co/stabilityai/sd-vae-ft-mse
  package static let stableDiffusion = PublishedAutoencoder(
    name: "sd-vae-ft-mse", scaling: .factor(stableDiffusionFactor))

  /// The same autoencoder as EDM2 uses it: it sees pixels in [0, 1], and each channel gets mean 0 and deviation 0.5.
  /// `raw_mean`, `raw_std` and `final_std` of `training/encoders.py`, https://github.com/NVlabs/edm2
  package static let stableDiffusionOfEDM2 = PublishedAutoencoder(
    name: "sd-vae-ft-mse",
    scaling: .standardized(
      means: [5.81, 3.25, 0.12, -2.15], deviations: [4.17, 4.62, 3.71, 3.28], deviation: 0.5))

  /// The autoencoder of Stable Diffusion XL: 4 channels. `scaling_factor` of its `config.json`, as of the next two.
  /// https://huggingface.co/stabilityai/sdxl-vae
  package static let stableDiffusionXL = PublishedAutoencoder(name: "sdxl-vae", scaling: .factor(0.13025))

  /// The autoencoder of Stable Diffusion 3: 16 channels.
  /// https://huggingface.co/stabilityai/stable-diffusion-3-medium-diffusers
  package static let stableDiffusion3 = PublishedAutoencoder(
    name: "sd3-vae", scaling: .centred(at: 0.0609, factor: 1.5305, channels: 16))

  /// The autoencoder of Flux: 16 channels. https://huggingface.co/black-forest-labs/FLUX.1-dev
  package static let flux = PublishedAutoencoder(
    name: "flux-vae", scaling: .centred(at: 0.1159, factor: 0.3611, channels: 16))

  /// The KL-16 autoencoder of MAR: 16 channels. `engine_mar.py`, https://github.com/LTH14/mar; arXiv 2406.11838
  package static let kl16 = PublishedAutoencoder(name: "kl16", scaling: .factor(0.2325))

  /// The INVAE that REPA-E trained end to end and SpeedrunDiT uses. arXiv 2504.10483
  package static let e2eINVAE = PublishedAutoencoder(name: "e2e-invae", scaling: .factor(0.3099))
}

/// How stored latents become the numbers that a model sees: stored · scale + shift, channel by channel.
package enum LatentScaling: Sendable, Equatable {
  /// One factor for any number of channels.
  case factor(Float)
  /// Subtracts one number from all channels, then multiplies: (stored - centre) · factor.
  case centred(at: Float, factor: Float, channels: Int)
  /// Subtracts each channel's mean and brings its deviation to `deviation`; one mean and one deviation a channel.
  case standardized(means: [Float], deviations: [Float], deviation: Float)

  /// C of the latents, where it is fixed.
  package var channels: Int? {
    switch self {
    case .factor: nil
    case .centred(_, _, let channels): channels
    case .standardized(let means, _, _): means.count
    }
  }

  /// Returns scale and shift of each channel.
  package func perChannel(_ count: Int) -> (scale: [Float], shift: [Float]) {
    switch self {
    case .factor(let factor): return (Array(repeating: factor, count: count), Array(repeating: 0, count: count))
    case .centred(let centre, let factor, let channels):
      precondition(count == channels, "\(count) channels instead of \(channels)")
      return (Array(repeating: factor, count: count), Array(repeating: -centre * factor, count: count))
    case .standardized(let means, let deviations, let deviation):
      precondition(means.count == count && deviations.count == count, "\(means.count) means for \(count) channels")
      return (
        deviations.map { deviation / $0 }, zip(means, deviations).map { mean, raw in -mean * (deviation / raw) }
      )
    }
  }
}
