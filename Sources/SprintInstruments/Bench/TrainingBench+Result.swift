import SprintKernels

extension TrainingBench {
  /// The seconds of a step at rank zero by what they were spent on: the time of all threads over the number of threads.
  package struct Parts: Sendable, Encodable {
    /// Seconds of computing, by kind.
    package var matrixProducts, attention, elementWise, optimizer: Double
    /// Seconds of waiting, by cause.
    package var waitingForData, waitingForRanks: Double
    /// Seconds of work on a single thread, and of threads that wait for each other.
    package var other: Double
  }

  /// The result of a bench; seconds are medians.
  package struct Result: Sendable, Encodable {
    /// The size of the network, or the configuration that it comes from.
    package var network: String
    /// The number format of the products.
    package var precision: Precision
    /// The number of images in a step, of all ranks together.
    package var batch: Int
    /// The share of tokens that the middle blocks do not compute.
    package var ratio: Double
    /// The number of ranks, and of threads of each.
    package var ranks, threads: Int
    /// The number of steps, those that warm up included.
    package var steps: Int
    /// The seconds of a whole step, and the images per second.
    package var secondsPerStep, imagesPerSecond: Double
    /// 10⁹ FLOP/s: the published algorithm's work per second, with a projector's, and the rate of large matrix
    /// products on all ranks.
    package var gflops, peakGflops: Double
    /// The ratio of the two.
    package var peakShare: Double
    /// Bytes of gradients and weights that rank zero sends to others in a step.
    package var bytesSentPerStep: Double
    /// The largest resident memory of rank zero so far, in GiB.
    package var peakGib: Double
    /// The memory that is reserved for activations, in GiB.
    package var activationsGib: Double
    /// The seconds of a step by what they were spent on.
    package var parts: Parts
  }
}
