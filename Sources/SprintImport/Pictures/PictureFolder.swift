import Foundation
import SprintFormats

/// Where a layout has the pictures that its latents were made of, and how large they are.
struct PictureFolder: Sendable {
  /// The name of the latents' folder. That of the pictures, `images`, lies beside it.
  let latents: String
  /// Pixels of a picture's side for each of a latent's.
  let downscale: Int

  /// Returns the folder of the pictures of a source: the folder of the latents, one that holds it, or a zip of them.
  func path(of source: String) -> String {
    let holdsLatents = FolderListing.isFolder("\(source)/\(latents)")
    let top = URL(fileURLWithPath: source).standardizedFileURL
    return (holdsLatents ? top : top.deletingLastPathComponent()).appendingPathComponent("images").path
  }
}
