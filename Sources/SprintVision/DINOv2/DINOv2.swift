import SprintFormats
import SprintKernels

/// DINOv2 as an evaluation uses it: FDD compares class tokens of images of 224 x 224 pixels. Stein et al., arXiv
/// 2306.04675, with size L.
package struct DINOv2: FeatureNetwork {
  package let name: String
  package let fingerprint: String?
  /// The network.
  package let network: DINOv2Network

  /// Reads the weights of a safetensors file.
  package init(path: String) throws {
    network = try DINOv2Network(path: path)
    name = "dinov2" + (network.letter.map { "-\($0)" } ?? "")
    fingerprint = try SafetensorsCollection(path: path).fingerprint
  }

  /// Returns the class tokens of pictures, which it resizes to 224 x 224 as Pillow does.
  package func features(of pictures: [Picture], _ workers: Workers) -> ImageFeatures {
    let side = network.side
    let outputs = network.outputs(of: pictures.count, workers) { index in
      DINOv2Input.forEvaluation(resized: pictures[index].resizedBicubic(width: side, height: side))
    }
    return ImageFeatures(pooled: outputs.map(\.classToken))
  }
}
