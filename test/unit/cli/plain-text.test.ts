import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oneLine, plainly, plainText, printableJson } from '../../../src/cli/plain-text.ts';

/** Text in which what a terminal obeys is frequent. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\u001b[2J',
      '\u001b]0;title\u0007',
      '\u009b31m',
      '\r',
      '\n',
      '\u202e',
      '\u2028',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});

test('plain text has line breaks and tabs, and nothing else that a terminal obeys', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(plainText(text)).not.toMatch(/[^\P{Cc}\n\t]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('one line has none of them', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(oneLine(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('ordinary text of any language stays as it is', () => {
  const text = 'Plan 2026 – Überblick\n\t保険証券 تأمين 👩‍⚕️ {"a": "b\\n"}';
  expect(plainText(text)).toBe(text);
});

test('a sequence goes as a whole, so that its parameters do not read as text', () => {
  expect(plainText('a\u001b[31mb\u001b]52;c;ZXZpbA==\u0007c')).toBe('abc');
});

test('a line break of any kind stays one', () => {
  expect(plainText('a\r\nb\rc\nd')).toBe('a\nb\nc\nd');
});

test('every string of an answer is cleaned, however deep it stands', () => {
  const answer = { a: ['x\u001b[2Jy', 1, null], b: { c: '\u0007z', d: true } };
  expect(plainly(answer)).toEqual({ a: ['xy', 1, null], b: { c: ' z', d: true } });
});

test('JSON is the same value, in characters that a terminal may be shown', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const json = printableJson({ text });
      expect(json).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
});
