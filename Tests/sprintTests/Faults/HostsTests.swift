import Foundation
import SprintTestSupport
import Synchronization
import Testing

extension ProcessTests {
  /// Ranks on several hosts, which are network namespaces on a bridge of this machine. Only root can make them.
  @Suite(
    .timeLimit(.minutes(10)),
    .enabled(if: Network.isAvailable, "skipped: network namespaces need root and iproute2"))
  struct HostsTests {
    private let folder: TemporaryFolder
    private let network: Network

    init() throws {
      folder = try TemporaryFolder()
      network = try Network(hosts: 3, folder)
    }

    private func run(_ name: String, _ settings: [String] = []) -> ShortRun {
      ShortRun(name, in: folder, ["distribution.timeout=20"] + settings, batch: ShortRun.slowBatch)
    }

    @Test("Two and three hosts reach the losses of one process, and the roster names the hosts")
    func hosts() throws {
      let alone = run("alone")
      #expect(try alone.run(ranks: nil).code == 0)
      let expected = try alone.losses()
      for hosts in [2, 3] {
        let many = run("\(hosts)")
        let outcome = try many.start(ranks: hosts, mpirun: network.options(hosts: hosts)).wait(90)
        #expect(outcome.code == 0 && outcome.output.contains("\(hosts) ranks on \(hosts) hosts"), "\(outcome)")
        #expect(outcome.output.contains("rank \(hosts - 1): \(network.name(hosts)), "))
        expectEqualLosses(try many.losses(), expected)
      }
    }

    @Test(
      "If a host freezes, an error names its rank, the wrapper exits with 75, and no process is left after the thaw",
      .tags(.waits))
    func frozenHost() throws {
      let frozen = run("frozen", ["distribution.timeout=6", "stages[1].steps=4000"])
      let command = try wrapper(frozen, hosts: 2)
      try frozen.waitForStep(20, command)
      let pids = network.processes(of: 2)
      #expect(pids.count >= 2, "\(pids)")
      for pid in pids { kill(pid, SIGSTOP) }
      let began = Date()
      try frozen.wait(command, for: "rank 1 named") {
        command.errorsSoFar.contains("rank 1 on \(network.name(2)) was silent")
      }
      #expect(Date().timeIntervalSince(began) < 6.5)
      let outcome = try command.wait(40)
      #expect(outcome.code == 75, "\(outcome)")
      for pid in pids { kill(pid, SIGCONT) }
      Processes.expectGone(frozen.path, within: 30)
    }

    @Test(
      "If a link is cut, both sides end within 30 s, no process is left, and the restarted run continues",
      .tags(.waits))
    func cutLink() throws {
      let cut = run("cut", ["distribution.timeout=20", "stages[1].steps=4000"])
      let command = try wrapper(cut, hosts: 2)
      try cut.waitForStep(20, command)
      try network.setLink(2, isUp: false)
      let outcome = try command.wait(30)
      #expect(outcome.code != 0, "\(outcome)")
      Processes.expectGone(cut.path, within: 30)
      try network.setLink(2, isUp: true)
      let resumed = try wrapper(cut, hosts: 2)
      try cut.waitForStep(60, resumed)
      #expect(resumed.outputSoFar.contains("resumed at step"))
      resumed.signal(SIGTERM)
      #expect(try resumed.wait(30).code == 75)
    }

    @Test("A run survives a link that fails for 6 s and ends with the same bits", .tags(.waits))
    func flap() throws {
      let settings = ["stages[1].steps=100"]
      let (whole, flapped) = (run("whole", settings), run("flapped", settings))
      #expect(try wrapper(whole, hosts: 2).wait(90).code == 0)
      let command = try wrapper(flapped, hosts: 2)
      try flapped.waitForStep(20, command)
      try network.setLink(2, isUp: false)
      usleep(500_000)
      let before = try flapped.losses().last?.step ?? 0
      usleep(5_500_000)
      #expect(try flapped.losses().last?.step == before, "the link was not cut")
      try network.setLink(2, isUp: true)
      let outcome = try command.wait(90)
      #expect(outcome.code == 0 && !outcome.output.contains("resumed"), "\(outcome)")
      let states = try [whole, flapped].map {
        try Data(contentsOf: URL(fileURLWithPath: "\($0.checkpoints)/step-000000160.h5"))
      }
      #expect(states[0] == states[1])
    }

    /// Starts launch/mpirun.sh on hosts 1 to `hosts`.
    private func wrapper(_ run: ShortRun, hosts: Int) throws -> SprintCommand {
      let options = ["--run", run.path] + run.settings.filter { $0 != "threads=1" }.flatMap { ["--set", $0] }
      return try SprintCommand(
        "/usr/bin/env", ["launch/mpirun.sh", "configs/digits.yaml", "\(hosts)", "1"] + options,
        environment: ["MPIRUN_OPTIONS": network.options(hosts: hosts).joined(separator: " ")], in: folder)
    }
  }
}

/// Network namespaces on a bridge, one for each host. They exist as long as the object.
final class Network {
  /// The number of networks so far. Names are used once: a deleted namespace exists until its last process ends.
  private static let made = Atomic(0)
  private let tag: String
  private let subnet: String
  private let agent: String
  private let hosts: Int
  private let folder: TemporaryFolder

  static var isAvailable: Bool {
    geteuid() == 0 && ["/sbin/ip", "/usr/sbin/ip", "/bin/ip"].contains(where: FileManager.default.isExecutableFile)
  }

  init(hosts: Int, _ folder: TemporaryFolder) throws {
    (self.hosts, self.folder) = (hosts, folder)
    let number = Self.made.wrappingAdd(1, ordering: .relaxed).newValue
    tag = "\(getpid() % 10_000)n\(number)"
    subnet = "10.77.\((Int(getpid()) + number) % 250)"
    agent = folder.file("rsh.sh")
    let script = "#!/bin/sh\nH=$1; shift; exec ip netns exec \"$H\" unshare --uts bash -c \"hostname $H; $*\"\n"
    try Data(script.utf8).write(to: URL(fileURLWithPath: agent))
    chmod(agent, 0o755)
    try ip("link add \(bridge) type bridge")
    try ip("link set \(bridge) up")
    try ip("addr add \(subnet).254/24 dev \(bridge)")
    for host in 1...hosts {
      try ip("netns add \(name(host))")
      try ip("link add \(link(host)) type veth peer name eth0 netns \(name(host))")
      try ip("link set \(link(host)) master \(bridge) up")
      try ip("-n \(name(host)) addr add \(subnet).\(host)/24 dev eth0")
      try ip("-n \(name(host)) link set eth0 up")
      try ip("-n \(name(host)) link set lo up")
    }
  }

  deinit {
    for host in 1...hosts {
      for pid in processes(of: host) { kill(pid, SIGKILL) }
      try? ip("netns del \(name(host))")
    }
    try? ip("link del \(bridge)")
  }

  func name(_ host: Int) -> String { "sprint\(tag)h\(host)" }
  private func link(_ host: Int) -> String { "sp\(tag)v\(host)" }
  private var bridge: String { "sp\(tag)br" }

  /// Returns the options of mpirun for hosts 1 to `hosts`.
  func options(hosts: Int) -> [String] {
    [
      "--host", (1...hosts).map(name).joined(separator: ","), "--bind-to", "none", "--mca", "plm_rsh_agent", agent,
      "--mca", "plm_rsh_no_tree_spawn", "1", "--mca", "oob_tcp_if_include", "\(subnet).0/24", "--mca",
      "btl_tcp_if_include", "\(subnet).0/24", "--mca", "btl", "self,tcp", "--mca", "pml", "ob1",
    ]
  }

  /// Returns all processes on a host.
  func processes(of host: Int) -> [Int32] {
    let command = try? SprintCommand("/usr/bin/env", ["ip", "netns", "pids", name(host)], in: folder)
    return (try? command?.wait(10).output.split(separator: "\n").compactMap { Int32($0) }) ?? []
  }

  /// Cuts the link of a host to the bridge, or restores it.
  func setLink(_ host: Int, isUp: Bool) throws {
    try ip("link set \(link(host)) \(isUp ? "master \(bridge)" : "nomaster")")
  }

  private func ip(_ arguments: String) throws {
    let outcome = try SprintCommand(
      "/usr/bin/env", ["ip"] + arguments.split(separator: " ").map(String.init), in: folder
    ).wait(10)
    guard outcome.code == 0 else { throw NetworkError(description: "ip \(arguments): \(outcome.errors)") }
  }

  struct NetworkError: Error, CustomStringConvertible { let description: String }
}
