import SprintInstruments

extension EvaluationRemedy: Advice {
  var advice: String {
    switch self {
    case .decodeLatents:
      "decode them first: sprint decode LATENTS.h5 --autoencoder VAE.safetensors --out IMAGES.npz"
    case .importPictures:
      "crop all to one size: sprint import --from images FOLDER IMAGES.h5 --side SIDE, then evaluate IMAGES.h5"
    case .saveStatistics:
      "compute them again with this network: sprint evaluate IMAGES --network ... --save STATISTICS.npz"
    case .useNetwork: "compare larger images with --network inception=WEIGHTS or dinov2-l=WEIGHTS"
    case .nameNetwork(let name): "name it with --network \(name)=WEIGHTS"
    }
  }
}
