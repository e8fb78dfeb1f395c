import SprintData
import Testing

@Suite struct SampleOrderTests {
  @Test("Every sample comes exactly once an epoch, in a new order each epoch", arguments: [1, 2, 5, 1000, 1437, 4096])
  func epochs(count: Int) {
    let order = SampleOrder(count: count, seed: 3)
    let epochs = (0..<3).map { epoch in (0..<count).map { order.sample(draw: UInt64(epoch * count + $0)) } }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<count)) }
    if count >= 1000 {
      #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2] && epochs[0] != Array(0..<count))
      #expect(epochs[0] != (0..<count).map { SampleOrder(count: count, seed: 4).sample(draw: UInt64($0)) })
    }
  }

  @Test("Neighbours in the order are not neighbours in the data: their correlation is that of chance")
  func shuffling() {
    let count = 10000
    let order = SampleOrder(count: count, seed: 1)
    let samples = (0..<count).map { Double(order.sample(draw: UInt64($0))) / Double(count) - 0.5 }
    func correlation(_ lag: Int) -> Double {
      (0..<count - lag).reduce(0) { $0 + samples[$1] * samples[$1 + lag] } / Double(count - lag) * 12
    }
    #expect(abs(correlation(1)) < 0.05 && abs(correlation(64)) < 0.05)
    let drift = (0..<count).reduce(0) { $0 + samples[$1] * (Double($1) / Double(count) - 0.5) } / Double(count) * 12
    #expect(abs(drift) < 0.05)
  }
}
