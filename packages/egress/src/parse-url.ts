/**
 * Reads a URL; undefined if the text is not one. `URL.canParse` is not used: in Node.js 20, once it is called often, it
 * refuses texts with letters such as ü (docs/upstream.md, 38).
 * @param base what a relative address refers to.
 */
export function parseUrl(text: string, base?: URL | string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
