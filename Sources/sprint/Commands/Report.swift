import SprintInstruments
import ArgumentParser
import SprintTraining

/// `sprint report`
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a run's curves, samples, speed and checkpoints as one HTML file that needs nothing besides.",
    discussion: "Example: sprint report runs/digits --csv digits.csv")

  @Argument(help: "The folder of a run, which may be under way.")
  var folder: String

  @Option(help: "Where to write; RUN/report.html where left out.")
  var out: String?

  @Option(help: "Also writes the numbers of all steps, one line a step (.csv).")
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
