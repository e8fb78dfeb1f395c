import COneDNN
import Synchronization

/// A primitive of oneDNN, ready to run. Several threads may run it at once.
final class OneDNNPrimitive: @unchecked Sendable {
  private let name: String
  private let primitive: dnnl_primitive_t
  private let operands: [OneDNNOperand]
  private let scratchBytes: Int
  /// Arguments that no thread uses at the moment.
  private let idle = Mutex<[OneDNNArguments]>([])

  /// Makes the primitive that `description` describes, for the thread that calls it alone.
  ///
  /// - Parameters:
  ///   - name: for messages and traces
  ///   - description: made with `OneDNN.attributes`, so that the scratchpad is the caller's
  ///   - operands: what the primitive reads and writes
  init(_ name: String, _ description: dnnl_primitive_desc_t, _ operands: [OneDNNOperand]) {
    self.name = name
    primitive = OneDNN.made("the primitive of \(name)") { dnnl_primitive_create($0, description) }
    let scratch = OneDNN.description(dnnl_query_scratchpad_md, of: description)
    scratchBytes = withUnsafePointer(to: scratch) { dnnl_memory_desc_get_size($0) }
    self.operands = operands + [OneDNNOperand(DNNL_ARG_SCRATCHPAD, scratch)]
  }

  deinit { dnnl_primitive_destroy(primitive) }

  /// Runs the primitive; `point` says where its operands are.
  func run(_ point: (OneDNNArguments) -> Void) {
    let arguments = idle.withLock { $0.popLast() } ?? OneDNNArguments(operands)
    point(arguments)
    ProductScratch.shared.with(bytes: scratchBytes) { scratch in
      arguments.point(operands.count - 1, to: scratch)
      OneDNN.check(arguments.execute(primitive), name)
    }
    idle.withLock { $0.append(arguments) }
  }
}

/// What a primitive reads or writes: oneDNN's number of the argument, and extents and layout of the memory.
struct OneDNNOperand {
  let argument: Int32
  let description: dnnl_memory_desc_t

  init(_ argument: Int32, _ description: dnnl_memory_desc_t) {
    (self.argument, self.description) = (argument, description)
  }
}

/// The operands of a running primitive, as oneDNN's objects.
final class OneDNNArguments: @unchecked Sendable {
  private let stream: dnnl_stream_t
  private let list: [dnnl_exec_arg_t]

  fileprivate init(_ operands: [OneDNNOperand]) {
    stream = OneDNN.made("a stream") {
      dnnl_stream_create($0, OneDNN.engine, UInt32(dnnl_stream_default_flags.rawValue))
    }
    list = operands.map { operand in
      var description = operand.description
      return dnnl_exec_arg_t(
        arg: operand.argument,
        memory: OneDNN.made("memory") { dnnl_memory_create($0, &description, OneDNN.engine, nil) })
    }
  }

  deinit {
    for argument in list { dnnl_memory_destroy(argument.memory) }
    dnnl_stream_destroy(stream)
  }

  /// Sets the address of operand `index`, in the order in which the primitive got them.
  func point(_ index: Int, to address: UnsafeMutableRawPointer) {
    OneDNN.check(dnnl_memory_set_data_handle(list[index].memory, address), "an address")
  }

  fileprivate func execute(_ primitive: dnnl_primitive_t) -> dnnl_status_t {
    dnnl_primitive_execute(primitive, stream, Int32(list.count), list)
  }
}

extension OneDNN {
  /// Calls `body` with the attributes of a primitive whose scratchpad is the caller's.
  ///
  /// - Parameters:
  ///   - factor: of the result
  ///   - adds: whether the result is added to what is in the target
  ///   - rectifies: whether max(0, result) is set
  static func attributes<Result>(
    factor: Float = 1, adds: Bool = false, rectifies: Bool = false, _ body: (dnnl_primitive_attr_t) -> Result
  ) -> Result {
    let attributes = made("attributes", dnnl_primitive_attr_create)
    defer { check(dnnl_primitive_attr_destroy(attributes), "an attribute's end") }
    check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "a scratchpad")
    if factor != 1 {
      var factor = factor
      check(dnnl_primitive_attr_set_output_scales(attributes, 1, 0, &factor), "a factor")
    }
    if adds || rectifies {
      let operations = made("post-operations", dnnl_post_ops_create)
      defer { check(dnnl_post_ops_destroy(operations), "the end of post-operations") }
      if adds { check(dnnl_post_ops_append_sum(operations, 1), "a sum") }
      if rectifies { check(dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0), "a rectifier") }
      check(dnnl_primitive_attr_set_post_ops(attributes, operations), "post-operations")
    }
    return body(attributes)
  }

  /// What a primitive's description says about one of its operands.
  static func description(_ query: dnnl_query_t, of primitive: dnnl_primitive_desc_t) -> dnnl_memory_desc_t {
    guard let description = dnnl_primitive_desc_query_md(primitive, query, 0) else {
      preconditionFailure("oneDNN: a primitive does not describe its operand \(query.rawValue)")
    }
    return description.pointee
  }

  /// The description of memory by extents and the distances between neighbours.
  static func memory(_ extents: [Int], strides: [Int], _ precision: Precision = .float32) -> dnnl_memory_desc_t {
    var description = dnnl_memory_desc_t()
    let type = precision == .bfloat16 ? dnnl_bf16 : dnnl_f32
    check(
      dnnl_memory_desc_init_by_strides(
        &description, Int32(extents.count), extents.map(Int64.init), type, strides.map(Int64.init)), "a description")
    return description
  }
}
