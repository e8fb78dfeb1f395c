import SprintImport

extension ImportRemedy: Advice {
  var advice: String {
    switch self {
    case .nameLayout: "say what it is with --from \(ImportLayout.all.map(\.name).joined(separator: "|"))"
    case .nameLabels: "name the classes with --labels FILE (.json or .npy), or use --labels none"
    case .pairLabels: "name the class of each file with --labels FILE.json, like {\"labels\": [[\"FILE\", CLASS], ...]}"
    case .leaveOutLabels: "leave out --labels"
    case .raiseClasses: "set the number of classes with --classes"
    case .countClassesFromZero:
      "labels start at 0; import data without classes with --labels none, where the layout takes --labels"
    case .nameStatistics:
      "name their file with --statistics, or, where the model sees latents times a factor (LightningDiT's "
        + "latent_norm: false), name that factor alone, e.g. --multiplier 0.18215"
    case .leaveOutMultiplier: "leave out --multiplier, or name a file with --statistics"
    case .sayMirrored: "say whether half of them are mirrored images with --mirrored yes|no"
    case .leaveOutMirrored: "leave out --mirrored"
    case .nameSecondHalf: "say which they are with --second-half std|logvar"
    case .chooseLogVariance: "say so with --second-half logvar"
    case .leaveOutSecondHalf: "leave out --second-half"
    case .nameSide: "say how large they become with --side, e.g. --side 256"
    case .nameTokens: "say how many tokens along a side the network to train has with --tokens, e.g. --tokens 24"
    case .leaveOutImageOptions:
      "leave out --side, --flip, --as-stored, --autoencoder, --features, --attention and --tokens"
    case .leaveOutEncoding: "leave out --side, --flip, --as-stored and --autoencoder"
    case .leaveOutFlip: "leave out --flip, or encode with --autoencoder"
    case .leaveOutScale: "leave out --multiplier and --statistics"
    case .nameAutoencoder: "name it with --vae, or its factor with --multiplier or --statistics"
    case .waitOrNameAnotherOutput: "wait until it ends, or name another file"
    case .skipBroken: "mend what is wrong, or leave such samples out with --skip-broken"
    case .storeFloat32: "use --dtype f32"
    }
  }
}
