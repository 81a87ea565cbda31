module @root_mean_squares {
  func.func public @main(%arg0: tensor<6x10xbf16>) -> tensor<6x1xf32> {
    %0 = stablehlo.constant dense<0.0> : tensor<bf16>
    %1 = stablehlo.pad %arg0, %0, low = [0, 0], high = [2, 2], interior = [0, 0] : (tensor<6x10xbf16>, tensor<bf16>) -> tensor<8x12xbf16>
    %2 = stablehlo.constant dense<0.0> : tensor<8x1xf32>
    %3 = stablehlo.constant dense<0> : tensor<i32>
    %4:3 = stablehlo.while(%5 = %3, %6 = %1, %7 = %2) : tensor<i32>, tensor<8x12xbf16>, tensor<8x1xf32>
    cond {
      %8 = stablehlo.constant dense<2> : tensor<i32>
      %9 = stablehlo.compare LT, %5, %8, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %9 : tensor<i1>
    } do {
      %10 = stablehlo.constant dense<0.0e0> : tensor<4x1xf32>
      %11 = stablehlo.constant dense<0> : tensor<i32>
      %12:5 = stablehlo.while(%13 = %11, %14 = %5, %15 = %10, %16 = %6, %17 = %7) : tensor<i32>, tensor<i32>, tensor<4x1xf32>, tensor<8x12xbf16>, tensor<8x1xf32>
      cond {
        %18 = stablehlo.constant dense<4> : tensor<i32>
        %19 = stablehlo.compare LT, %13, %18, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %19 : tensor<i1>
      } do {
        %20 = stablehlo.constant dense<4> : tensor<i32>
        %21 = stablehlo.multiply %14, %20 : tensor<i32>
        %22 = stablehlo.constant dense<3> : tensor<i32>
        %23 = stablehlo.multiply %13, %22 : tensor<i32>
        %24 = stablehlo.dynamic_slice %16, %21, %23, sizes = [4, 3] : (tensor<8x12xbf16>, tensor<i32>, tensor<i32>) -> tensor<4x3xbf16>
        %25 = stablehlo.convert %24 : (tensor<4x3xbf16>) -> tensor<4x3xf32>
        %26 = stablehlo.convert %24 : (tensor<4x3xbf16>) -> tensor<4x3xf32>
        %27 = stablehlo.multiply %25, %26 : tensor<4x3xf32>
        %28 = stablehlo.iota dim = 1 : tensor<4x3xi32>
        %29 = stablehlo.constant dense<3> : tensor<i32>
        %30 = stablehlo.multiply %13, %29 : tensor<i32>
        %31 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<i32>) -> tensor<4x3xi32>
        %32 = stablehlo.add %28, %31 : tensor<4x3xi32>
        %33 = stablehlo.constant dense<10> : tensor<4x3xi32>
        %34 = stablehlo.compare LT, %32, %33, SIGNED : (tensor<4x3xi32>, tensor<4x3xi32>) -> tensor<4x3xi1>
        %35 = stablehlo.constant dense<0.0e0> : tensor<4x3xf32>
        %36 = stablehlo.select %34, %27, %35 : tensor<4x3xi1>, tensor<4x3xf32>
        %37 = stablehlo.constant dense<0.0e0> : tensor<f32>
        %38 = stablehlo.reduce(%36 init: %37) applies stablehlo.add across dimensions = [1] : (tensor<4x3xf32>, tensor<f32>) -> tensor<4xf32>
        %39 = stablehlo.reshape %38 : (tensor<4xf32>) -> tensor<4x1xf32>
        %40 = stablehlo.add %15, %39 : tensor<4x1xf32>
        %41 = stablehlo.constant dense<1> : tensor<i32>
        %42 = stablehlo.add %13, %41 : tensor<i32>
        stablehlo.return %42, %14, %40, %16, %17 : tensor<i32>, tensor<i32>, tensor<4x1xf32>, tensor<8x12xbf16>, tensor<8x1xf32>
      }
      %43 = stablehlo.constant dense<1.0e-1> : tensor<4x1xf32>
      %44 = stablehlo.multiply %12#2, %43 : tensor<4x1xf32>
      %45 = stablehlo.rsqrt %44 : tensor<4x1xf32>
      %46 = stablehlo.constant dense<4> : tensor<i32>
      %47 = stablehlo.multiply %12#1, %46 : tensor<i32>
      %48 = stablehlo.constant dense<0> : tensor<i32>
      %49 = stablehlo.dynamic_update_slice %12#4, %45, %47, %48 : (tensor<8x1xf32>, tensor<4x1xf32>, tensor<i32>, tensor<i32>) -> tensor<8x1xf32>
      %50 = stablehlo.constant dense<1> : tensor<i32>
      %51 = stablehlo.add %5, %50 : tensor<i32>
      stablehlo.return %51, %12#3, %49 : tensor<i32>, tensor<8x12xbf16>, tensor<8x1xf32>
    }
    %52 = stablehlo.slice %4#2 [0:6, 0:1] : (tensor<8x1xf32>) -> tensor<6x1xf32>
    return %52 : tensor<6x1xf32>
  }
}
