/** How the bytes of an HTML file are to be read: by byte order mark, then by the declared charset, else UTF-8. */

const CHARSET = /<meta[^>]{0,200}?\bcharset\s*=\s*["']?\s*([\w.:-]{1,40})/i;
const XML_ENCODING = /^\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']/i;

/** A label that `TextDecoder` knows. */
export function htmlEncoding(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  const ascii = Buffer.from(head).toString('latin1');
  const declared = (CHARSET.exec(ascii) ?? XML_ENCODING.exec(ascii))?.[1]?.toLowerCase();
  // A file that declares UTF-16 in ASCII letters is not in UTF-16.
  return declared === undefined || declared.startsWith('utf-16') || !isKnown(declared)
    ? 'utf-8'
    : declared;
}

function isKnown(label: string): boolean {
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}
