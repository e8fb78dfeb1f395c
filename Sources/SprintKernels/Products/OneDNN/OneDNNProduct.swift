import COneDNN

/// The product of one shape, ready to run. Several threads may run it at once.
final class OneDNNProduct: Sendable {
  private let primitive: OneDNNPrimitive

  init(_ shape: ProductShape) {
    var (a, b, c) = (
      shape.a.description(shape.count), shape.b.description(shape.count), shape.c.description(shape.count)
    )
    var bias = shape.biasDescription
    var operation = dnnl_matmul_desc_t()
    let status =
      shape.hasBias
      ? dnnl_matmul_desc_init(&operation, &a, &b, &bias, &c) : dnnl_matmul_desc_init(&operation, &a, &b, nil, &c)
    OneDNN.check(status, "a matmul")
    let description = OneDNN.attributes(factor: shape.factor, adds: shape.adds) { attributes in
      OneDNN.made("the primitive description of \(shape)") {
        dnnl_primitive_desc_create($0, &operation, attributes, OneDNN.engine, nil)
      }
    }
    defer { OneDNN.check(dnnl_primitive_desc_destroy(description), "a description's end") }
    let operands = [
      OneDNNOperand(DNNL_ARG_SRC, a), OneDNNOperand(DNNL_ARG_WEIGHTS, b), OneDNNOperand(DNNL_ARG_DST, c),
    ]
    primitive = OneDNNPrimitive(
      "product \(shape)", description, operands + (shape.hasBias ? [OneDNNOperand(DNNL_ARG_BIAS, bias)] : []))
  }

  /// Computes the product of matrices at some addresses.
  func run(
    _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ c: UnsafeMutableRawPointer,
    bias: UnsafeMutableRawPointer?
  ) {
    primitive.run { arguments in
      arguments.point(0, to: a)
      arguments.point(1, to: b)
      arguments.point(2, to: c)
      if let bias { arguments.point(3, to: bias) }
    }
  }
}

extension ProductShape {
  /// The bias of a layer lies along the rows of its output.
  fileprivate var biasDescription: dnnl_memory_desc_t {
    OneDNN.memory([1, c.columns], strides: [c.columns, 1], a.precision)
  }
}

extension ProductShape.Operand {
  /// A stack of one is a plain matrix to oneDNN.
  fileprivate func description(_ count: Int) -> dnnl_memory_desc_t {
    let dropped = count == 1 ? 1 : 0
    return OneDNN.memory(
      Array([count, rows, columns].dropFirst(dropped)),
      strides: Array([distance, rowStride, columnStride].dropFirst(dropped)),
      precision)
  }
}
