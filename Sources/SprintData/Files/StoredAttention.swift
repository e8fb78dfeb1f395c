import SprintFormats
import SprintKernels

/// The extents of a teacher's attention in a data set.
package struct AttentionShape: Sendable, Equatable {
  /// Layers, heads of a layer, and tokens without the class token.
  package let layers, heads, tokens: Int
  /// Width of the teacher's heads where queries and keys are stored, nil where probabilities are.
  package let width: Int?

  /// The stored numbers of a sample.
  package var count: Int { layers * heads * tokens * (width.map { 2 * $0 } ?? tokens) }
}

/// A teacher's attention in a file: probabilities `/attention/NAME` [N, layers, heads, tokens, tokens], or
/// `/queries/NAME` and `/keys/NAME` [N, layers, heads, tokens, width], all without the class token; of
/// mirrored images in `/attention_flip/NAME` and so on.
struct StoredAttention: Sendable {
  let shape: AttentionShape
  /// The names of the data sets.
  let names: [String]
  /// The most numbers of a sample: twenty times those of four layers for images of 512 x 512.
  private static let most = 1 << 30
  private let arrays: [StoredArray]
  private let path: String

  /// Throws unless the file holds such attention for `count` samples.
  init(_ file: HDF5File, _ stored: StoredFile, _ name: String, mirrored: Bool, _ count: Int) throws {
    let maps = TeacherGroup.attention.path(name, mirrored: mirrored)
    let parts = [TeacherGroup.queries, .keys].map { $0.path(name, mirrored: mirrored) }
    names = file.has(maps) ? [maps] : parts
    guard names.allSatisfy(file.has) else {
      throw StoredTeacher.missing(maps, "it, or \(parts.joined(separator: " and "))", mirrored: mirrored, in: file)
    }
    arrays = try names.map { try StoredArray(file, stored, $0) }
    let extents = arrays[0].shape
    let isSquare = arrays.count > 1 || extents.count == 5 && extents[3] == extents[4]
    guard extents.count == 5, extents[0] == count, extents.allSatisfy({ $0 > 0 }), isSquare,
      arrays.allSatisfy({ $0.shape == extents })
    else {
      throw FileError.unusable(
        path: file.path,
        problem: zip(names, arrays).map { "\($0) has shape \($1.shape)" }.joined(separator: ", ")
          + ", expected [\(count), layers, heads, tokens, \(arrays.count > 1 ? "width] in both" : "tokens]")")
    }
    shape = AttentionShape(
      layers: extents[1], heads: extents[2], tokens: extents[3], width: arrays.count > 1 ? extents[4] : nil)
    path = file.path
    guard shape.count <= Self.most else {
      throw FileError.unusable(
        path: path, problem: "\(names[0]) holds \(shape.count) numbers of a sample, expected at most \(Self.most)")
    }
  }

  /// Reads what `request` asks for of entry `index`; the kept tokens are those of draw `draw`.
  ///
  /// - Parameters:
  ///   - target: [request.layout.count]
  ///   - scratch: [shape.count]
  func read(
    _ index: Int, _ request: AttentionRequest, draw: UInt64, into target: Vector<Float>, scratch: Vector<Float>
  ) throws {
    let size = shape.count / arrays.count
    let parts = arrays.indices.map { scratch[$0 * size..<($0 + 1) * size] }
    for (array, part) in zip(arrays, parts) { try array.read(index, into: part.buffer) }
    let teacher = TeacherAttention(
      parts.count > 1 ? .queriesAndKeys(parts[0], parts[1]) : .maps(parts[0]), layers: shape.layers,
      heads: shape.heads, tokens: shape.tokens)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: request.kept) { ids in
      request.findKept(draw, ids)
      teacher.write(
        request.layout, kept: UnsafeBufferPointer(ids), isKept: request.isKept, into: target)
    }
    // Rounding may lift a row's only number above 1.
    if let bad = target.buffer.first(where: { !($0 >= 0 && $0 <= 1.001) }) {
      throw FileError.unusable(
        path: path,
        problem: "the attention of sample \(index) has a probability of \(bad), expected finite numbers from 0 to 1")
    }
  }
}
