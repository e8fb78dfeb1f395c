import Foundation
import SprintTestSupport
import Testing

import SprintKernels

/// The memory that a machine has, read from made-up files of `/proc` and `/sys`.
@Suite struct MachineMemoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ files: [String: String]) throws {
    for (path, text) in files {
      let url = URL(fileURLWithPath: folder.file(path))
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  private var memory: MachineMemory { MachineMemory(root: folder.path) }

  @Test("A machine without limits has what /proc/meminfo calls available; one without /proc says nothing")
  func host() throws {
    #expect(memory == MachineMemory([:]))
    try write([
      "/proc/meminfo":
        "MemTotal:       24000000 kB\nMemFree: 7 kB\nMemAvailable:   20000000 kB\nCommitLimit: 1 kB\n",
      "/proc/self/limits":
        "Limit    Soft Limit   Hard Limit  Units\nMax data size  unlimited  unlimited  bytes\n"
        + "Max address space  unlimited  unlimited  bytes\n",
      "/proc/sys/vm/overcommit_memory": "0\n",
      "/proc/self/cgroup": "4:memory:/\n0::/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/memory.usage_in_bytes": "5\n", "/sys/fs/cgroup/memory.max": "max\n",
      "/sys/fs/cgroup/memory.current": "5\n",
    ])
    #expect(memory == MachineMemory([.host: 20_000_000 * 1024]))
  }

  @Test("A control group of version 1 or 2 leaves its limit without what it uses; its page cache counts as free")
  func controlGroups() throws {
    try write([
      "/proc/meminfo": "MemAvailable: 20000000 kB\nSwapFree: 0 kB\n", "/proc/self/cgroup": "9:cpu,memory:/job/step\n",
      "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": "1000000\n",
      "/sys/fs/cgroup/memory/job/memory.usage_in_bytes": "600000\n",
      "/sys/fs/cgroup/memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 80000\ntotal_active_file 20000\n",
      "/sys/fs/cgroup/memory/job/step/memory.limit_in_bytes": "9000000\n",
      "/sys/fs/cgroup/memory/job/step/memory.usage_in_bytes": "600000\n",
    ])
    #expect(memory[.host] == 500_000, "the group around this one has the narrower limit")
    try write([
      "/proc/self/cgroup": "0::/job\n", "/sys/fs/cgroup/job/memory.max": "700000\n",
      "/sys/fs/cgroup/job/memory.current": "300000\n", "/sys/fs/cgroup/job/memory.stat": "inactive_file 100000\n",
    ])
    #expect(memory[.host] == 500_000)
    try write(["/sys/fs/cgroup/job/memory.current": "900000\n"])
    #expect(memory[.host] == 0, "a group that is over its limit leaves nothing")
  }

  @Test("Swap counts, as far as a control group allows it: a run that fits with it is not refused")
  func swap() throws {
    try write(["/proc/meminfo": "MemAvailable: 1000 kB\nSwapFree: 500 kB\n"])
    #expect(memory[.host] == 1_536_000)
    try write([
      "/proc/self/cgroup": "0::/job\n", "/sys/fs/cgroup/job/memory.max": "700000\n",
      "/sys/fs/cgroup/job/memory.current": "300000\n",
    ])
    #expect(memory[.host] == 912_000, "nothing limits the group's swap")
    try write([
      "/sys/fs/cgroup/job/memory.swap.max": "30000\n", "/sys/fs/cgroup/job/memory.swap.current": "10000\n",
    ])
    #expect(memory[.host] == 420_000)
    try write([
      "/proc/self/cgroup": "9:memory:/job\n", "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": "700000\n",
      "/sys/fs/cgroup/memory/job/memory.usage_in_bytes": "300000\n",
      "/sys/fs/cgroup/memory/job/memory.memsw.limit_in_bytes": "800000\n",
      "/sys/fs/cgroup/memory/job/memory.memsw.usage_in_bytes": "350000\n",
    ])
    #expect(memory[.host] == 450_000, "version 1 limits the sum of memory and swap")
  }

  @Test("ulimit -v and -d leave their limits without what the process uses")
  func processLimits() throws {
    try write([
      "/proc/self/limits":
        "Max data size             500000000            unlimited            bytes\n"
        + "Max address space         614400000            614400000            bytes\n",
      "/proc/self/statm": "1000 5 5 5 0 50 0\n",
    ])
    let page = Double(getpagesize())
    #expect(memory == MachineMemory([.addressSpace: 614_400_000 - 1000 * page, .data: 500_000_000 - 50 * page]))
  }

  @Test("A kernel that promises no more than it has leaves what it has not promised yet")
  func promise() throws {
    try write([
      "/proc/meminfo": "CommitLimit: 900 kB\nCommitted_AS: 200 kB\n", "/proc/sys/vm/overcommit_memory": "2\n",
    ])
    #expect(memory == MachineMemory([.promise: 700 * 1024]))
  }
}
