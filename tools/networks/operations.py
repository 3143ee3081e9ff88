"""Which operations a SavedModel from elsewhere may have: arithmetic on arrays, and what carries it.

A SavedModel is a program that TensorFlow runs. Its graph is read without TensorFlow, before it is
loaded. The list that the serving backend keeps names what is dangerous, since it serves models that
somebody has chosen to install; this one, for files that come from anywhere, names what is harmless.
"""

import sys
from pathlib import Path

from tools.locations import data_folder
from tools.networks.network import NetworkError

CARRIERS = (
    *("Placeholder", "PlaceholderWithDefault", "Const", "Identity", "IdentityN", "NoOp"),
    *(
        "StopGradient",
        "PreventGradient",
        "EnsureShape",
        "Assert",
        "CheckNumerics",
        "DisableCopyOnRead",
    ),
    *("PartitionedCall", "StatefulPartitionedCall", "SymbolicGradient"),
    *("If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase"),
    *("Switch", "RefSwitch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"),
    *("VarHandleOp", "ReadVariableOp", "AssignVariableOp", "AssignAddVariableOp"),
    *("AssignSubVariableOp", "VarIsInitializedOp", "VariableShape", "ResourceGather"),
    *("DestroyResourceOp", "VariableV2", "Variable", "Assign", "IsVariableInitialized"),
    *("TensorListReserve", "TensorListFromTensor", "TensorListStack", "TensorListGetItem"),
    *("TensorListSetItem", "TensorListLength", "TensorListPushBack", "TensorListPopBack"),
    *("EmptyTensorList", "TensorListElementShape", "StridedSliceGrad", "BroadcastGradientArgs"),
)
"""What calls functions, branches and holds values."""

ARITHMETIC = (
    *("Add", "AddV2", "AddN", "AccumulateNV2", "Sub", "Mul", "MulNoNan", "Div", "DivNoNan"),
    *("RealDiv", "FloorDiv", "FloorMod", "Mod", "TruncateDiv", "TruncateMod", "Neg", "Abs", "Sign"),
    *("Reciprocal", "Inv", "Square", "SquaredDifference", "Sqrt", "Rsqrt", "Pow", "Exp", "Expm1"),
    *("Log", "Log1p", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Atan2", "Sinh", "Cosh"),
    *("Tanh", "Asinh", "Acosh", "Atanh", "Erf", "Erfc", "Erfinv", "Lgamma", "Digamma", "Xdivy"),
    *("Xlogy", "Xlog1py", "Sigmoid", "Softplus", "Softsign", "Relu", "Relu6", "Elu", "Selu"),
    *("LeakyRelu", "Softmax", "LogSoftmax", "Maximum", "Minimum", "ClipByValue", "Round", "Rint"),
    *("Floor", "Ceil", "IsNan", "IsInf", "IsFinite", "Equal", "NotEqual", "Less", "LessEqual"),
    *("Greater", "GreaterEqual", "ApproximateEqual", "LogicalAnd", "LogicalOr", "LogicalNot"),
    *("Sum", "Mean", "Prod", "Max", "Min", "Any", "All", "ArgMax", "ArgMin", "Cumsum", "Cumprod"),
    *("EuclideanNorm", "L2Loss", "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"),
    *("Einsum", "SegmentSum", "UnsortedSegmentSum", "TopKV2", "Sort", "Bincount", "Range"),
    *("LinSpace", "ReluGrad", "TanhGrad", "SigmoidGrad", "RsqrtGrad", "SqrtGrad", "EluGrad"),
)
"""Element by element, along axes, and matrix products."""

NETWORKS = (
    *("Conv", "Conv2D", "Conv3D", "Conv3DBackpropInputV2", "Conv2DBackpropInput"),
    *("Conv3DBackpropFilterV2", "Conv2DBackpropFilter", "DepthwiseConv2dNative", "BiasAdd"),
    *("BiasAddGrad", "BiasAddV1", "MaxPool", "MaxPoolV2", "MaxPool3D", "MaxPool3DGrad"),
    *("MaxPoolGrad", "AvgPool", "AvgPool3D", "AvgPool3DGrad", "AvgPoolGrad", "FusedBatchNorm"),
    *("FusedBatchNormV2", "FusedBatchNormV3", "FusedBatchNormGradV3", "LRN"),
    *("ResizeBilinear", "ResizeNearestNeighbor", "SpaceToBatchND", "BatchToSpaceND"),
    *("SpaceToDepth", "DepthToSpace", "Dilation2D", "CudnnRNN", "CudnnRNNV2", "CudnnRNNV3"),
    *("CudnnRNNBackprop", "CudnnRNNBackpropV2", "CudnnRNNBackpropV3"),
)
"""Convolution, pooling, normalisation, resizing; gradients are what training left in the file."""

SHAPES = (
    *("Shape", "ShapeN", "Size", "Rank", "Reshape", "Transpose", "ConjugateTranspose", "Squeeze"),
    *("ExpandDims", "Concat", "ConcatV2", "Split", "SplitV", "Slice", "StridedSlice", "Pack"),
    *("Unpack", "Tile", "Pad", "PadV2", "MirrorPad", "Reverse", "ReverseV2", "Roll", "Gather"),
    *("GatherV2", "GatherNd", "ScatterNd", "TensorScatterUpdate", "TensorScatterAdd", "OneHot"),
    *("Where", "Select", "SelectV2", "Fill", "ZerosLike", "OnesLike", "BroadcastTo"),
    *("BroadcastArgs", "Cast", "Bitcast", "MatrixDiag", "MatrixDiagV3", "MatrixBandPart"),
    *("ConcatOffset", "InvertPermutation", "Empty", "Unique", "DynamicStitch"),
)
"""Shapes, parts and types of arrays."""

RANDOM = (
    *("RandomUniform", "RandomStandardNormal", "RandomUniformInt", "TruncatedNormal"),
    *("StatelessRandomUniform", "StatelessRandomUniformV2", "StatelessRandomNormalV2"),
    *("StatelessTruncatedNormalV2", "StatelessRandomGetKeyCounter", "StatelessRandomGetAlg"),
    *("StatelessRandomGetKeyCounterAlg", "StatelessRandomUniformFullIntV2"),
)
"""Dropout, in the functions that training used. Features that vary are refused elsewhere."""

SAVER = (
    *("SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename", "StringJoin"),
    *("StaticRegexFullMatch",),
)
"""How every SavedModel keeps its variables in files, its own; refused where it does more."""

HARMLESS = frozenset(CARRIERS + ARITHMETIC + NETWORKS + SHAPES + RANDOM + SAVER)


def check_operations(directory: Path, *, trust: bool) -> None:
    """Refuse a SavedModel that is broken or, without trust, has other operations."""
    backend = str(data_folder("backends") / "tensorflow")
    if backend not in sys.path:
        sys.path.append(backend)  # as Triton does: the backend's modules are no package
    from tf_errors import SavedModelError
    from tf_graph_safety import read_operations
    from tf_signature import read_meta_graph

    try:
        operations = read_operations(read_meta_graph(directory, ()))
    except SavedModelError as error:
        raise NetworkError(
            f"{directory.name} is no SavedModel that can be read: {error}"
        ) from error
    refused = sorted((operations.all - HARMLESS) | operations.unsafe)
    if refused and not trust:
        raise NetworkError(
            f"the SavedModel has {', '.join(refused)}: only operations on arrays are taken, since "
            "others can reach files, the network or Python; save the network without them, or say "
            "--trust if its author is trusted"
        )
