import SprintTraining

extension SampleRemedy: Advice {
  /// What the user can do, in terms of the command line.
  var advice: String {
    switch self {
    case .waitOrNameAnotherFile: "wait until it ends, or name another file with --out"
    case .nameAnotherFolder: "empty it, or name a new folder with --out"
    case .decodeOrWriteNumbers:
      "decode them with --decode VAE.safetensors, write their numbers with --out NAME.h5, which sprint decode "
        + "NAME.h5 --autoencoder VAE.safetensors makes images of later, or look at them with --out NAME.png"
    case .writeNumbers: "write their numbers with --out NAME.h5 or --out NAME.npz"
    case .writeImages: "write them with --out NAME.npz, or as a folder of pictures with --out NAME/"
    case .leaveOutDecoder: "leave out the autoencoder: --decode, or `samples.autoencoder` of a configuration"
    case .writeImagesOrLeaveOutDecoder: "name a .png, an .npz or a folder with --out, or leave out --decode"
    case .lowerScaleOrCheckWeights: "try a lower --scale or other weights"
    }
  }
}
