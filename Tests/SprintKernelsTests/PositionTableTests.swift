import Foundation
import SprintKernels
import Testing

@Suite struct PositionTableTests {
  @Test("Positions are sines, then cosines, of the column and then of the row; the tokens before have none")
  func table() {
    let (prefix, grid, width) = (1, 3, 8)
    let table = PositionTable(prefix: prefix, grid: grid, width: width)
    // The table owns the memory of its values.
    let rows = withExtendedLifetime(table) { (0..<table.values.rows).map { table.values.vector($0).array } }
    #expect(rows.count == 10 && rows[0].allSatisfy { $0 == 0 })
    for place in 0..<grid * grid {
      let (row, column) = (Double(place / grid), Double(place % grid))
      // 10000^(-i / 2) for the two frequencies of a quarter.
      let expected = [
        sin(column), sin(column / 100), cos(column), cos(column / 100), sin(row), sin(row / 100), cos(row),
        cos(row / 100),
      ]
      for (found, expected) in zip(rows[prefix + place], expected) {
        #expect(abs(Double(found) - expected) < 1e-7)
      }
    }
  }
}
