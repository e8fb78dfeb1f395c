import ArgumentParser
import SprintTraining

/// The configuration that a command reads, and what replaces some of its values.
struct ConfigurationOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The configuration (.yaml).", valueName: "config"), transform: nonEmptyPath)
  var file: String?

  @Option(name: .customLong("config"), help: "The configuration, instead of the argument.", transform: nonEmptyPath)
  var option: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Replaces a value of the configuration, e.g. stages[0].steps=100; may be given several times.",
      valueName: "key=value"))
  var settings: [String] = []

  var isGiven: Bool { file != nil || option != nil }

  func validate() throws {
    guard file == nil || option == nil else {
      throw ValidationError("\(file ?? "") and --config \(option ?? "") are two configurations, expected one")
    }
  }

  /// The path of the file. A command asks for it only when it runs: the parser then has reported unknown options.
  var path: String {
    get throws {
      guard let path = file ?? option else {
        throw ValidationError("the configuration is missing; name its file, such as configs/digits.yaml")
      }
      return path
    }
  }

  func read() throws -> Configuration {
    try Configuration(ConfigurationDocument(path: path, settings: settings, settingsName: "--set"))
  }
}
