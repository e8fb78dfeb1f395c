import Glibc

// Tests preload this library into `sprint`. The n-th call of a system function on a path then kills the process, hangs
// or fails. The environment says which: SPRINT_FAULT=ACTION:FUNCTION:PART_OF_PATH:N, where ACTION is `kill`, `hang`,
// `fail` (with EIO, from the n-th call on), `fill` (with ENOSPC), `lockless` (with ENOLCK) or `refuse` (with EAGAIN).
// The library creates the file SPRINT_FAULT_FIRED when it acts. SPRINT_FAULT_GUESS is the core type that OpenBLAS then
// guesses, SPRINT_FAULT_CLOCK the seconds by which the clock on the wall is ahead, SPRINT_FAULT_FOLDERS the error of
// every attempt to sync a folder. With SPRINT_FAULT_SERIAL, OpenBLAS is one that was built without threads; with
// SPRINT_FAULT_COPY, no process may read the memory of another one, as in a container without ptrace.

private struct Fault {
  let action: String
  let function, path: String
  let count: Int
  let mark: String
}

private let fault: Fault? = {
  guard let text = getenv("SPRINT_FAULT"), let mark = getenv("SPRINT_FAULT_FIRED") else { return nil }
  let parts = String(cString: text).split(separator: ":").map(String.init)
  guard parts.count == 4, let count = Int(parts[3]) else { return nil }
  return Fault(
    action: parts[0], function: parts[1], path: parts[2], count: count, mark: String(cString: mark))
}()

nonisolated(unsafe) private var calls = 0
nonisolated(unsafe) private var lock = pthread_mutex_t()

/// Counts this call and returns whether it fails. Does not return if the action is `kill` or `hang`.
private func fails(_ function: String, _ path: @autoclosure () -> String) -> Bool {
  guard let fault, fault.function == function, path().contains(fault.path) else { return false }
  pthread_mutex_lock(&lock)
  calls += 1
  let number = calls
  pthread_mutex_unlock(&lock)
  guard number >= fault.count else { return false }
  close(open(fault.mark, O_WRONLY | O_CREAT, 0o644))
  if fault.action == "kill" { kill(getpid(), SIGKILL) }
  while fault.action == "hang" { sleep(1) }
  errno = ["fill": ENOSPC, "lockless": ENOLCK, "refuse": EAGAIN][fault.action] ?? EIO
  return true
}

private func path(of descriptor: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 4096)
  let count = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
  return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Returns the function that this library hides.
func next<Function>(_ name: String, as type: Function.Type) -> Function {
  // RTLD_NEXT, a macro with a cast.
  guard let address = dlsym(UnsafeMutableRawPointer(bitPattern: -1), name) else { preconditionFailure("no \(name)") }
  return unsafeBitCast(address, to: type)
}

/// Replaces `pwrite`.
@_cdecl("pwrite")
package func injectedWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ offset: Int) -> Int {
  if fails("pwrite", path(of: descriptor)) { return -1 }
  return next("pwrite", as: (@convention(c) (Int32, UnsafeRawPointer?, Int, Int) -> Int).self)(
    descriptor, bytes, count, offset)
}

/// Replaces `pread`.
@_cdecl("pread")
package func injectedRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int, _ offset: Int) -> Int {
  if fails("pread", path(of: descriptor)) { return -1 }
  return next("pread", as: (@convention(c) (Int32, UnsafeMutableRawPointer?, Int, Int) -> Int).self)(
    descriptor, bytes, count, offset)
}

/// Replaces `fsync`.
@_cdecl("fsync")
package func injectedSync(_ descriptor: Int32) -> Int32 {
  if fails("fsync", path(of: descriptor)) { return -1 }
  var status = stat()
  if let folderError, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
    errno = folderError
    return -1
  }
  return next("fsync", as: (@convention(c) (Int32) -> Int32).self)(descriptor)
}

/// Replaces `fdatasync`.
@_cdecl("fdatasync")
package func injectedDataSync(_ descriptor: Int32) -> Int32 {
  if fails("fdatasync", path(of: descriptor)) { return -1 }
  return next("fdatasync", as: (@convention(c) (Int32) -> Int32).self)(descriptor)
}

/// Replaces `fcntl`, of which only the locks of open files (F_OFD_SETLK) can fail.
@_cdecl("fcntl")
package func injectedControl(_ descriptor: Int32, _ command: Int32, _ argument: Int) -> Int32 {
  if command == 37, fails("fcntl", path(of: descriptor)) { return -1 }
  return next("fcntl", as: (@convention(c) (Int32, Int32, Int) -> Int32).self)(descriptor, command, argument)
}

/// Replaces `pthread_create`; its path is `thread`.
@_cdecl("pthread_create")
package func injectedThread(
  _ thread: UnsafeMutableRawPointer?, _ attributes: UnsafeRawPointer?, _ body: UnsafeRawPointer?,
  _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  if fails("pthread_create", "thread") { return errno }
  typealias Create =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeMutableRawPointer?
    ) -> Int32
  return next("pthread_create", as: Create.self)(thread, attributes, body, argument)
}

/// Replaces `clock_gettime`: the clock on the wall is SPRINT_FAULT_CLOCK seconds ahead of the system's.
@_cdecl("clock_gettime")
package func injectedClock(_ clock: Int32, _ time: UnsafeMutablePointer<timespec>) -> Int32 {
  let code = next("clock_gettime", as: (@convention(c) (Int32, UnsafeMutablePointer<timespec>) -> Int32).self)(
    clock, time)
  if clock == CLOCK_REALTIME { time.pointee.tv_sec += secondsAhead }
  return code
}

/// Replaces `gettimeofday`, as `clock_gettime`.
@_cdecl("gettimeofday")
package func injectedTime(_ time: UnsafeMutablePointer<timeval>, _ zone: UnsafeMutableRawPointer?) -> Int32 {
  let code = next(
    "gettimeofday", as: (@convention(c) (UnsafeMutablePointer<timeval>, UnsafeMutableRawPointer?) -> Int32).self)(
      time, zone)
  time.pointee.tv_sec += secondsAhead
  return code
}

/// The error number of every attempt to sync a folder.
private let folderError = getenv("SPRINT_FAULT_FOLDERS").flatMap { Int32(String(cString: $0)) }

private let secondsAhead = getenv("SPRINT_FAULT_CLOCK").flatMap { Int(String(cString: $0)) } ?? 0

/// Replaces `rename`.
@_cdecl("rename")
package func injectedRename(_ old: UnsafePointer<CChar>, _ new: UnsafePointer<CChar>) -> Int32 {
  if fails("rename", String(cString: new)) { return -1 }
  return next("rename", as: (@convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32).self)(old, new)
}

/// Replaces `unlink`.
@_cdecl("unlink")
package func injectedUnlink(_ path: UnsafePointer<CChar>) -> Int32 {
  if fails("unlink", String(cString: path)) { return -1 }
  return next("unlink", as: (@convention(c) (UnsafePointer<CChar>) -> Int32).self)(path)
}

/// Replaces `opendir`.
@_cdecl("opendir")
package func injectedFolder(_ path: UnsafePointer<CChar>) -> OpaquePointer? {
  if fails("opendir", String(cString: path)) { return nil }
  return next("opendir", as: (@convention(c) (UnsafePointer<CChar>) -> OpaquePointer?).self)(path)
}

/// Replaces `openblas_get_corename`: a wrong guess, unless the environment sets a core type.
@_cdecl("openblas_get_corename")
package func injectedCoreName() -> UnsafeMutablePointer<CChar>? {
  if getenv("OPENBLAS_CORETYPE") == nil, let guess = getenv("SPRINT_FAULT_GUESS") { return guess }
  return next("openblas_get_corename", as: (@convention(c) () -> UnsafeMutablePointer<CChar>?).self)()
}

/// Replaces `openblas_get_parallel`.
@_cdecl("openblas_get_parallel")
package func injectedThreading() -> Int32 {
  if getenv("SPRINT_FAULT_SERIAL") != nil { return 0 }
  return next("openblas_get_parallel", as: (@convention(c) () -> Int32).self)()
}

/// Replaces `process_vm_readv`.
@_cdecl("process_vm_readv")
package func injectedCopy(
  _ process: Int32, _ own: UnsafeRawPointer?, _ owns: UInt, _ other: UnsafeRawPointer?, _ others: UInt, _ flags: UInt
) -> Int {
  if getenv("SPRINT_FAULT_COPY") != nil {
    errno = EPERM
    return -1
  }
  typealias Copy = @convention(c) (Int32, UnsafeRawPointer?, UInt, UnsafeRawPointer?, UInt, UInt) -> Int
  return next("process_vm_readv", as: Copy.self)(process, own, owns, other, others, flags)
}
