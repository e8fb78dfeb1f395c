import SprintKernels
import Testing

@Suite struct PrecisionTests {
  private let wide: Set<String> = ["avx512f", "avx512bw", "avx512dq", "avx512vl"]

  @Test("bfloat16 is refused without AVX-512, and said to be slow without instructions of its own")
  func support() throws {
    let old = try #require(Precision.bfloat16.obstacle(flags: ["avx2", "fma"]))
    #expect(old.contains("lacks avx512f, avx512bw, avx512dq, avx512vl: use float32"))
    #expect(Precision.float32.obstacle(flags: []) == nil && Precision.float32.notice(flags: []) == nil)
    let notice = try #require(Precision.bfloat16.notice(flags: wide))
    #expect(notice.contains("float32 is faster"))
    for flag in ["avx512_bf16", "amx_bf16"] { #expect(Precision.bfloat16.notice(flags: wide.union([flag])) == nil) }
  }
}
