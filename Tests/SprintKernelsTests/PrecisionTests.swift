import SprintKernels
import Testing

@Suite struct PrecisionTests {
  @Test("bfloat16 is said to be slow on a CPU without instructions for it")
  func notice() throws {
    #expect(Precision.float32.notice(flags: []) == nil)
    let notice = try #require(Precision.bfloat16.notice(flags: ["avx2", "avx512f"]))
    #expect(notice.contains("float32 is faster"))
    for flag in ["avx512_bf16", "amx_bf16"] { #expect(Precision.bfloat16.notice(flags: ["avx2", flag]) == nil) }
  }
}
