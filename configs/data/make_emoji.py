"""Writes the emoji of Debian's fonts-noto-color-emoji as pictures: FOLDER/GROUP/CODE.png, one folder a Unicode group.

    apt-get install fonts-noto-color-emoji unicode-data python3-pil
    /usr/bin/python3 configs/data/make_emoji.py FOLDER

The list and its groups are Unicode's emoji-test.txt. Variants that differ only in the tone of a skin are left out: they
would be more than half of all. The font's pictures are licensed under the SIL Open Font License 1.1.
"""
import pathlib
import re
import sys

from PIL import Image, ImageDraw, ImageFont

LIST = "/usr/share/unicode/emoji/emoji-test.txt"
FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
SIDE = 128  # of a written picture
SIZE = 109  # the only size of the font's pictures
TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}


def groups():
    """Yields the group and the text of each emoji."""
    group = ""
    for line in open(LIST, encoding="utf-8"):
        if line.startswith("# group: "):
            group = line.removeprefix("# group: ").strip()
        elif "; fully-qualified" in line and group != "Component":
            text = "".join(chr(int(code, 16)) for code in line.split(";")[0].split())
            if not TONES & set(text):
                yield group, text


def draw(text, font):
    """Returns an emoji on white, or None where the font has no single picture of it."""
    left, top, right, bottom = font.getbbox(text)
    if right - left > 140:  # two pictures side by side
        return None
    whole = Image.new("RGBA", (right - left, bottom - top), "white")
    ImageDraw.Draw(whole).text((-left, -top), text, font=font, embedded_color=True)
    colours = whole.convert("RGB").getcolors(2)
    if colours is not None:  # a white picture, or the box of a missing one
        return None
    side = max(whole.size)
    square = Image.new("RGB", (side, side), "white")
    square.paste(whole, ((side - whole.width) // 2, (side - whole.height) // 2), whole)
    return square.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def main():
    out = pathlib.Path(sys.argv[1])
    font = ImageFont.truetype(FONT, SIZE, layout_engine=ImageFont.Layout.RAQM)
    counts = {}
    for group, text in groups():
        picture = draw(text, font)
        if picture is None:
            continue
        folder = out / re.sub(r"[^a-z]+", "-", group.lower())
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / ("-".join(f"{ord(c):x}" for c in text) + ".png"))
        counts[folder.name] = counts.get(folder.name, 0) + 1
    print(", ".join(f"{name} {count}" for name, count in counts.items()))


if __name__ == "__main__":
    main()
