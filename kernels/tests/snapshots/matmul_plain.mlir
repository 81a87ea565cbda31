module @matmul {
  func.func public @main(%arg0: tensor<2x300x200xbf16>, %arg1: tensor<2x1000x200xbf16>) -> tensor<2x300x1000xbf16> {
    %0 = stablehlo.dot_general %arg0, %arg1, batching_dims = [0] x [0], contracting_dims = [2] x [2] : (tensor<2x300x200xbf16>, tensor<2x1000x200xbf16>) -> tensor<2x300x1000xf32>
    %1 = stablehlo.convert %0 : (tensor<2x300x1000xf32>) -> tensor<2x300x1000xbf16>
    return %1 : tensor<2x300x1000xbf16>
  }
}
