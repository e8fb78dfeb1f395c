import SprintFormats

/// The names of series in TensorBoard, besides those of `StepColumn`. The part before the slash is their group.
enum CurveTag {
  static let validation = "loss/validation", cosine = "optimizer/gradient_cosine", stage = "optimizer/stage"
  static let samples = "samples/average", configuration = "run/configuration", stageText = "run/stage"

  /// The tags of series that earlier versions wrote without groups.
  static let renamed: [EventSeries: String] = {
    let others: [EventSeries: String] = [
      EventSeries(.curve, "validation_loss"): validation, EventSeries(.curve, "gradient_cosine"): cosine,
      EventSeries(.curve, "stage"): stage, EventSeries(.picture, "samples"): samples,
      EventSeries(.text, "configuration"): configuration, EventSeries(.text, "stage"): stageText,
    ]
    return StepColumn.all.reduce(into: others) { $0[EventSeries(.curve, $1.name)] = $1.tag }
  }()
}
