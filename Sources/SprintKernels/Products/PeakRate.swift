import Glibc

/// The rate of matrix products that are large and square: what the products of a network can reach.
package struct PeakRate: Sendable, Equatable {
  /// FLOP/s of all workers together in the best try, and in the median one.
  package let best, median: Double
  /// The share of the cores' time that the workers got meanwhile.
  package let coreShare: Double

  /// Makes a rate of what was measured.
  package init(best: Double, median: Double, coreShare: Double = 1) {
    (self.best, self.median, self.coreShare) = (best, median, coreShare)
  }

  /// How far the median try stayed behind the best one, as a share of it.
  package var spread: Double { best > 0 ? 1 - median / best : 0 }

  /// What a line that shows the best rate adds where other work, here or on the same hardware, disturbed it.
  package var disturbance: String? {
    if coreShare < 0.95 { return "disturbed: other work took \(Self.percent(1 - coreShare)) of the cores" }
    return spread > 0.1 ? "disturbed: the median try reached \(Self.percent(1 - spread))" : nil
  }

  private static func percent(_ share: Double) -> String { "\(Int((100 * share).rounded()))%" }

  /// Tries of a measurement at the least, and seconds that it takes at the least.
  private static let tries = 5, seconds = 0.25

  /// Measures the rate of one product on each worker at once, several times.
  package static func measure(_ precision: Precision = .float32, workers: Workers, side: Int = 1024) -> PeakRate {
    switch precision {
    case .float32: measure(of: Float.self, workers: workers, side: side)
    case .bfloat16: measure(of: BFloat16.self, workers: workers, side: side)
    }
  }

  /// Bytes of memory that a measurement takes.
  package static func bytes(threads: Int, side: Int = 1024) -> Int {
    threads * 3 * Arena.aligned(side * side) * MemoryLayout<Float>.stride
  }

  private static func measure<Element: MatrixElement>(of _: Element.Type, workers: Workers, side: Int) -> PeakRate {
    let arena = Arena(count: workers.count * 3 * Arena.floats(for: Element.self, side * side))
    let matrices = (0..<workers.count * 3).map { _ in arena.matrix(of: Element.self, rows: side, columns: side) }
    for matrix in matrices {
      for i in 0..<side * side { matrix.base[i] = Element(Float(i % 17) * 0.1) }
    }
    var rates: [Double] = []
    let (began, computed) = (ContinuousClock.now, processorSeconds)
    while rates.count < tries || (ContinuousClock.now - began) / .seconds(1) < seconds {
      let elapsed = ContinuousClock().measure {
        workers.run(tasks: workers.count) { _, task in
          multiply(matrices[task * 3], matrices[task * 3 + 1], into: matrices[task * 3 + 2])
        }
      }
      rates.append(2 * Double(side * side * side * workers.count) / (elapsed / .seconds(1)))
    }
    let elapsed = (ContinuousClock.now - began) / .seconds(1)
    return PeakRate(
      best: rates.max() ?? 0, median: SprintKernels.median(rates),
      coreShare: (processorSeconds - computed) / (elapsed * Double(workers.count)))
  }

  /// The seconds that cores have spent on this process.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
