// Texts that come from tracees (paths, names) on their way to a terminal. A path may hold escape sequences or characters
// that turn the reading direction; both could make an alert look like something else.

// C0, DEL, C1; soft hyphen; Arabic letter mark; zero-width and direction marks; separators; embeddings and isolates; BOM;
// tag characters; lone surrogates.
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu

/** The text with every unprintable character as `?`, cut in the middle to at most `limit` characters. */
export function printable(text: string, limit = 200): string {
  const clean = text.slice(0, 65536).replace(UNPRINTABLE, '?')
  if (clean.length <= limit) return clean
  const head = Math.floor((limit - 3) / 2)
  return `${clean.slice(0, head)}...${clean.slice(clean.length - (limit - 3 - head))}`.replace(/\p{Cs}/gu, '?')
}
