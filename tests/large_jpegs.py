"""Large JPEGs of one picture, of every kind that is decoded in a way of its own."""

from PIL import Image, ImageFilter

from pictures import encode, noise

WIDTH, HEIGHT = 1037, 771  # no multiple of 8: the last row and column of a scale are filled in part


def photograph() -> Image.Image:
    """Return a picture with detail of every size."""
    parts = [noise(f"part {side}", side).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC) for side in (5, 40, 300)]
    image = Image.blend(Image.blend(parts[0], parts[1], 0.4), parts[2], 0.3)
    return image.filter(ImageFilter.GaussianBlur(1))


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


WHOLE = photograph()
PLAIN = encode(WHOLE, "JPEG", quality=92)
LARGE = {
    "plain": PLAIN,
    "with EXIF": encode(WHOLE, "JPEG", quality=92, exif=exif(1)),
    "two pictures": encode(WHOLE, "MPO", quality=92, save_all=True, append_images=[noise("other")]),
    "progressive": encode(WHOLE, "JPEG", quality=92, progressive=True),
    **{f"turned {way}": encode(WHOLE, "JPEG", quality=92, exif=exif(way)) for way in range(2, 9)},
    "grey": encode(WHOLE.convert("L"), "JPEG", quality=92),
    "CMYK": encode(WHOLE.convert("CMYK"), "JPEG", quality=92),
}
