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
