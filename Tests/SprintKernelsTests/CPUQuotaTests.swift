import Foundation
import SprintKernels
import SprintTestSupport
import Testing

/// The quota of cores' time, read from made-up files of `/proc` and `/sys`.
@Suite struct CPUQuotaTests {
  @Test(
    "The smallest quota of all groups around the process counts, in both versions of the interface",
    arguments: [
      (["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "50000 100000\n"], 0.5),
      (["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/cpu.max": "300000 200000\n"], 1.5),
      (
        [
          "/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/cpu.max": "400000 100000\n",
          "/sys/fs/cgroup/a/cpu.max": "600000 100000\n",
        ], 4
      ),
      (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"], nil),
      (
        [
          "/proc/self/cgroup": "5:cpuset:/\n4:cpu,cpuacct:/g\n", "/sys/fs/cgroup/cpu/g/cpu.cfs_quota_us": "250000\n",
          "/sys/fs/cgroup/cpu/g/cpu.cfs_period_us": "100000\n",
        ], 2.5
      ),
      (
        [
          "/proc/self/cgroup": "4:cpu:/g\n", "/sys/fs/cgroup/cpu/g/cpu.cfs_quota_us": "-1\n",
          "/sys/fs/cgroup/cpu/g/cpu.cfs_period_us": "100000\n",
        ], nil
      ),
      ([:], nil),
    ] as [([String: String], Double?)])
  func quota(files: [String: String], expected: Double?) throws {
    let folder = try TemporaryFolder()
    for (path, text) in files {
      let url = URL(fileURLWithPath: folder.file(path))
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    #expect(CPUQuota.cores(root: folder.path) == expected)
  }
}
