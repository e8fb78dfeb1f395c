import Foundation
import SprintKernels

/// Every kernel in float64, written as plainly as its formula. Tests compare the fast kernels with these twins.
package enum Naive {
  package static func multiply(_ a: NaiveMatrix, _ b: NaiveMatrix) -> NaiveMatrix {
    NaiveMatrix(rows: a.rows, columns: b.columns) { r, c in (0..<a.columns).reduce(0) { $0 + a[r, $1] * b[$1, c] } }
  }

  package static func linear(_ x: NaiveMatrix, _ weight: NaiveMatrix, _ bias: [Double]) -> NaiveMatrix {
    let product = multiply(x, weight.transposed)
    return NaiveMatrix(rows: product.rows, columns: product.columns) { product[$0, $1] + bias[$1] }
  }

  package static func modulatedNorm(_ x: NaiveMatrix, _ norm: Norm, shift: [Double], scale: [Double]) -> NaiveMatrix {
    let rows = (0..<x.rows).map { r -> [Double] in
      let row = x.row(r)
      let mean = norm == .layer ? row.reduce(0, +) / Double(row.count) : 0
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      return row.map { ($0 - mean) / (variance + 1e-6).squareRoot() }
    }
    return NaiveMatrix(rows: x.rows, columns: x.columns) { rows[$0][$1] * (1 + scale[$1]) + shift[$1] }
  }

  package static func gatedResidual(_ x: NaiveMatrix, _ y: NaiveMatrix, gate: [Double]) -> NaiveMatrix {
    NaiveMatrix(rows: x.rows, columns: x.columns) { x[$0, $1] + gate[$1] * y[$0, $1] }
  }

  package static func rmsNorm(_ x: NaiveMatrix, weight: [Double], epsilon: Double = 1e-6) -> NaiveMatrix {
    let inverse = (0..<x.rows).map { r in
      1 / (x.row(r).reduce(0) { $0 + $1 * $1 } / Double(x.columns) + epsilon).squareRoot()
    }
    return NaiveMatrix(rows: x.rows, columns: x.columns) { x[$0, $1] * inverse[$0] * weight[$1] }
  }

  /// Turns pair (2 i, 2 i + 1) of each half of a head by place · theta^(-2 i / half): the first half by the row of the
  /// token, the second by its column. The first `prefix` tokens do not turn.
  package static func rotate(_ x: NaiveMatrix, prefix: Int = 0, grid: Int, positions: [Int], theta: Double)
    -> NaiveMatrix
  {
    let half = x.columns / 2
    func angle(_ r: Int, _ c: Int) -> Double {
      guard positions[r] >= prefix else { return 0 }
      let place = c < half ? (positions[r] - prefix) / grid : (positions[r] - prefix) % grid
      return Double(place) * pow(theta, -Double((c % half) / 2 * 2) / Double(half))
    }
    return NaiveMatrix(rows: x.rows, columns: x.columns) { r, c in
      c % 2 == 0
        ? x[r, c] * cos(angle(r, c)) - x[r, c + 1] * sin(angle(r, c))
        : x[r, c] * cos(angle(r, c)) + x[r, c - 1] * sin(angle(r, c))
    }
  }

  package static func attention(_ q: NaiveMatrix, _ k: NaiveMatrix, _ v: NaiveMatrix) -> NaiveMatrix {
    multiply(logAttention(q, k).map { exp($0) }, v)
  }

  /// log softmax(q · kᵀ / sqrt(W))
  package static func logAttention(_ q: NaiveMatrix, _ k: NaiveMatrix) -> NaiveMatrix {
    let scores = multiply(q, k.transposed).map { $0 / Double(q.columns).squareRoot() }
    let normalizers = (0..<q.rows).map { r in
      let peak = scores.row(r).max() ?? 0
      return peak + log(scores.row(r).reduce(0) { $0 + exp($1 - peak) })
    }
    return NaiveMatrix(rows: q.rows, columns: k.rows) { scores[$0, $1] - normalizers[$0] }
  }

  /// Σ over rows of -Σ_j T_ij log S_ij
  package static func crossEntropy(log: NaiveMatrix, target: NaiveMatrix) -> Double {
    -zip(log.values, target.values).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The rows and columns `kept`, each row divided by its sum; a row without mass is 0.
  package static func keptAttention(_ map: NaiveMatrix, _ kept: [Int]) -> NaiveMatrix {
    let sums = kept.map { row in kept.reduce(0) { $0 + map[row, $1] } }
    return NaiveMatrix(rows: kept.count, columns: kept.count) {
      sums[$0] > 0 ? map[kept[$0], kept[$1]] / sums[$0] : 0
    }
  }

  package static func gelu(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }

  package static func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

  package static func cosine(_ x: [Double], _ y: [Double]) -> Double {
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return dot(x, y) / (dot(x, x) * dot(y, y)).squareRoot()
  }
}
