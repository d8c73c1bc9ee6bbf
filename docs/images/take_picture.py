"""Take one picture out of a video: ``take_picture.py VIDEO SECOND PICTURE``."""

import sys

import av

WIDTH_PX = 960


def main() -> None:
    """Write the first picture at or after the second."""
    video, second, picture = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    with av.open(video) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= second:
                height_px = round(frame.height * WIDTH_PX / frame.width)
                frame.reformat(width=WIDTH_PX, height=height_px, interpolation="AREA").to_image().save(
                    picture, optimize=True
                )
                return
    sys.exit(f"{video} ends before {second} s.")


if __name__ == "__main__":
    main()
