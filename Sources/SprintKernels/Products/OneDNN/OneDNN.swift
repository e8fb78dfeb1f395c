import COneDNN
import Synchronization

/// oneDNN, which computes products of bfloat16 matrices with the instructions that the CPU has for them, and some of
/// float32 matrices.
enum OneDNN {
  /// Traps unless a call succeeded. Shapes are checked before, so a failure is a broken invariant or a lack of memory.
  static func check(_ status: dnnl_status_t, _ call: String) {
    if status == dnnl_out_of_memory { OutOfMemory.end("oneDNN gets none: \(call)") }
    precondition(status == dnnl_success, "oneDNN: \(call) fails with status \(status.rawValue)")
  }

  /// Returns what `make` puts in a place for an object of oneDNN.
  static func made(_ call: String, _ make: (UnsafeMutablePointer<OpaquePointer?>) -> dnnl_status_t) -> OpaquePointer {
    var object: OpaquePointer?
    check(make(&object), call)
    guard let object else { preconditionFailure("oneDNN: \(call) makes nothing") }
    return object
  }

  /// The CPU.
  nonisolated(unsafe) static let engine = made("an engine") { dnnl_engine_create($0, dnnl_cpu, 0) }

  /// Whether the CPU has AVX-512 and the user lets oneDNN use it.
  static let usesAVX512 = {
    let needed = dnnl_cpu_isa_avx512_core.rawValue
    return dnnl_get_effective_cpu_isa().rawValue & needed == needed
  }()

  /// Whether oneDNN's float32 kernels can be faster than OpenBLAS's: on CPUs that execute 512-bit operations whole.
  static let isFastInFloat32 = usesAVX512 && !CPU.splitsWideOperations

  private static let products = Mutex<[ProductShape: OneDNNProduct]>([:])

  /// Returns the product of a shape. Making one costs far more than running it, so each is made once.
  static func product(_ shape: ProductShape) -> OneDNNProduct {
    products.withLock { products in
      if let known = products[shape] { return known }
      let made = OneDNNProduct(shape)
      products[shape] = made
      return made
    }
  }
}

extension MatrixProduct {
  func computeWithOneDNN() {
    // OpenMP counts threads for each thread that calls it. A primitive is made for as many as its caller may use.
    omp_set_num_threads(1)
    let bytes = bytesToPack
    guard bytes > 0 else { return computeDense() }
    ProductScratch.shared.with(bytes: bytes) { overDense($0) { $0.computeDense() } }
  }

  private func computeDense() {
    OneDNN.product(ProductShape(self)).run(a.first.base, b.first.base, c.first.base, bias: bias?.base)
  }
}
