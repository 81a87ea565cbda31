module @attention {
  func.func public @main(%arg0: tensor<1x8x40x64xf8E4M3>, %arg1: tensor<1x2x24x64xf8E4M3>, %arg2: tensor<1x2x24x32xf8E4M3>) -> tensor<1x8x40x32xbf16> {
    %0 = stablehlo.reshape %arg0 : (tensor<1x8x40x64xf8E4M3>) -> tensor<1x2x4x40x64xf8E4M3>
    %1 = stablehlo.dot_general %0, %arg1, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3] : (tensor<1x2x4x40x64xf8E4M3>, tensor<1x2x24x64xf8E4M3>) -> tensor<1x2x4x40x24xf32>
    %2 = stablehlo.constant dense<1.25e-1> : tensor<1x2x4x40x24xf32>
    %3 = stablehlo.multiply %1, %2 : tensor<1x2x4x40x24xf32>
    %4 = stablehlo.iota dim = 0 : tensor<40x24xi32>
    %5 = stablehlo.iota dim = 1 : tensor<40x24xi32>
    %6 = stablehlo.subtract %5, %4 : tensor<40x24xi32>
    %7 = stablehlo.constant dense<-16> : tensor<40x24xi32>
    %8 = stablehlo.compare LE, %6, %7, SIGNED : (tensor<40x24xi32>, tensor<40x24xi32>) -> tensor<40x24xi1>
    %9 = stablehlo.constant dense<-24> : tensor<40x24xi32>
    %10 = stablehlo.compare GE, %6, %9, SIGNED : (tensor<40x24xi32>, tensor<40x24xi32>) -> tensor<40x24xi1>
    %11 = stablehlo.and %8, %10 : tensor<40x24xi1>
    %12 = stablehlo.broadcast_in_dim %11, dims = [3, 4] : (tensor<40x24xi1>) -> tensor<1x2x4x40x24xi1>
    %13 = stablehlo.constant dense<0xFF800000> : tensor<1x2x4x40x24xf32>
    %14 = stablehlo.select %12, %3, %13 : tensor<1x2x4x40x24xi1>, tensor<1x2x4x40x24xf32>
    %15 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %16 = stablehlo.reduce(%14 init: %15) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x4x40x24xf32>, tensor<f32>) -> tensor<1x2x4x40xf32>
    %17 = stablehlo.constant dense<-3.4028235e38> : tensor<1x2x4x40xf32>
    %18 = stablehlo.maximum %16, %17 : tensor<1x2x4x40xf32>
    %19 = stablehlo.constant dense<4.8520303e0> : tensor<1x2x4x40xf32>
    %20 = stablehlo.subtract %18, %19 : tensor<1x2x4x40xf32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [0, 1, 2, 3] : (tensor<1x2x4x40xf32>) -> tensor<1x2x4x40x24xf32>
    %22 = stablehlo.subtract %14, %21 : tensor<1x2x4x40x24xf32>
    %23 = stablehlo.exponential %22 : tensor<1x2x4x40x24xf32>
    %24 = stablehlo.constant dense<0.0e0> : tensor<f32>
    %25 = stablehlo.reduce(%23 init: %24) applies stablehlo.add across dimensions = [4] : (tensor<1x2x4x40x24xf32>, tensor<f32>) -> tensor<1x2x4x40xf32>
    %26 = stablehlo.convert %23 : (tensor<1x2x4x40x24xf32>) -> tensor<1x2x4x40x24xf8E4M3>
    %27 = stablehlo.dot_general %26, %arg2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2] : (tensor<1x2x4x40x24xf8E4M3>, tensor<1x2x24x32xf8E4M3>) -> tensor<1x2x4x40x32xf32>
    %28 = stablehlo.constant dense<1.1754944e-38> : tensor<1x2x4x40xf32>
    %29 = stablehlo.maximum %25, %28 : tensor<1x2x4x40xf32>
    %30 = stablehlo.broadcast_in_dim %29, dims = [0, 1, 2, 3] : (tensor<1x2x4x40xf32>) -> tensor<1x2x4x40x32xf32>
    %31 = stablehlo.divide %27, %30 : tensor<1x2x4x40x32xf32>
    %32 = stablehlo.reshape %31 : (tensor<1x2x4x40x32xf32>) -> tensor<1x8x40x32xf32>
    %33 = stablehlo.convert %32 : (tensor<1x8x40x32xf32>) -> tensor<1x8x40x32xbf16>
    return %33 : tensor<1x8x40x32xbf16>
  }
}
