import ArgumentParser
import SprintInstruments
import SprintTraining

/// `sprint report`
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes the curves, samples, speed and checkpoints of a run as one self-contained HTML file.",
    discussion: "Example: sprint report runs/digits --csv digits.csv")

  @Argument(help: "The folder of a run; it may still be training.", transform: nonEmptyPath)
  var folder: String

  @Option(help: "The file to write; without it, RUN/report.html.", transform: nonEmptyPath)
  var out: String?

  @Option(
    help: "Also writes the numbers of every step to this file, one line for each step (.csv).", transform: nonEmptyPath)
  var csv: String?

  func run() throws {
    let report = try RunReport(run: folder)
    let page = out ?? "\(folder)/report.html"
    try report.writeHTML(to: page)
    Console.line(page)
    if let csv {
      try report.writeCSV(to: csv)
      Console.line(csv)
    }
  }
}
