/**
 * Text from elsewhere. A document, its name and its headings are written by strangers: printed as they are, they
 * could move the cursor, forge a prompt, reach the clipboard or turn a line round.
 */
import { stripVTControlCharacters } from 'node:util';

/** Line breaks and tabs stay; nothing else that a terminal obeys does. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\P{Cc}\n\t]|[\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ');
}

/** A name or a heading must not pass for lines of ours. */
export function oneLine(text: string): string {
  return plainText(text).replaceAll(/\s+/g, ' ').trim();
}

/** Every string in it as plain text. `value` is JSON. */
export function plainly<Value>(value: Value): Value {
  const clean: Value = JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
    typeof item === 'string' ? plainText(item) : item,
  );
  return clean;
}

/** The very same value, in characters that a terminal may be shown. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
