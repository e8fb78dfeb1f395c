import CMPI
import Foundation
import Synchronization

/// Carries messages over MPI, on communicators of its own, and sends heartbeats. One thread makes it and uses it.
final class MPITransport: Transport {
  let rank, size: Int
  private let world, heartbeatWorld: MPI_Comm
  private let hasWaiters: () -> Bool
  private let onNotice: (String) -> Void
  /// The ranks that this rank exchanges beats with: rank zero with all others, the others with rank zero.
  private let peers: [Int]
  private var heartbeats: Heartbeats
  private let hosts: [String]
  private var listening = sprint_mpi_no_request()
  private var beats: [Int: MPI_Request?] = [:]
  /// The beat that is received and the one that is sent. A beat says for how many seconds no operation was submitted at
  /// its rank.
  private let beat = UnsafeMutablePointer<Float>.allocate(capacity: 2)

  /// Starts MPI.
  ///
  /// - Parameters:
  ///   - timeout: seconds within which a silent rank is noticed
  ///   - hasWaiters: returns whether a thread waits for an exchange; the transport then polls it without a pause at
  ///     first
  ///   - onNotice: called with a line about a rank that lives but makes no progress
  init(timeout: Double, hasWaiters: @escaping () -> Bool, onNotice: @escaping (String) -> Void) throws {
    (self.hasWaiters, self.onNotice) = (hasWaiters, onNotice)
    beat.initialize(repeating: 0, count: 2)
    SingleCopy.avoidIfForbidden()
    var provided: Int32 = 0
    try Self.check("MPI_Init_thread", MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided))
    (world, heartbeatWorld) = (try Self.duplicateOfWorld(), try Self.duplicateOfWorld())
    var (rank, size): (Int32, Int32) = (0, 0)
    try Self.check("MPI_Comm_rank", MPI_Comm_rank(world, &rank))
    try Self.check("MPI_Comm_size", MPI_Comm_size(world, &size))
    (self.rank, self.size) = (Int(rank), Int(size))
    let launch = Launch.current
    if let launch, launch.size > 1, size == 1 {
      throw CommunicationError.notConnected(launched: launch.size, launcher: launch.launcher)
    }
    hosts = try Self.hosts(world, size: Int(size))
    peers = rank == 0 ? Array(1..<Int(size)) : [0]
    heartbeats = Heartbeats(peers: peers, timeout: timeout, now: Self.now)
    try listen()
  }

  private static func duplicateOfWorld() throws -> MPI_Comm {
    var copy: MPI_Comm?
    try check("MPI_Comm_dup", MPI_Comm_dup(sprint_mpi_world(), &copy))
    guard let copy else {
      throw CommunicationError.failed(call: "MPI_Comm_dup", problem: "it returned no communicator")
    }
    try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(copy, sprint_mpi_errors_return()))
    return copy
  }

  /// Returns the host name of every rank, each cut at 64 bytes.
  private static func hosts(_ world: MPI_Comm, size: Int) throws -> [String] {
    let length = 64
    var own = Array(ProcessInfo.processInfo.hostName.utf8.prefix(length))
    own += Array(repeating: 0, count: length - own.count)
    var all = [UInt8](repeating: 0, count: size * length)
    let byte = sprint_mpi_byte()
    try check("MPI_Allgather", MPI_Allgather(own, Int32(length), byte, &all, Int32(length), byte, world))
    return (0..<size).map { String(decoding: all[$0 * length..<($0 + 1) * length].prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// Throws the error that MPI's return code stands for. Every call to MPI goes through here.
  private static func check(_ call: String, _ code: Int32) throws {
    guard code != MPI_SUCCESS else { return }
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING))
    var length: Int32 = 0
    MPI_Error_string(code, &text, &length)
    let problem = String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    throw CommunicationError.failed(call: call, problem: problem)
  }

  private func check(_ call: String, _ code: Int32) throws { try Self.check(call, code) }

  func exchange(send: [Message], receive: [Message]) throws {
    let byte = sprint_mpi_byte()
    // MPI counts bytes in 32 bits. Both sides cut a message into the same pieces.
    let (send, receive) = (
      send.flatMap { $0.pieces(atMost: Self.mostBytes) }, receive.flatMap { $0.pieces(atMost: Self.mostBytes) }
    )
    var requests = [MPI_Request?](repeating: sprint_mpi_no_request(), count: send.count + receive.count)
    for (i, message) in receive.enumerated() {
      let (bytes, peer) = (message.bytes, Int32(message.peer))
      try check("MPI_Irecv", MPI_Irecv(bytes.baseAddress, Int32(bytes.count), byte, peer, 0, world, &requests[i]))
    }
    for (i, message) in send.enumerated() {
      let (bytes, peer) = (message.bytes, Int32(message.peer))
      try check(
        "MPI_Isend",
        MPI_Isend(bytes.baseAddress, Int32(bytes.count), byte, peer, 0, world, &requests[receive.count + i]))
    }
    let began = Self.now
    while true {
      var isDone: Int32 = 0
      try check(
        "MPI_Testall", MPI_Testall(Int32(requests.count), &requests, &isDone, sprint_mpi_no_statuses()))
      if isDone != 0 { return }
      try idle(for: 0)
      // MPI makes no progress by itself, but a core that spins is lost to the threads that compute or write.
      if hasWaiters(), Self.now - began < 0.002 { sched_yield() } else { usleep(50) }
    }
  }

  func setTimeout(_ seconds: Double) { heartbeats = Heartbeats(peers: peers, timeout: seconds, now: Self.now) }

  func idle(for seconds: Double) throws {
    guard size > 1 else { return }
    try hear()
    let now = Self.now
    beat[1] = Float(seconds)
    if heartbeats.isDue(now) { for peer in peers { try sendBeat(to: peer) } }
    guard let (peer, seconds) = heartbeats.silent(now) else { return }
    throw CommunicationError.silent(rank: peer, host: hosts[peer], seconds: seconds)
  }

  private func listen() throws {
    try check("MPI_Irecv", MPI_Irecv(beat, 4, sprint_mpi_byte(), MPI_ANY_SOURCE, 0, heartbeatWorld, &listening))
  }

  private func hear() throws {
    while true {
      var isDone: Int32 = 0
      var status = MPI_Status()
      try check("MPI_Test", MPI_Test(&listening, &isDone, &status))
      guard isDone != 0 else { return }
      let peer = Int(status.MPI_SOURCE)
      heartbeats.heard(from: peer, Self.now)
      // Rank zero warns about the others, rank one about rank zero.
      if rank <= 1, heartbeats.isStuck(peer, for: Double(beat[0])) {
        onNotice(
          "rank \(peer) on \(hosts[peer]) lives, but the others have waited for it for \(Int(beat[0])) s: "
            + "it computes, reads or hangs")
      }
      try listen()
    }
  }

  private func sendBeat(to peer: Int) throws {
    var request = beats[peer] ?? sprint_mpi_no_request()
    var isDone: Int32 = 0
    try check("MPI_Test", MPI_Test(&request, &isDone, sprint_mpi_no_status()))
    // A second beat does not help while the last one is still on its way.
    if isDone != 0 {
      try check("MPI_Isend", MPI_Isend(beat + 1, 4, sprint_mpi_byte(), Int32(peer), 0, heartbeatWorld, &request))
    }
    beats[peer] = request
  }

  func close() throws {
    try check("MPI_Cancel", MPI_Cancel(&listening))
    try check("MPI_Request_free", MPI_Request_free(&listening))
    try check("MPI_Finalize", MPI_Finalize())
    beat.deallocate()
  }

  private static let mostBytes = 1 << 30

  private static var now: Double { ProcessInfo.processInfo.systemUptime }
}
