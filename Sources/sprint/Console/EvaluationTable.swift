import Foundation
import SprintInstruments

/// An evaluation as a table of names and values.
struct EvaluationTable {
  private let result: EvaluationResult

  init(_ result: EvaluationResult) { self.result = result }

  /// The numbers, then all that they depend on, then what is missing and why.
  var lines: [(name: String, value: String)] {
    numbers + [("samples", describe(result.samples))] + (result.reference.map { [("reference", describe($0))] } ?? [])
      + [("network", network)] + result.notComputed.sorted { $0.key < $1.key }.map { ("no \($0.key)", $0.value) }
  }

  private var numbers: [(name: String, value: String)] {
    let deviation = result.inceptionScoreDeviation.map { String(format: " (deviation over splits %.3f)", $0) } ?? ""
    let values: [(String, Double?, String)] = [
      ("fid", result.fid, ""), ("sfid", result.sfid, ""), ("fdd", result.fdd, ""), ("fd", result.fd, ""),
      ("inception_score", result.inceptionScore, deviation), ("precision", result.precision, compared),
      ("recall", result.recall, compared),
    ]
    return values.compactMap { name, value, more in
      value.map { (name, String(format: "%.5f", $0) + more) }
    }
  }

  private var compared: String {
    " (k = 3, \(result.samples.compared) samples, \(result.reference?.compared ?? 0) reference images)"
  }

  private var network: String {
    result.network + (result.networkSha256.map { ", SHA-256 of its weights \($0)" } ?? "")
  }

  private func describe(_ side: EvaluationResult.Side) -> String {
    let images = side.images.map { "\($0) images" } ?? "images of unknown number"
    let leftOut = side.leftOut > 0 ? ", \(side.leftOut) left out" : ""
    return [
      "\(side.path), \(side.isStatistics ? "statistics of " : "")\(images)\(side.extents.map { " of \($0)" } ?? "")"
        + leftOut,
      side.origin,
    ].compactMap(\.self).joined(separator: "; ")
  }
}
