"""The networks of keras.applications that can be named, and what is to be known of each."""

# The range of values that each backbone's ImageNet weights were trained with, and the smallest side it takes.
# "levels": 0-255, scaled within; "symmetric": -1 to 1; "standard": mean 0, deviation 1 of ImageNet's 0-1 RGB;
# "centred": 0-255 BGR less ImageNet's mean. Source: keras.applications.<module>.preprocess_input.
# EfficientNetB0 to B7 are left out: Keras builds another network for their ImageNet weights than without any.
BACKBONES = {
    **dict.fromkeys(["ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"], "levels"),
    **dict.fromkeys([f"EfficientNetV2{name}" for name in ("B0", "B1", "B2", "B3", "S", "M", "L")], "levels"),
    **dict.fromkeys(["MobileNetV3Small", "MobileNetV3Large"], "levels"),
    **dict.fromkeys(["MobileNet", "MobileNetV2", "NASNetMobile", "NASNetLarge"], "symmetric"),
    **dict.fromkeys(["ResNet50V2", "ResNet101V2", "ResNet152V2"], "symmetric"),
    **dict.fromkeys(["InceptionV3", "InceptionResNetV2", "Xception"], "symmetric"),
    **dict.fromkeys(["DenseNet121", "DenseNet169", "DenseNet201"], "standard"),
    **dict.fromkeys(["ResNet50", "ResNet101", "ResNet152", "VGG16", "VGG19"], "centred"),
}
SMALLEST = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}
SMALLEST_SIDE = 32  # of the other backbones
WIDE = ("MobileNet", "MobileNetV2")  # those whose layers can be made narrower

# Where Keras fetches the ImageNet weights without the top from, below one address; {width} and {size} are of those that
# there are several of. Source: keras.applications.
WEIGHTS_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications/"
_KERNELS = "weights_tf_dim_ordering_tf_kernels"
_PLAIN = {
    "resnet": ["ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"],
    "densenet": ["DenseNet121", "DenseNet169", "DenseNet201"],
    "xception": ["Xception"],
    "vgg16": ["VGG16"],
    "vgg19": ["VGG19"],
}
_CONVNEXTS = ["Tiny", "Small", "Base", "Large", "XLarge"]
WEIGHTS = {
    **{name: f"{room}/{name.lower()}_{_KERNELS}_notop.h5" for room, names in _PLAIN.items() for name in names},
    **{f"ConvNeXt{one}": f"convnext/convnext_{one.lower()}_notop.h5" for one in _CONVNEXTS},
    **{f"EfficientNetV2{one}": f"efficientnet_v2/efficientnetv2-{one.lower()}_notop.h5" for one in "SML"},
    **{f"EfficientNetV2B{one}": f"efficientnet_v2/efficientnetv2-b{one}_notop.h5" for one in range(4)},
    "InceptionV3": f"inception_v3/inception_v3_{_KERNELS}_notop.h5",
    "InceptionResNetV2": f"inception_resnet_v2/inception_resnet_v2_{_KERNELS}_notop.h5",
    "NASNetMobile": "nasnet/NASNet-mobile-no-top.h5",
    "NASNetLarge": "nasnet/NASNet-large-no-top.h5",
    "MobileNet": "mobilenet/mobilenet_{width}_{size}_tf_no_top.h5",
    "MobileNetV2": f"mobilenet_v2/mobilenet_v2_{_KERNELS}_{{width}}_{{size}}_no_top.h5",
    "MobileNetV3Small": "mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    "MobileNetV3Large": "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
}
LOCAL_NAMES = {"NASNetMobile": "nasnet_mobile_no_top.h5", "NASNetLarge": "nasnet_large_no_top.h5"}  # in Keras's cache
WIDTHS = {  # that were trained, as they are written in the name
    "MobileNet": {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"},
    "MobileNetV2": {width: str(width) for width in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)},
}
SIZES = {"MobileNet": (128, 160, 192), "MobileNetV2": (96, 128, 160, 192)}  # beside 224, which serves any other
