import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

/// An autoencoder of `Tests/Reference/autoencoder_reference.py`, with inputs and outputs.
struct AutoencoderCase {
  private let folder: TemporaryFolder
  private let autoencoder: Autoencoder
  private let arrays: SafetensorsFile

  init(_ options: String) throws {
    folder = try TemporaryFolder()
    let words = options.split(separator: " ").map(String.init)
    let python = try Python.run(["Tests/Reference/autoencoder_reference.py", "write", folder.path] + words)
    try #require(python.code == 0, "\(python.errors)")
    autoencoder = try Autoencoder(path: folder.file("vae.safetensors"))
    arrays = try SafetensorsFile(path: folder.file("case.safetensors"))
  }

  /// Fails unless moments and images differ from the expected ones by at most 2e-5 of the largest.
  func expectEqual(_ workers: Workers = Workers(2)) throws {
    let (images, latents) = (try arrays.floats("images"), try arrays.floats("latents"))
    let side = try #require(arrays.entry("images").shape.last)
    let moments = autoencoder.encode(images, side: side, workers)
    let decoded = autoencoder.decode(latents: latents, side: side / autoencoder.downscale, workers)
    let errors = (
      maximalError(moments, try arrays.floats("moments")), maximalError(decoded, try arrays.floats("decoded"))
    )
    print("relative errors: moments \(errors.0), images \(errors.1)")
    #expect(errors.0 < 2e-5 && errors.1 < 2e-5)
  }
}

/// Returns the largest difference as a part of the largest number.
func maximalError(_ found: [Float], _ expected: [Float]) -> Float {
  precondition(found.count == expected.count, "\(found.count) values against \(expected.count)")
  let largest = expected.reduce(0) { max($0, abs($1)) }
  let worst = zip(found, expected).reduce(Float(0)) { worst, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(worst, difference)
  }
  return worst / largest
}
