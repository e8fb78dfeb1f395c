import SprintInstruments

extension EvaluationRemedy: Advice {
  var advice: String {
    switch self {
    case .decodeLatents:
      "decode them first: sprint decode LATENTS.h5 --autoencoder VAE.safetensors --out IMAGES.npz"
    case .nameSide: "crop all pictures of folders to one size with --side, e.g. --side 256"
    case .skipBroken: "mend or remove it, or leave such pictures out with --skip-broken"
    case .leaveOutFolderOptions: "leave out --side and --skip-broken"
    case .saveStatistics:
      "compute them again with this network: sprint evaluate IMAGES --network ... --save STATISTICS.npz"
    case .useNetwork: "compare larger images with --network inception=WEIGHTS or dinov2-l=WEIGHTS"
    case .nameNetwork(let name): "name it with --network \(name)=WEIGHTS"
    }
  }
}
