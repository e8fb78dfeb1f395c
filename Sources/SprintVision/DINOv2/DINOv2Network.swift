import Foundation
import SprintFormats
import SprintKernels
import Synchronization

/// A vision transformer of DINOv2, sizes S, B and L (arXiv 2304.07193), for images of one size.
package final class DINOv2Network: Sendable {
  let weights: DINOv2Weights
  /// The path of the weights.
  package let path: String
  /// The side of an image in pixels.
  package let side: Int
  /// [R + 1, D] class token with its position, and registers.
  private let prefix: [Float]
  /// [N, D] positions of the patches.
  private let positions: [Float]
  private let idle = Mutex<[DINOv2Memory]>([])

  /// Reads the weights of a safetensors file, or of all shards of an index.
  ///
  /// - Parameters:
  ///   - side: of the images in pixels, a multiple of the patch's side, 14
  ///   - grid: patches along one side of the images, which says `side` too; nil leaves it as it is
  ///   - resizing: how the positions are resized to this image
  package init(
    path: String, side: Int = 224, grid: Int? = nil, positions resizing: PositionResizing = .published
  ) throws {
    let collection = try SafetensorsCollection(path: path)
    weights = try DINOv2Weights(collection)
    let patch = weights.shape.patch
    let side = grid.map { $0 * patch } ?? side
    (self.path, self.side) = (collection.path, side)
    guard side >= patch, side % patch == 0 else {
      throw FileError.unusable(
        path: path, problem: "takes images whose side is a multiple of its patches of \(patch) pixels, not \(side)")
    }
    positions = weights.positions(grid: side / patch, resizing)
    var classToken = weights.classToken.array
    if let position = weights.classPosition { classToken = zip(classToken, position.array).map(+) }
    prefix = classToken + (weights.registers?.flattened.array ?? [])
  }

  /// D
  package var width: Int { weights.shape.width }
  /// H
  package var heads: Int { weights.shape.heads }
  /// The number of blocks.
  package var depth: Int { weights.shape.depth }
  /// N
  package var patches: Int { side / weights.shape.patch * (side / weights.shape.patch) }
  /// The letter by which this size is known, e.g. `l`; nil for other sizes.
  package var letter: String? { weights.shape.letter }

  /// Runs images through the network, each on one worker. The numbers of an image depend on nothing else.
  ///
  /// - Parameters:
  ///   - count: of the images
  ///   - attentionBlocks: L, of how many of the last blocks the attention is returned
  ///   - image: makes the normalised image [3, side, side] of an index, on the worker
  package func outputs(
    of count: Int, attentionBlocks: Int = 0, _ workers: Workers, _ image: @Sendable (Int) -> [Float]
  ) -> [DINOv2Output] {
    let outputs = Mutex([DINOv2Output?](repeating: nil, count: count))
    run(count, attentionBlocks: attentionBlocks, workers, image) { index, output in
      outputs.withLock { $0[index] = output }
    }
    return outputs.withLock { $0.compactMap { $0 } }
  }

  /// Runs images through the network as `outputs` does, and keeps none of the outputs.
  ///
  /// - Parameter take: gets the output of an index, on the worker
  package func run(
    _ count: Int, attentionBlocks: Int = 0, _ workers: Workers, _ image: @Sendable (Int) -> [Float],
    take: @Sendable (Int, DINOv2Output) -> Void
  ) {
    precondition(0...depth ~= attentionBlocks, "attention of \(attentionBlocks) blocks of \(depth)")
    workers.run(tasks: count) { _, index in
      let memory = idle.withLock { $0.popLast() } ?? DINOv2Memory(weights.shape, tokens: patches + weights.shape.prefix)
      take(index, output(of: image(index), attentionBlocks, memory))
      idle.withLock { $0.append(memory) }
    }
  }

  private func output(of image: [Float], _ attentionBlocks: Int, _ memory: DINOv2Memory) -> DINOv2Output {
    precondition(image.count == 3 * side * side, "\(image.count) numbers for an image [3, \(side), \(side)]")
    var attention = [Float](repeating: 0, count: attentionBlocks * heads * patches * patches)
    embed(image, memory)
    attention.withUnsafeMutableBufferPointer { maps in
      for (index, block) in weights.blocks.enumerated() {
        let slot = index - (depth - attentionBlocks)
        let size = heads * patches * patches
        let map = slot >= 0 ? UnsafeMutableBufferPointer(rebasing: maps[slot * size..<(slot + 1) * size]) : nil
        block.run(memory, shape: weights.shape, attention: map)
      }
    }
    layerNorm(memory.x, weight: weights.norm.weight, bias: weights.norm.bias, into: memory.normalized)
    return DINOv2Output(
      classToken: memory.normalized.vector(0).array,
      patchTokens: memory.normalized.rows(weights.shape.prefix..<memory.x.rows).flattened.array, attention: attention)
  }

  /// x = class token, registers, and the patches' projections plus positions
  private func embed(_ image: [Float], _ memory: DINOv2Memory) {
    cut(image, into: memory.patches)
    let tokens = memory.x.rows(weights.shape.prefix..<memory.x.rows)
    linear(memory.patches, weight: weights.patches.weight, bias: weights.patches.bias, into: tokens)
    positions.withUnsafeBufferPointer { positions in
      for (i, position) in positions.enumerated() { tokens.base[i] += position }
    }
    prefix.withUnsafeBufferPointer { _ = memory.x.flattened.buffer.update(fromContentsOf: $0) }
  }

  /// Cuts an image into patches [3, p, p], row by row.
  private func cut(_ image: [Float], into patches: Matrix<Float>) {
    let (patch, grid) = (weights.shape.patch, side / weights.shape.patch)
    image.withUnsafeBufferPointer { image in
      guard let pixels = image.baseAddress else { return }
      for index in 0..<patches.rows {
        let corner = pixels + index / grid * patch * side + index % grid * patch
        for line in 0..<3 * patch {
          let source = corner + (line / patch * side + line % patch) * side
          (patches.row(index) + line * patch).update(from: source, count: patch)
        }
      }
    }
  }
}
