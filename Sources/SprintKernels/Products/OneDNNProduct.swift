import COneDNN
import Synchronization

/// The product of one shape, ready to run. Several threads may run it at once.
final class OneDNNProduct: @unchecked Sendable {
  private let primitive: dnnl_primitive_t
  private let scratchBytes: Int
  private let shape: ProductShape
  private let scratchDescription: dnnl_memory_desc_t
  /// Arguments that no thread uses at the moment.
  private let idle = Mutex<[OneDNNArguments]>([])

  init(_ shape: ProductShape) {
    self.shape = shape
    let attributes = Self.attributes(shape)
    defer { OneDNN.check(dnnl_primitive_attr_destroy(attributes), "an attribute's end") }
    var (a, b, c) = (
      shape.a.description(shape.count), shape.b.description(shape.count), shape.c.description(shape.count)
    )
    var bias = shape.biasDescription
    var operation = dnnl_matmul_desc_t()
    let status =
      shape.hasBias
      ? dnnl_matmul_desc_init(&operation, &a, &b, &bias, &c) : dnnl_matmul_desc_init(&operation, &a, &b, nil, &c)
    OneDNN.check(status, "a matmul")
    let description = OneDNN.made("the primitive description of \(shape)") {
      dnnl_primitive_desc_create($0, &operation, attributes, OneDNN.engine, nil)
    }
    defer { OneDNN.check(dnnl_primitive_desc_destroy(description), "a description's end") }
    primitive = OneDNN.made("the primitive of \(shape)") { dnnl_primitive_create($0, description) }
    guard let scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0) else {
      preconditionFailure("oneDNN: no description of the scratchpad")
    }
    (scratchDescription, scratchBytes) = (scratch.pointee, dnnl_memory_desc_get_size(scratch))
  }

  private static func attributes(_ shape: ProductShape) -> dnnl_primitive_attr_t {
    let attributes = OneDNN.made("attributes", dnnl_primitive_attr_create)
    OneDNN.check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "a scratchpad")
    if shape.factor != 1 {
      var factor = shape.factor
      OneDNN.check(dnnl_primitive_attr_set_output_scales(attributes, 1, 0, &factor), "a factor")
    }
    if shape.adds {
      let sum = OneDNN.made("post-operations", dnnl_post_ops_create)
      OneDNN.check(dnnl_post_ops_append_sum(sum, 1), "a sum")
      OneDNN.check(dnnl_primitive_attr_set_post_ops(attributes, sum), "post-operations")
      OneDNN.check(dnnl_post_ops_destroy(sum), "the end of post-operations")
    }
    return attributes
  }

  /// Computes the product of matrices at some addresses.
  func run(
    _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ c: UnsafeMutableRawPointer,
    bias: UnsafeMutableRawPointer?
  ) {
    let arguments = idle.withLock { $0.popLast() } ?? OneDNNArguments(shape, scratch: scratchDescription)
    ProductScratch.shared.with(bytes: scratchBytes) { scratch in
      arguments.point(to: a, b, c, bias: bias, scratch: scratch)
      OneDNN.check(arguments.execute(primitive), "a product")
    }
    idle.withLock { $0.append(arguments) }
  }
}

/// The matrices of a running product, as oneDNN's objects.
private final class OneDNNArguments: @unchecked Sendable {
  private let stream: dnnl_stream_t
  private let a, b, c, scratch: dnnl_memory_t
  private let bias: dnnl_memory_t?
  private let list: [dnnl_exec_arg_t]

  init(_ shape: ProductShape, scratch description: dnnl_memory_desc_t) {
    func memory(_ description: dnnl_memory_desc_t) -> dnnl_memory_t {
      var description = description
      return OneDNN.made("memory") { dnnl_memory_create($0, &description, OneDNN.engine, nil) }
    }
    stream = OneDNN.made("a stream") {
      dnnl_stream_create($0, OneDNN.engine, UInt32(dnnl_stream_default_flags.rawValue))
    }
    a = memory(shape.a.description(shape.count))
    b = memory(shape.b.description(shape.count))
    c = memory(shape.c.description(shape.count))
    bias = shape.hasBias ? memory(shape.biasDescription) : nil
    scratch = memory(description)
    list =
      [
        dnnl_exec_arg_t(arg: DNNL_ARG_SRC, memory: a), dnnl_exec_arg_t(arg: DNNL_ARG_WEIGHTS, memory: b),
        dnnl_exec_arg_t(arg: DNNL_ARG_DST, memory: c), dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratch),
      ] + (bias.map { [dnnl_exec_arg_t(arg: DNNL_ARG_BIAS, memory: $0)] } ?? [])
  }

  func point(
    to a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ c: UnsafeMutableRawPointer,
    bias: UnsafeMutableRawPointer?, scratch: UnsafeMutableRawPointer
  ) {
    for (memory, address) in [(self.a, a), (self.b, b), (self.c, c)] {
      OneDNN.check(dnnl_memory_set_data_handle(memory, address), "an address")
    }
    OneDNN.check(dnnl_memory_set_data_handle(self.scratch, scratch), "an address")
    if let memory = self.bias { OneDNN.check(dnnl_memory_set_data_handle(memory, bias), "an address") }
  }

  func execute(_ primitive: dnnl_primitive_t) -> dnnl_status_t {
    dnnl_primitive_execute(primitive, stream, Int32(list.count), list)
  }
}

extension ProductShape {
  /// The bias of a layer lies along the rows of its output.
  fileprivate var biasDescription: dnnl_memory_desc_t {
    description([1, Int64(c.columns)], [Int64(c.columns), 1], a.precision)
  }
}

extension ProductShape.Operand {
  /// A stack of one is a plain matrix to oneDNN.
  fileprivate func description(_ count: Int) -> dnnl_memory_desc_t {
    let extents = [Int64(count), Int64(rows), Int64(columns)]
    let strides = [Int64(distance), Int64(rowStride), Int64(columnStride)]
    let dropped = count == 1 ? 1 : 0
    return SprintKernels.description(Array(extents.dropFirst(dropped)), Array(strides.dropFirst(dropped)), precision)
  }
}

private func description(_ extents: [Int64], _ strides: [Int64], _ precision: Precision) -> dnnl_memory_desc_t {
  var description = dnnl_memory_desc_t()
  let type = precision == .bfloat16 ? dnnl_bf16 : dnnl_f32
  OneDNN.check(
    dnnl_memory_desc_init_by_strides(&description, Int32(extents.count), extents, type, strides), "a description")
  return description
}
