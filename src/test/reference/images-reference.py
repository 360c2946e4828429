"""Draws nasty images and writes what Pillow and Hugging Face's image processors make of them. See README.md beside this file.

    python images-reference.py ../resources/reference/nasty

Images are drawn only where they are not there yet: the reference belongs to the files as they are.
"""

import base64
import io
import json
import os
import struct
import sys
import zlib

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import numpy as np
import PIL
import transformers
from PIL import Image
from transformers.image_utils import load_image

FOLDER = sys.argv[1]
os.makedirs(FOLDER, exist_ok=True)


def scene(width, height):
    """Slopes with a few hard edges: smooth enough for JPEG, rough enough to tell filters and places apart."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    red = 255 * x / max(1, width - 1)
    green = 255 * y / max(1, height - 1)
    blue = 127 + 120 * np.sin(x * 0.7) * np.cos(y * 0.5)
    pixels = np.stack([red, green, blue], -1)
    pixels[height // 4 : height // 2, width // 3 : width // 2] = [250, 10, 20]
    pixels[: height // 5 + 1, : width // 6 + 1] = [0, 0, 0]
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, kind, rows, before=b"", after=b"", interlaced=False):
    """A PNG of rows of bytes; of several passes if they are interlaced."""
    body = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", body) + after + chunk(b"IEND", b"")


def adam7(pixels):
    """The rows of the seven passes of an interlaced PNG."""
    for x, y, across, down in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for row in pixels[y::down, x::across]:
            if row.size:
                yield row.tobytes()


def exif(orientation, order="<"):
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def profile(gamma):
    """An ICC profile whose colours are not sRGB's, by far."""
    def tag(data):
        return data + b"\0" * (-len(data) % 4)

    def xyz(*values):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(int(v * 65536) for v in values))

    curve = tag(b"curv\0\0\0\0" + struct.pack(">IH", 1, int(gamma * 256)))
    text = tag(b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + b"\0" * 78)
    right = tag(b"text\0\0\0\0x\0")
    parts = [(b"desc", text), (b"cprt", right), (b"wtpt", xyz(0.9642, 1, 0.8249)), (b"rXYZ", xyz(0.1431, 0.0606, 0.7141)),
             (b"gXYZ", xyz(0.3851, 0.7169, 0.0971)), (b"bXYZ", xyz(0.4361, 0.2225, 0.0139)),
             (b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)]
    table, data, at = struct.pack(">I", len(parts)), b"", 128 + 4 + 12 * len(parts)
    for name, part in parts:
        table += name + struct.pack(">II", at + len(data), len(part))
        data += part
    size = 128 + len(table) + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ") + struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
    head += b"acsp" + b"\0" * 28 + struct.pack(">3i", int(0.9642 * 65536), 65536, int(0.8249 * 65536))
    return head.ljust(128, b"\0") + table + data


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def adobe_transform(file, value):
    at = file.index(b"Adobe")
    return file[: at + 11] + bytes([value]) + file[at + 12 :]


def without_adobe(file):
    at = file.index(b"Adobe") - 4
    return file[:at] + file[at + 2 + struct.unpack(">H", file[at + 2 : at + 4])[0] :]


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def drawings():
    colour = scene(26, 17)
    image = Image.fromarray(colour)
    grey = np.array(image.convert("L"))
    deep = (grey.astype(np.uint16) << 8) + np.arange(26, dtype=np.uint16) * 9
    for orientation in range(1, 9):
        yield f"exif-{orientation}.jpg", jpeg(image, exif=b"Exif\0\0" + exif(orientation, "<>"[orientation % 2]))
    yield "exif-9.jpg", jpeg(image, exif=b"Exif\0\0" + exif(9))
    yield "exif-6.png", png(26, 17, 8, 2, colour, before=chunk(b"eXIf", exif(6, ">")))
    yield "exif-8-behind.png", png(26, 17, 8, 2, colour, after=chunk(b"eXIf", exif(8)))
    yield "grey-16.png", png(26, 17, 16, 0, deep.astype(">u2"))
    yield "colour-16.png", png(26, 17, 16, 2, ((colour.astype(np.uint16) << 8) + 77).astype(">u2"))
    yield "colour-16-alpha.png", png(26, 17, 16, 6, (np.dstack([colour, grey]).astype(np.uint16) << 8).astype(">u2"))
    palette = image.quantize(16)
    yield "palette.png", saved(palette)
    yield "palette-transparent.png", saved(palette, transparency=bytes(range(0, 256, 16)))
    yield "alpha.png", saved(Image.fromarray(np.dstack([colour, grey])))
    yield "grey-alpha.png", saved(Image.fromarray(np.dstack([grey, 255 - grey])))
    yield "transparent-colour.png", png(26, 17, 8, 2, colour, before=chunk(b"tRNS", struct.pack(">3H", *map(int, colour[3, 3]))))
    yield "grey.png", saved(Image.fromarray(grey))
    yield "bits-1.png", saved(image.convert("1"))
    yield "bits-2.png", png(8, 3, 2, 0, [b"\x1b\xe4", b"\x00\xff", b"\xaa\x55"])
    yield "bits-4.png", png(4, 2, 4, 0, [b"\x01\xfe", b"\x78\x9a"])
    yield "interlaced.png", png(26, 17, 8, 2, adam7(colour), interlaced=True)
    yield "gamma.png", png(26, 17, 8, 2, colour, before=chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "profile.png", saved(image, icc_profile=profile(1.0))
    yield "one.png", saved(Image.new("RGB", (1, 1), (200, 100, 50)))
    yield "progressive.jpg", jpeg(image, progressive=True)
    yield "grey.jpg", jpeg(image.convert("L"))
    yield "subsampled.jpg", jpeg(image, subsampling="4:2:0")
    yield "subsampled-across.jpg", jpeg(image, subsampling="4:2:2")
    yield "whole-colours.jpg", jpeg(image, subsampling="4:4:4")
    yield "profile.jpg", jpeg(image, icc_profile=profile(1.0), subsampling="4:4:4")
    yield "rgb.jpg", jpeg(image, keep_rgb=True)
    inks = image.convert("CMYK")
    inks = Image.merge("CMYK", [*inks.split()[:3], Image.fromarray(255 - grey).point(lambda v: v // 3)])
    yield "cmyk.jpg", jpeg(inks)
    yield "cmyk-bare.jpg", without_adobe(jpeg(inks))
    light = image.convert("YCbCr").split()
    stored = Image.merge("CMYK", [band.point(lambda v: 255 - v) for band in light] + [Image.fromarray(255 - grey).point(lambda v: v // 3)])
    yield "ycck.jpg", adobe_transform(jpeg(stored), 2)


def bytes_of(array):
    return base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()


for name, file in drawings():
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        with open(path, "wb") as out:
            out.write(file)
    assert os.path.getsize(path) < 4000, name

names = sorted(name for name in os.listdir(FOLDER) if name.endswith((".png", ".jpg")))
images = []
for name in names:
    pixels = np.array(load_image(os.path.join(FOLDER, name)))
    images.append({"file": name, "width": pixels.shape[1], "height": pixels.shape[0], "rgb": bytes_of(pixels)})

# what old and new files say, small: processors by their names, and every filter, size, crop and number of levels
PROCESSORS = [
    {"image_processor_type": "ViTImageProcessor", "size": {"height": 9, "width": 12}, "resample": 2},
    {"feature_extractor_type": "ViTFeatureExtractor", "size": 12, "resample": 2, "do_normalize": True, "do_resize": True,
     "image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.6, 0.7]},
    {"image_processor_type": "ViTImageProcessor", "size": {"height": 30, "width": 40}, "resample": 3},
    *({"image_processor_type": "ViTImageProcessor", "size": {"height": h, "width": w}, "resample": filter, "do_normalize": False}
      for filter in range(6) for h, w in [(7, 11), (23, 35)]),
    {"image_processor_type": "ViTImageProcessor", "size": {"height": 9, "width": 9}, "do_rescale": False},
    {"image_processor_type": "ViTImageProcessor", "size": {"height": 9, "width": 9}, "rescale_factor": 0.00784313725490196},
    {"image_processor_type": "DeiTImageProcessor", "size": {"height": 15, "width": 15}, "crop_size": {"height": 10, "width": 12}},
    {"feature_extractor_type": "DeiTFeatureExtractor", "size": 15, "crop_size": 11, "resample": 3, "do_center_crop": True},
    {"image_processor_type": "BeitImageProcessor", "size": 14, "crop_size": 18},
    {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 13}, "crop_size": {"height": 12, "width": 12}},
    {"feature_extractor_type": "CLIPFeatureExtractor", "size": 12, "crop_size": 12},
    {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 9}, "crop_size": {"height": 14, "width": 8}},
    {"image_processor_type": "CLIPImageProcessor", "do_resize": False, "crop_size": 12},
    {"image_processor_type": "CLIPImageProcessor", "do_resize": False, "crop_size": {"height": 21, "width": 30}},
    {"image_processor_type": "CLIPImageProcessor", "size": {"height": 10, "width": 14}, "do_center_crop": False},
    {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 16}, "crop_size": 13},
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 12}, "crop_pct": 0.875},
    {"feature_extractor_type": "ConvNextFeatureExtractor", "size": 11, "crop_pct": 0.9, "resample": 3},
    {"image_processor_type": "LevitImageProcessor", "size": {"shortest_edge": 14}, "crop_size": 13},
    {"image_processor_type": "PoolFormerImageProcessor", "size": {"shortest_edge": 12}, "crop_size": 12, "crop_pct": 0.95},
    {"image_processor_type": "MobileNetV2ImageProcessor", "size": {"shortest_edge": 15}, "crop_size": {"height": 12, "width": 12}},
    {"image_processor_type": "MobileViTImageProcessor", "size": {"shortest_edge": 15}, "crop_size": {"height": 12, "width": 12}},
    {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 12, "width": 12}, "image_std": [0.4, 0.5, 0.6]},
    {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 12, "width": 12}, "resample": 2, "include_top": False,
     "rescale_factor": 0.00784313725490196, "rescale_offset": True},
    {"image_processor_type": "SegformerImageProcessor", "size": {"height": 10, "width": 10}},
    {"image_processor_type": "SiglipImageProcessor", "size": {"height": 10, "width": 10}, "do_convert_rgb": None},
]

tensors = []
for config in PROCESSORS:
    kind = config.get("image_processor_type") or config["feature_extractor_type"].replace("FeatureExtractor", "ImageProcessor")
    processor = getattr(transformers, kind)(**{k: v for k, v in config.items() if not k.endswith("_type")})
    for name in ["alpha.png", "exif-6.png"]:
        pixels = processor(load_image(os.path.join(FOLDER, name)), return_tensors="np")["pixel_values"]
        tensors.append({"file": name, "preprocessor_config": config, "shape": list(pixels.shape),
                        "pixel_values": bytes_of(pixels.astype("<f4"))})

# timm itself needs torch, so its steps are written out: shorter side or both, the middle, mean and deviation
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
TIMM = [
    {"input_size": [3, 12, 12], "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center",
     "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "num_classes": 2},
    {"input_size": [3, 11, 11], "interpolation": "bilinear", "crop_pct": 0.8, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
    {"input_size": [3, 10, 14], "interpolation": "lanczos", "crop_pct": 0.9, "crop_mode": "squash",
     "mean": [0, 0, 0], "std": [1, 1, 1]},
]
for config in TIMM:
    for name in ["alpha.png", "exif-6.png"]:
        image = load_image(os.path.join(FOLDER, name))
        _, height, width = config["input_size"]
        high, wide = (int(side // config["crop_pct"]) for side in (height, width))
        if config.get("crop_mode") != "squash":
            w, h = image.size
            wide, high = (high, int(high * h / w)) if w <= h else (int(high * w / h), high)
        image = image.resize((wide, high), FILTERS[config["interpolation"]])
        top, left = round((high - height) / 2.0), round((wide - width) / 2.0)
        pixels = np.array(image.crop((left, top, left + width, top + height))).astype(np.float32) / 255
        pixels = ((pixels - np.float32(config["mean"])) / np.float32(config["std"])).transpose(2, 0, 1)[None]
        tensors.append({"file": name, "config": {"architecture": "some", "num_classes": 2, "pretrained_cfg": config},
                        "shape": list(pixels.shape), "pixel_values": bytes_of(pixels.astype("<f4"))})

made_by = f"Pillow {PIL.__version__}, transformers {transformers.__version__}"
with open(os.path.join(FOLDER, "reference.json"), "w") as out:
    json.dump({"made_by": made_by, "images": images, "tensors": tensors}, out, indent=1)
    out.write("\n")
print(made_by, len(images), "images", len(tensors), "tensors", os.path.getsize(os.path.join(FOLDER, "reference.json")), "bytes")
