/// A number of every step, as `metrics.jsonl`, the curves, the report and the CSV file show it.
package struct StepColumn: Sendable {
  /// Its name in the log.
  package let name: String
  /// Its name in TensorBoard.
  let tag: String
  let value: @Sendable (StepReport) -> MetricValue
  /// Whether a run with these settings on so many ranks has this number.
  let applies: @Sendable (_ configuration: Configuration, _ ranks: Int) -> Bool

  private init(
    _ name: String, _ tag: String, applies: @escaping @Sendable (Configuration, Int) -> Bool = { _, _ in true },
    _ value: @escaping @Sendable (StepReport) -> MetricValue
  ) {
    (self.name, self.tag, self.applies, self.value) = (name, tag, applies, value)
  }

  /// All columns in the order of the log. A new column is one more line here.
  package static let all = [
    StepColumn("loss", "loss/training") { .number($0.losses.denoising) },
    StepColumn(
      "alignment", "loss/alignment", applies: { configuration, _ in configuration.data.teacher.features != nil }
    ) {
      .number($0.losses.alignment)
    },
    StepColumn(
      "attention", "loss/attention", applies: { configuration, _ in configuration.data.teacher.attention != nil }
    ) {
      .number($0.losses.attention)
    },
    StepColumn(
      "class_token", "loss/class_token", applies: { configuration, _ in configuration.model.classToken != nil }
    ) {
      .number($0.losses.classToken)
    },
    StepColumn("contrast", "loss/contrast", applies: { configuration, _ in configuration.contrastWeight != 0 }) {
      .number($0.losses.contrast)
    },
    StepColumn("gradient_norm", "optimizer/gradient_norm") { .number($0.gradientNorm) },
    StepColumn("learning_rate", "optimizer/learning_rate") { .number($0.learningRate) },
    StepColumn("seconds", "speed/seconds") { .number($0.timing.seconds) },
    StepColumn("images_per_second", "speed/images_per_second") { .number($0.imagesPerSecond) },
    StepColumn("peak_share", "speed/peak_share") { .number($0.peakShare) },
    StepColumn("data_seconds", "speed/data_seconds") { .number($0.timing.data) },
    StepColumn("reduction_seconds", "speed/reduction_seconds", applies: { _, ranks in ranks > 1 }) {
      .number($0.timing.reduction)
    },
    StepColumn("reduction_wait", "speed/reduction_wait", applies: { _, ranks in ranks > 1 }) {
      .number($0.timing.reductionWait)
    },
    StepColumn("skipped", "optimizer/skipped") { .integer($0.position.skipped) },
  ]
}
