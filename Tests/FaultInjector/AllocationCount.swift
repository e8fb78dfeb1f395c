import Glibc
import Synchronization

// The same library counts the allocations of the program. When the program ends it writes to the file
// SPRINT_ALLOCATIONS the bytes of all allocations and the number of those of 4 KiB or more. Swift allows no function
// called `malloc`, so the linker gives the counting functions these names.

private let bytes = Atomic(0)
private let large = Atomic(0)

@_silgen_name("__libc_malloc") private func libraryMalloc(_ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_calloc") private func libraryCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_realloc")
private func libraryRealloc(_ old: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_memalign")
private func libraryAlign(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer?

@inline(__always)
private func count(_ size: Int) {
  bytes.add(size, ordering: .relaxed)
  if size >= 4096 { large.add(1, ordering: .relaxed) }
}

/// Replaces `malloc`.
@_cdecl("counted_malloc")
package func countedMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
  count(size)
  return libraryMalloc(size)
}

/// Replaces `calloc`.
@_cdecl("counted_calloc")
package func countedCalloc(_ number: Int, _ size: Int) -> UnsafeMutableRawPointer? {
  count(number &* size)
  return libraryCalloc(number, size)
}

/// Replaces `realloc`.
@_cdecl("counted_realloc")
package func countedRealloc(_ old: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
  count(size)
  return libraryRealloc(old, size)
}

/// Replaces `posix_memalign`.
@_cdecl("posix_memalign")
package func countedAlign(_ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int)
  -> Int32
{
  count(size)
  result.pointee = libraryAlign(alignment, size)
  return result.pointee == nil ? ENOMEM : 0
}

/// Replaces `mmap`, which arenas use.
@_cdecl("mmap")
package func countedMap(
  _ address: UnsafeMutableRawPointer?, _ length: Int, _ protection: Int32, _ flags: Int32, _ file: Int32, _ offset: Int
) -> UnsafeMutableRawPointer? {
  count(length)
  return UnsafeMutableRawPointer(bitPattern: systemCall(9, address, length, protection, flags, file, offset))
}

@_silgen_name("syscall")
private func systemCall(
  _ number: Int, _ address: UnsafeMutableRawPointer?, _ length: Int, _ protection: Int32, _ flags: Int32,
  _ file: Int32, _ offset: Int
) -> Int

/// Replaces `_exit`, which ends `sprint`.
@_cdecl("_exit")
package func countingExit(_ code: Int32) -> Never {
  if let path = getenv("SPRINT_ALLOCATIONS"), let file = fopen(path, "w") {
    fputs("\(bytes.load(ordering: .relaxed)) \(large.load(ordering: .relaxed))\n", file)
    fclose(file)
  }
  next("_exit", as: (@convention(c) (Int32) -> Void).self)(code)
  preconditionFailure("the process has ended")
}
