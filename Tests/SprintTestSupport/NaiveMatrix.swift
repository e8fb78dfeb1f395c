/// A plain matrix of doubles.
package struct NaiveMatrix {
  package let rows: Int
  package let columns: Int
  package var values: [Double]

  package init(rows: Int, columns: Int, _ values: [Double]) {
    precondition(values.count == rows * columns)
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  package init(rows: Int, columns: Int, _ element: (Int, Int) -> Double) {
    self.init(rows: rows, columns: columns, (0..<rows * columns).map { element($0 / columns, $0 % columns) })
  }

  package subscript(r: Int, c: Int) -> Double { values[r * columns + c] }

  package func row(_ r: Int) -> [Double] { Array(values[r * columns..<(r + 1) * columns]) }

  package func rows(_ range: Range<Int>) -> NaiveMatrix {
    NaiveMatrix(
      rows: range.count, columns: columns, Array(values[range.lowerBound * columns..<range.upperBound * columns]))
  }

  package func columns(_ range: Range<Int>) -> NaiveMatrix {
    NaiveMatrix(rows: rows, columns: range.count) { self[$0, range.lowerBound + $1] }
  }

  package var transposed: NaiveMatrix { NaiveMatrix(rows: columns, columns: rows) { self[$1, $0] } }

  package static func + (a: NaiveMatrix, b: NaiveMatrix) -> NaiveMatrix {
    NaiveMatrix(rows: a.rows, columns: a.columns, zip(a.values, b.values).map(+))
  }

  package func map(_ f: (Double) -> Double) -> NaiveMatrix { NaiveMatrix(rows: rows, columns: columns, values.map(f)) }
}
