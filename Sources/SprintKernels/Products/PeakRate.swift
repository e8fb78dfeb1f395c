/// The rate of matrix products that are large and square: what the products of a network can reach.
package enum PeakRate {
  /// Measures the rate of one product on each worker at once.
  ///
  /// - Returns: FLOP/s of all workers together, the best of three tries
  package static func measure(_ precision: Precision = .float32, workers: Workers, side: Int = 1024) -> Double {
    switch precision {
    case .float32: measure(of: Float.self, workers: workers, side: side)
    case .bfloat16: measure(of: BFloat16.self, workers: workers, side: side)
    }
  }

  /// Bytes of memory that a measurement takes.
  package static func bytes(threads: Int, side: Int = 1024) -> Int {
    threads * 3 * Arena.aligned(side * side) * MemoryLayout<Float>.stride
  }

  private static func measure<Element: MatrixElement>(of _: Element.Type, workers: Workers, side: Int) -> Double {
    let arena = Arena(count: workers.count * 3 * Arena.floats(for: Element.self, side * side))
    let matrices = (0..<workers.count * 3).map { _ in arena.matrix(of: Element.self, rows: side, columns: side) }
    for matrix in matrices {
      for i in 0..<side * side { matrix.base[i] = Element(Float(i % 17) * 0.1) }
    }
    let rates = (0..<3).map { _ in
      let elapsed = ContinuousClock().measure {
        workers.run(tasks: workers.count) { _, task in
          multiply(matrices[task * 3], matrices[task * 3 + 1], into: matrices[task * 3 + 2])
        }
      }
      return 2 * Double(side * side * side * workers.count) / (elapsed / .seconds(1))
    }
    return rates.max() ?? 0
  }
}
