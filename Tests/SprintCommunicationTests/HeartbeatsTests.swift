import Testing

import SprintCommunication

@Suite struct HeartbeatsTests {
  @Test("A silent peer is named within the timeout, a late one is not")
  func silence() {
    var beats = Heartbeats(peers: [1, 2, 3], timeout: 10, now: 0)
    var found: Double?
    for tick in 0..<400 where found == nil {
      let now = Double(tick) * 0.1
      for peer in [1, 3] where tick % 40 == 0 { beats.heard(from: peer, now) }
      if now < 12 { beats.heard(from: 2, now) }
      if let silent = beats.silent(now) {
        #expect(silent.peer == 2)
        found = now
      }
    }
    #expect(found.map { $0 > 18 && $0 < 22 } == true, "found at \(found ?? -1)")
  }

  @Test("A process that was stopped itself does not call its peers silent afterwards")
  func ownStop() {
    var beats = Heartbeats(peers: [0], timeout: 10, now: 0)
    for tick in 0..<20 {
      beats.heard(from: 0, Double(tick) * 0.1)
      #expect(beats.silent(Double(tick) * 0.1) == nil)
    }
    #expect(beats.silent(100) == nil)
    #expect(beats.silent(100.1) == nil)
  }

  @Test("Beats are sent at an even pace, twenty in each timeout")
  func pace() {
    var beats = Heartbeats(peers: [0], timeout: 10, now: 0)
    let sent = (0..<1000).count { beats.isDue(Double($0) * 0.01) }
    #expect(sent == 20)
  }

  @Test("A peer without progress causes a warning after the timeout, and again whenever the time doubles")
  func stuck() {
    var beats = Heartbeats(peers: [1], timeout: 10, now: 0)
    let warnings = (0..<100).filter { beats.isStuck(1, for: Double($0)) }
    #expect(warnings == [11, 23, 47, 95])
    let again = beats.isStuck(1, for: 0)
    let afterwards = beats.isStuck(1, for: 12)
    #expect(!again && afterwards)
  }
}
