"""A picture as one SVG file that needs nothing else, the same bytes each time."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

# Told apart also by who cannot tell red from green, and in grey.
ORANGE = "#c2571a"
BLUE = "#14607a"
PURPLE = "#6a1b7a"

BLACK = "#222222"
FAINT = "#555555"
WHITE = "#ffffff"


def picture(
    width: float, height: float, name: str, title: str, description: str, font_size: int
) -> Element:
    """A white picture; `name` begins the ids of its title and its description."""
    root = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": number(width),
            "height": number(height),
            "viewBox": f"0 0 {number(width)} {number(height)}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
            "font-family": "sans-serif",
            "font-size": str(font_size),
            "fill": BLACK,
        },
    )
    SubElement(root, "title", id=f"{name}-title").text = title
    SubElement(root, "desc", id=f"{name}-desc").text = description
    rect(root, 0, 0, width, height, WHITE)
    return root


def document(root: Element) -> str:
    """The picture as a complete document, which ends in a newline."""
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def rect(
    parent: Element,
    x: float,
    y: float,
    width: float,
    height: float,
    colour: str,
    opacity: float | None = None,
) -> Element:
    """A filled rectangle."""
    made = SubElement(
        parent,
        "rect",
        x=number(x),
        y=number(y),
        width=number(width),
        height=number(height),
        fill=colour,
    )
    if opacity is not None:
        made.set("fill-opacity", number(opacity))
    return made


def line(
    parent: Element, x1: float, y1: float, x2: float, y2: float, colour: str, dashed: bool = False
) -> None:
    """A straight line."""
    made = SubElement(
        parent,
        "line",
        x1=number(x1),
        y1=number(y1),
        x2=number(x2),
        y2=number(y2),
        stroke=colour,
    )
    if dashed:
        made.set("stroke-dasharray", "6 4")
        made.set("stroke-width", "1.5")


def text(
    parent: Element,
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    colour: str | None = None,
    size: int | None = None,
    bold: bool = False,
) -> Element:
    """A line of text; `anchor` says which part of it is at x: start, middle or end."""
    made = SubElement(parent, "text", x=number(x), y=number(y))
    attributes = (
        ("text-anchor", None if anchor == "start" else anchor),
        ("fill", colour),
        ("font-size", None if size is None else str(size)),
        ("font-weight", "bold" if bold else None),
    )
    for name, value in attributes:
        if value is not None:
            made.set(name, value)
    made.text = content
    return made


def number(value: float) -> str:
    """Two decimals are finer than any screen; the rest differs between machines."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
