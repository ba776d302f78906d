#!/usr/bin/env python3
"""Turns `tmux capture-pane -e` on stdin into an SVG on stdout. Standard library only.

Usage: ansi2svg.py TITLE < capture > picture.svg
"""
import re
import sys
import unicodedata
from html import escape

CELL_W, CELL_H, PAD = 8.4, 18, 14
BACK, FORE = "#16181d", "#d5d8de"
BASE = ["#1d1f21", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf",
        "#5c6370", "#ff7b86", "#b5e08f", "#ffd78a", "#7cc4ff", "#dd9bf0", "#6fd6e2", "#ffffff"]


def indexed(n):
    if n < 16:
        return BASE[n]
    if n >= 232:
        v = 8 + 10 * (n - 232)
        return f"#{v:02x}{v:02x}{v:02x}"
    n -= 16
    step = [0, 95, 135, 175, 215, 255]
    return "#" + "".join(f"{step[c]:02x}" for c in (n // 36, n // 6 % 6, n % 6))


class Style:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.italic = self.under = self.rev = False

    def apply(self, codes):
        i = 0
        while i < len(codes):
            c = codes[i]
            if c == 0: self.reset()
            elif c == 1: self.bold = True
            elif c == 2: self.dim = True
            elif c == 3: self.italic = True
            elif c == 4: self.under = True
            elif c == 7: self.rev = True
            elif c == 22: self.bold = self.dim = False
            elif c == 23: self.italic = False
            elif c == 24: self.under = False
            elif c == 27: self.rev = False
            elif c == 39: self.fg = None
            elif c == 49: self.bg = None
            elif 30 <= c <= 37: self.fg = BASE[c - 30]
            elif 40 <= c <= 47: self.bg = BASE[c - 40]
            elif 90 <= c <= 97: self.fg = BASE[c - 82]
            elif 100 <= c <= 107: self.bg = BASE[c - 92]
            elif c in (38, 48) and i + 2 < len(codes) and codes[i + 1] == 5:
                setattr(self, "fg" if c == 38 else "bg", indexed(codes[i + 2])); i += 2
            elif c in (38, 48) and i + 4 < len(codes) and codes[i + 1] == 2:
                setattr(self, "fg" if c == 38 else "bg", "#%02x%02x%02x" % tuple(codes[i + 2:i + 5])); i += 4
            i += 1

    def key(self):
        fg, bg = (self.bg or BACK, self.fg or FORE) if self.rev else (self.fg or FORE, self.bg)
        return fg, bg, self.bold, self.dim, self.italic, self.under


def width(ch):
    if unicodedata.combining(ch):
        return 0
    return 2 if unicodedata.east_asian_width(ch) in "WF" else 1


def cells(line, style):
    """(column, text, style key) runs of equal style."""
    out, col = [], 0
    for part in re.split(r"(\x1b\[[0-9;:]*m)", line):
        m = re.fullmatch(r"\x1b\[([0-9;:]*)m", part)
        if m:
            style.apply([int(x or 0) for x in re.split("[;:]", m.group(1))])
            continue
        for ch in re.sub(r"\x1b.", "", part):
            w = width(ch)
            # Wide characters stand alone, so that a font of another width cannot shift the rest; words
            # too, because renderers disagree on which blanks count.
            joins = out and out[-1][2] == style.key() and out[-1][3] == col and w == 1 and not out[-1][4]
            if joins and (ch == " ") == out[-1][1].endswith(" "):
                out[-1][1] += ch
                out[-1][3] = col + w
            else:
                out.append([col, ch, style.key(), col + w, w == 2])
            col += w
    return out, col


def main():
    title = sys.argv[1] if len(sys.argv) > 1 else ""
    lines = sys.stdin.read().rstrip("\n").split("\n")
    style, rows, columns = Style(), [], 0
    for line in lines:
        row, n = cells(line, style)
        rows.append(row)
        columns = max(columns, n)
    w, h = columns * CELL_W + 2 * PAD, len(rows) * CELL_H + 2 * PAD + 22
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}">')
    print(f'<title>{escape(title)}</title><rect width="100%" height="100%" rx="8" fill="{BACK}"/>')
    for i, c in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        print(f'<circle cx="{PAD + 6 + 18 * i}" cy="16" r="5.5" fill="{c}"/>')
    print('<g font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace" font-size="14">')
    for y, row in enumerate(rows):
        top = PAD + 22 + y * CELL_H
        for col, text, (fg, bg, bold, dim, italic, under), end, _ in row:
            x = PAD + col * CELL_W
            if bg:
                print(f'<rect x="{x:.1f}" y="{top:.1f}" width="{(end - col) * CELL_W:.1f}" height="{CELL_H}" fill="{bg}"/>')
            if text.strip():
                extra = (' font-weight="bold"' if bold else "") + (' opacity="0.6"' if dim else "")
                extra += (' font-style="italic"' if italic else "") + (' text-decoration="underline"' if under else "")
                print(f'<text x="{x:.1f}" y="{top + 13.5:.1f}" textLength="{(end - col) * CELL_W:.1f}" lengthAdjust="spacingAndGlyphs" fill="{fg}"{extra}>{escape(text)}</text>')
    print("</g></svg>")


main()
