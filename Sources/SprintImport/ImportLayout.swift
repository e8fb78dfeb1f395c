import SprintData

/// A layout in which others publish latents. Each file in `Layouts/` defines one: how to recognise it, how to read it,
/// and what its numbers mean.
///
/// To add a layout, write its file and add it to `ImportLayout.all`.
package struct ImportLayout: Sendable, CustomStringConvertible {
  /// The name of the layout on the command line and in messages.
  package let name: String
  /// Says whether a source is of this layout; nil if it is not.
  let recognise: @Sendable (SourceListing) throws -> Recognition?
  /// Opens the source at a path.
  let open: @Sendable (_ path: String, _ options: LatentImport.Options) throws -> any LatentSource
  /// Whether the classes may come from a file beside the source.
  var takesLabels = false
  /// Whether the user may say that half of the images are mirrored ones.
  var takesMirrored = false
  /// Whether a source holds pictures, in any folders below the one that the user names.
  var takesImages = false
  /// The pictures that the latents were made of, where the layout has them.
  var pictures: PictureFolder?
  /// Scale and shift of the stored latents; nil if only a file of statistics can say.
  let scaling: LatentScaling?
  /// The name of the autoencoder, if all published files of this layout are from one; else empty.
  var autoencoder = ""
  /// What follows the means, if the layout holds moments; nil if it holds drawn latents.
  let secondHalf: SecondHalf?

  package var description: String { name }
}

/// How a layout recognises a source.
enum Recognition {
  /// The source has this layout, unless another layout finds stronger evidence.
  case certain(Evidence)
  /// The source has this layout or another one, for a reason that a message gives.
  case ambiguous(String)
}

/// What a layout recognises a source by, the weakest first.
enum Evidence: Int, Comparable {
  /// The beginning of a file's name one folder below.
  case beginningInside
  /// The ending of a file's name one folder below.
  case endingInside
  /// The name of the source, or of a file or folder in it.
  case name
  /// A file that no other layout has.
  case ownFile

  static func < (left: Evidence, right: Evidence) -> Bool { left.rawValue < right.rawValue }
}
