import COneDNN
import Synchronization

/// Everything about the convolution of some lines of an image but the numbers.
struct ConvolutionShape: Hashable {
  let geometry: ConvolutionGeometry
  /// Extents of the source.
  let height, width: Int
  /// Lines of zeros above and below the source.
  let above, below: Int
  let hasBias, adds, rectifies: Bool
}

extension OneDNN {
  private static let convolutions = Mutex<[ConvolutionShape: OneDNNPrimitive]>([:])

  /// Returns the convolution of a shape; its operands are source, weights, target and bias. Making one costs far more
  /// than running it, so each is made once.
  static func convolution(_ shape: ConvolutionShape, _ weights: dnnl_memory_desc_t) -> OneDNNPrimitive {
    omp_set_num_threads(1)
    return convolutions.withLock { convolutions in
      if let known = convolutions[shape] { return known }
      let made = shape.primitive(weights)
      convolutions[shape] = made
      return made
    }
  }
}

extension ConvolutionShape {
  private var outputHeight: Int { (height + above + below - geometry.kernelHeight) / geometry.stride + 1 }
  private var source: dnnl_memory_desc_t { Self.channelsLast(geometry.inputs, height, width) }
  private var bias: dnnl_memory_desc_t { OneDNN.memory([geometry.outputs], strides: [1]) }
  private var target: dnnl_memory_desc_t {
    Self.channelsLast(geometry.outputs, outputHeight, geometry.outputWidth(width))
  }

  private static func channelsLast(_ channels: Int, _ height: Int, _ width: Int) -> dnnl_memory_desc_t {
    OneDNN.memory(
      [1, channels, height, width], strides: [height * width * channels, 1, width * channels, channels])
  }

  fileprivate func primitive(_ weights: dnnl_memory_desc_t) -> OneDNNPrimitive {
    describe(weights) { description in
      let operands = [
        OneDNNOperand(DNNL_ARG_SRC, source), OneDNNOperand(DNNL_ARG_WEIGHTS, weights),
        OneDNNOperand(DNNL_ARG_DST, target),
      ]
      return OneDNNPrimitive(
        "convolution \(self)", description, operands + (hasBias ? [OneDNNOperand(DNNL_ARG_BIAS, bias)] : []))
    }
  }

  /// Calls `body` with oneDNN's description of this convolution.
  func describe<Result>(_ weights: dnnl_memory_desc_t, _ body: (dnnl_primitive_desc_t) -> Result) -> Result {
    var operation = operation(weights)
    let description = OneDNN.attributes(adds: adds, rectifies: rectifies) { attributes in
      OneDNN.made("the primitive description of \(self)") {
        dnnl_primitive_desc_create($0, &operation, attributes, OneDNN.engine, nil)
      }
    }
    defer { OneDNN.check(dnnl_primitive_desc_destroy(description), "a description's end") }
    return body(description)
  }

  private func operation(_ weights: dnnl_memory_desc_t) -> dnnl_convolution_desc_t {
    var (source, weights, bias, target) = (source, weights, bias, target)
    let strides = [Int64(geometry.stride), Int64(geometry.stride)]
    let before = [Int64(above), Int64(geometry.left)]
    let after = [Int64(below), Int64(geometry.right)]
    var operation = dnnl_convolution_desc_t()
    let status = withUnsafePointer(to: &bias) {
      dnnl_convolution_forward_desc_init(
        &operation, dnnl_forward_inference, dnnl_convolution_direct, &source, &weights, hasBias ? $0 : nil, &target,
        strides, before, after)
    }
    OneDNN.check(status, "a convolution")
    return operation
  }
}

extension ConvolutionGeometry {
  /// The extents of a kernel as oneDNN names them.
  private var extents: [Int] { [outputs, inputs, kernelHeight, kernelWidth] }

  /// The layout of the weights that oneDNN's kernels prefer.
  var packedWeights: dnnl_memory_desc_t {
    omp_set_num_threads(1)
    var any = dnnl_memory_desc_t()
    OneDNN.check(
      dnnl_memory_desc_init_by_tag(&any, 4, extents.map(Int64.init), dnnl_f32, dnnl_format_tag_any), "a description")
    let shape = ConvolutionShape(
      geometry: self, height: 32 * stride, width: 32 * stride, above: top, below: bottom, hasBias: true, adds: false,
      rectifies: false)
    return shape.describe(any) { OneDNN.description(dnnl_query_weights_md, of: $0) }
  }

  /// Brings weights into a layout.
  func pack(_ weights: [Float], into packed: Vector<Float>, _ layout: dnnl_memory_desc_t) {
    var (plain, layout) = (
      OneDNN.memory(
        extents, strides: [inputs * kernelHeight * kernelWidth, kernelHeight * kernelWidth, kernelWidth, 1]), layout
    )
    let reorder = OneDNN.attributes { attributes in
      OneDNN.made("a reorder") {
        dnnl_reorder_primitive_desc_create($0, &plain, OneDNN.engine, &layout, OneDNN.engine, attributes)
      }
    }
    defer { OneDNN.check(dnnl_primitive_desc_destroy(reorder), "a description's end") }
    let operands = [OneDNNOperand(DNNL_ARG_FROM, plain), OneDNNOperand(DNNL_ARG_TO, layout)]
    weights.withUnsafeBytes { bytes in
      guard let source = UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { return }
      OneDNNPrimitive("packing weights", reorder, operands).run { arguments in
        arguments.point(0, to: source)
        arguments.point(1, to: packed.base)
      }
    }
  }
}
