import SprintFormats
import SprintKernels
import Synchronization

/// The Inception network by which FID, sFID and IS are defined: the graph of 2015-12-05, with weights as pytorch-fid
/// (github.com/mseitzer/pytorch-fid) has converted them, `pt_inception-2015-12-05`. Heusel et al., arXiv 1706.08500.
package final class Inception: FeatureNetwork {
  package let name = "inception"
  package let fingerprint: String?
  private let blocks: [InceptionBlock]
  /// [1008, features]
  private let classes: [Float]
  private let features: Int
  private let idle = Mutex<[InceptionMemory]>([])

  /// The side of the picture that the network reads.
  static let side = 299
  /// The channels of the spatial features.
  static let spatialChannels = 7
  static let source = MapShape(height: side, width: side, channels: 3)

  /// Reads the weights of a safetensors file.
  package init(path: String) throws {
    let collection = try SafetensorsCollection(path: path)
    let tensors = try InceptionTensors(collection)
    var channels = 3
    blocks = try InceptionBlockPlan.network.map { plan in
      let block = try InceptionBlock(plan, inputs: channels, tensors)
      if plan.isSpatial, block.firstChannels(channels) < Self.spatialChannels {
        throw tensors.unexpected(
          "\(plan.name)branch1x1.conv.weight", [block.firstChannels(channels)],
          "at least \(Self.spatialChannels) outputs")
      }
      channels = block.channels(channels)
      return block
    }
    features = channels
    classes = try tensors.classes(inputs: channels)
    fingerprint = try collection.fingerprint
  }

  /// Returns the three kinds of features of pictures, each picture on one worker:
  ///
  /// - pooled: the mean over the 8 x 8 pixels of the last block, `pool_3` of the graph;
  /// - spatial: the first 7 channels of `mixed_6/conv` [17, 17, 7], channels last, as ADM's evaluator flattens them
  ///   (github.com/openai/guided-diffusion, evaluations/evaluator.py). The graph counts its blocks from `mixed`, so
  ///   this is torchvision's `Mixed_6d.branch1x1`;
  /// - logits: `fc` without its bias, as the evaluator computes them for IS.
  package func features(of pictures: [Picture], _ workers: Workers) -> ImageFeatures {
    let results = Mutex([ImageFeatures?](repeating: nil, count: pictures.count))
    workers.run(tasks: pictures.count) { _, index in
      let memory = idle.withLock { $0.popLast() } ?? InceptionMemory(blocks)
      // The graph resizes, subtracts 128 and multiplies by 1 / 128.
      let pixels = pictures[index].resizedBilinearTF1(side: Self.side).map { ($0 - 128) / 128 }
      let result = features(of: pixels, memory)
      results.withLock { $0[index] = result }
      idle.withLock { $0.append(memory) }
    }
    let all = results.withLock { $0.compactMap { $0 } }
    return ImageFeatures(
      pooled: all.flatMap(\.pooled), spatial: all.flatMap { $0.spatial ?? [] }, logits: all.flatMap { $0.logits ?? [] })
  }

  private func features(of pixels: [Float], _ memory: InceptionMemory) -> ImageFeatures {
    var x = Self.source.map(in: memory.maps[1])
    _ = x.pixels.flattened.buffer.update(fromContentsOf: pixels)
    var spatial: [Float] = []
    for (index, block) in blocks.enumerated() {
      let y = block.shape(x.shape).map(in: memory.maps[index % 2])
      block.run(x, into: y, between: memory.between)
      x = y
      if block.isSpatial { spatial = Self.spatial(x) }
    }
    let pooled = Self.mean(x)
    return ImageFeatures(pooled: [pooled], spatial: [spatial], logits: [logits(pooled)])
  }

  private static func spatial(_ x: FeatureMaps) -> [Float] {
    (0..<x.pixels.rows).flatMap { pixel in (0..<spatialChannels).map { x.pixels[pixel, $0] } }
  }

  private static func mean(_ x: FeatureMaps) -> [Float] {
    var sums = [Float](repeating: 0, count: x.channels)
    for pixel in 0..<x.pixels.rows {
      for channel in sums.indices { sums[channel] += x.pixels[pixel, channel] }
    }
    return sums.map { $0 / Float(x.pixels.rows) }
  }

  private func logits(_ pooled: [Float]) -> [Float] {
    (0..<classes.count / features).map { row in
      var sum = 0.0
      for i in 0..<features { sum += Double(classes[row * features + i]) * Double(pooled[i]) }
      return Float(sum)
    }
  }
}

/// What one worker computes a picture in.
private final class InceptionMemory: Sendable {
  /// The source and the target of a block, in turn.
  let maps: [Vector<Float>]
  /// Maps between the steps of a branch.
  let between: [Vector<Float>]
  private let arena: Arena

  init(_ blocks: [InceptionBlock]) {
    var (shape, ofBlocks, ofSteps) = (Inception.source, Inception.source.count, 0)
    for block in blocks {
      ofSteps = max(ofSteps, block.largest(shape))
      shape = block.shape(shape)
      ofBlocks = max(ofBlocks, shape.count)
    }
    let sizes = [ofBlocks, ofBlocks, ofSteps, ofSteps]
    let arena = Arena(count: sizes.reduce(0) { $0 + Arena.aligned($1) })
    let views: [Vector<Float>] = sizes.map { arena.matrix(rows: 1, columns: $0).flattened }
    (maps, between, self.arena) = (Array(views[..<2]), Array(views[2...]), arena)
  }
}
