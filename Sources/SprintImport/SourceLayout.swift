import Foundation

/// The layouts of latents that are in use elsewhere.
package enum SourceLayout: String, Sendable, CaseIterable {
  /// `vae-sd/NNNNN/img-mean-std-NNNNNNNN.npy`, moments of the Stable Diffusion autoencoder; REPA, SPRINT, HASTE, ReDi.
  case repa
  /// The same names in a folder or a zip, from an autoencoder that saw pixels in [0, 1]; EDM2.
  case edm2
  /// One HDF5 data set an image; REPA-E.
  case repaE = "repa-e"
  /// `vae-in/NNNNN/img-latents-NNNNNNNN.npy`, drawn latents; SpeedrunDiT.
  case speedrunDiT = "speedrun-dit"
  /// `imagenet256_features/I.npy` and `imagenet256_labels/I.npy`, drawn and scaled latents; fast-DiT.
  case fastDiT = "fast-dit"
  /// `latents_rankRR_shardSSS.safetensors`; LightningDiT.
  case lightningDiT = "lightning-dit"
  /// `SYNSET/FILE.npz`; MAR.
  case mar
  /// An LMDB database; MaskDiT.
  case maskDiT = "maskdit"

  /// What stands behind the mean, where the layout holds moments.
  var secondHalf: SecondHalf? {
    switch self {
    case .repa, .edm2, .repaE: .std
    case .mar, .maskDiT: .logVariance
    case .speedrunDiT, .fastDiT, .lightningDiT: nil
    }
  }

  /// The autoencoder that the published files of this layout are from, where it is only one.
  var vae: String {
    switch self {
    case .repa, .edm2: "sd-vae-ft-mse"
    case .mar: "kl16"
    default: ""
    }
  }

  /// Finds out what lies at `path`, which has to be unmistakable.
  static func detect(_ path: String) throws -> SourceLayout {
    func unclear(_ found: String) -> ImportError {
      .source(path, "\(found); say what it is with --from \(allCases.map(\.rawValue).joined(separator: "|"))")
    }
    guard SourceFolder.isFolder(path) else {
      switch (path as NSString).pathExtension.lowercased() {
      case "h5", "hdf5": return .repaE
      case "zip": throw unclear("a zip may be of EDM2 or of REPA, which differ in scale")
      default: throw unclear("no folder, .h5 or .zip")
      }
    }
    let folder = SourceFolder(path)
    let names = try folder.names()
    if names.contains("data.mdb") { return .maskDiT }
    if names.contains("vae-sd") || folder.lastName == "vae-sd" { return .repa }
    if names.contains("vae-in") || folder.lastName == "vae-in" { return .speedrunDiT }
    if names.contains(where: { $0.hasSuffix("_features") }), names.contains(where: { $0.hasSuffix("_labels") }) {
      return .fastDiT
    }
    if names.contains(where: LightningShards.isShard) { return .lightningDiT }
    if let inner = names.first(where: { SourceFolder.isFolder("\(path)/\($0)") }) {
      let files = try SourceFolder("\(path)/\(inner)").names()
      if files.contains(where: { $0.hasSuffix(".npz") }) { return .mar }
      if files.contains(where: { $0.hasPrefix("img-latents-") }) { return .speedrunDiT }
      if files.contains(where: { $0.hasPrefix("img-mean-std-") }) {
        throw unclear("img-mean-std files may be of REPA or of EDM2, which differ in scale")
      }
    }
    throw unclear("no known layout was recognised")
  }
}

/// What stands behind the mean in stored moments.
package enum SecondHalf: String, Sendable, CaseIterable {
  /// The standard deviation.
  case std
  /// The logarithm of the variance, clamped to -30...20.
  case logVariance = "logvar"
}

/// Why latents could not be imported.
package enum ImportError: Error, CustomStringConvertible {
  /// The source as a whole is not what is needed.
  case source(String, String)
  /// A sample is not what is needed.
  case sample(source: String, name: String, problem: String)

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .source(let path, let problem): "\(path): \(problem)"
    case .sample(let source, let name, let problem): "\(source): sample \(name): \(problem)"
    }
  }
}
