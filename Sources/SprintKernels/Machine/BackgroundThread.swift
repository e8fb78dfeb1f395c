import Foundation

/// Starts threads. All threads of the program start here. Foundation and Dispatch do not say when the system refuses a
/// thread, and code that waits for the result of its work would hang.
package enum BackgroundThread {
  /// The system did not start a thread.
  package struct StartError: Error, CustomStringConvertible {
    let name: String
    let code: Int32

    /// One line: what was found, what to do.
    package var description: String {
      "cannot start the thread `\(name)` (\(String(cString: strerror(code)))): raise the limit on processes "
        + "(`ulimit -u`, or the pids limit of the container or job) or on memory (`ulimit -v`)"
    }
  }

  /// Starts a thread that does `body`; throws `StartError` if the system refuses it.
  ///
  /// - Parameter name: appears in tools such as `top`, cut at 15 bytes
  package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, 8 << 20)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let work = Unmanaged.passRetained(Work(name, body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { pointer in
        if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run() }
        return nil
      }, work.toOpaque())
    guard code != 0 else { return }
    work.release()
    throw StartError(name: name, code: code)
  }

  private final class Work: Sendable {
    private let name: String
    private let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }

    func run() {
      Thread.current.name = name
      body()
    }
  }
}
