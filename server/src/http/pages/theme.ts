/** A tenant's colour as CSS. Any colour may be chosen, so what stands on it and what is written in it is made readable. */

export type Rgb = readonly [number, number, number];

/** The cards' backgrounds in `assets/`. */
const light: Rgb = [255, 255, 255];
const dark: Rgb = [28, 32, 40];
const ink: Rgb = [16, 20, 28];
const white: Rgb = [255, 255, 255];

/** WCAG 2.2 §1.4.3 for text, §1.4.11 for the edge of a button. */
const readable = 4.5;
const visible = 3;

/** `#rrggbb` as six hexadecimal digits in lower case; undefined for anything else. */
export const hexColor = (text: string | undefined): string | undefined =>
  /^#([0-9a-f]{6})$/i.exec(text ?? '')?.[1]?.toLowerCase();

/** The style sheet of a colour of six hexadecimal digits, and of the one for dark pages if there are any. */
export function themeCss(hex: string, darkHex?: string): string {
  const forDark = darkHex === undefined ? '' : `@media (prefers-color-scheme:dark){${rule(rgbOf(darkHex), dark)}}`;
  return `${rule(rgbOf(hex), light)}${forDark}\n`;
}

function rule(accent: Rgb, background: Rgb): string {
  const on = [white, ink].find((color) => contrast(accent, color) >= readable) ?? bestOn(accent);
  return (
    `:root{--accent:${css(accent)};--on-accent:${css(on)};` +
    `--accent-edge:${css(shifted(accent, background, visible))};` +
    `--accent-text:${css(shifted(accent, background, readable))}}`
  );
}

/** The three parts of a colour of six hexadecimal digits. */
export function rgbOf(hex: string): Rgb {
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return [part(0), part(2), part(4)];
}

const css = (color: Rgb): string => `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

/** Pure black or white: one of them always has 4.5:1. */
const bestOn = (color: Rgb): Rgb => (contrast(color, white) >= contrast(color, [0, 0, 0]) ? white : [0, 0, 0]);

/** The colour, moved away from the background just so far that it has the contrast. */
function shifted(color: Rgb, background: Rgb, ratio: number): Rgb {
  const towards = luminance(background) > 0.18 ? 0 : 255;
  for (let step = 0; step < 20; step += 1) {
    const moved = color.map((part) => Math.round(part + ((towards - part) * step) / 20)) as unknown as Rgb;
    if (contrast(moved, background) >= ratio) return moved;
  }
  return [towards, towards, towards];
}

/** WCAG 2.2, contrast ratio. */
export function contrast(one: Rgb, other: Rgb): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2, relative luminance. */
function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
