import SprintKernels

extension DINOv2Weights.Block {
  /// x += scale · attention(norm(x)), then x += scale · network(norm(x)).
  ///
  /// - Parameter maps: receives [H, N, N], the attention among the patches; nil where nobody wants it
  func run(_ memory: DINOv2Memory, shape: DINOv2Shape, attention maps: UnsafeMutableBufferPointer<Float>?) {
    layerNorm(memory.x, weight: attentionNorm.weight, bias: attentionNorm.bias, into: memory.normalized)
    apply(queriesKeysValues, to: memory.normalized, into: memory.queriesKeysValues)
    attend(memory, shape, maps)
    apply(projection, to: memory.normalized, into: memory.branch)
    gatedResidual(memory.x, memory.branch, gate: attentionScale, into: memory.x)
    layerNorm(memory.x, weight: networkNorm.weight, bias: networkNorm.bias, into: memory.normalized)
    apply(expansion, to: memory.normalized, into: memory.hidden)
    exactGELU(memory.hidden, into: memory.hidden)
    apply(contraction, to: memory.hidden, into: memory.branch)
    gatedResidual(memory.x, memory.branch, gate: networkScale, into: memory.x)
  }

  private func apply(_ layer: DINOv2Weights.Layer, to x: Matrix<Float>, into y: Matrix<Float>) {
    linear(x, weight: layer.weight, bias: layer.bias, into: y)
  }

  /// Sets `normalized` to the outputs of all heads.
  private func attend(_ memory: DINOv2Memory, _ shape: DINOv2Shape, _ maps: UnsafeMutableBufferPointer<Float>?) {
    for first in stride(from: 0, to: shape.heads, by: DINOv2Memory.headsAtOnce) {
      let heads = first..<min(first + DINOv2Memory.headsAtOnce, shape.heads)
      func stack(_ part: Int, of matrix: Matrix<Float>) -> MatrixStack<Float> {
        let start = (part * shape.heads + first) * DINOv2Shape.headWidth
        let columns = start..<start + heads.count * DINOv2Shape.headWidth
        return MatrixStack(heads: matrix, columns: columns, width: DINOv2Shape.headWidth)
      }
      let inputs = AttentionHeads(
        query: stack(0, of: memory.queriesKeysValues), key: stack(1, of: memory.queriesKeysValues),
        value: stack(2, of: memory.queriesKeysValues))
      attention(
        inputs, into: stack(0, of: memory.normalized), logSumExp: memory.logSumExp.columns(0..<heads.count),
        memory.scratch(heads: heads.count))
      if let maps { copyMaps(of: heads, memory, prefix: shape.prefix, into: maps) }
    }
  }

  /// Copies the probabilities of some heads that `attend` has left in the scores.
  private func copyMaps(
    of heads: Range<Int>, _ memory: DINOv2Memory, prefix: Int, into maps: UnsafeMutableBufferPointer<Float>
  ) {
    let (tokens, patches) = (memory.x.rows, memory.x.rows - prefix)
    for head in heads {
      let first = (head - heads.lowerBound) * tokens + prefix
      for row in 0..<patches {
        let place = ((head * patches) + row) * patches
        let probabilities = UnsafeBufferPointer(start: memory.scores.row(first + row) + prefix, count: patches)
        _ = UnsafeMutableBufferPointer(rebasing: maps[place..<place + patches]).update(fromContentsOf: probabilities)
      }
    }
  }
}
