import { describe, expect, test } from 'vitest';
import { isSignedBy } from '../../../src/webhooks/verify-signature.ts';

/** Computed with `openssl dgst -sha256 -hmac <secret> -hex` over the bytes of the body. */
const secret = 'signing-secret-for-published-vectors';
const body = Buffer.from(
  '{"event_id":"evt-1","event_type":"parse.success","timestamp":1795514400.25,"data":{"id":"x","job_id":"pjb-1"}}',
);
const signature = 'sha256=0860d6b77789a77c91106788dd8561a4aea6f38ac3834321beedf0ba02b67624';

test('the published vector', () => {
  expect(isSignedBy(body, signature, [secret])).toBe(true);
});

test('hexadecimal capitals are the same number', () => {
  expect(isSignedBy(body, signature.toUpperCase(), [secret])).toBe(true);
});

test('while secrets are changed both are believed', () => {
  expect(isSignedBy(body, signature, ['new-secret', secret])).toBe(true);
  expect(isSignedBy(body, signature, [secret, 'older-secret'])).toBe(true);
  expect(isSignedBy(body, signature, ['new-secret'])).toBe(false);
});

test('the signature covers the bytes as they came', () => {
  const sameObject = Buffer.from(JSON.stringify(JSON.parse(body.toString()), undefined, 1));
  expect(isSignedBy(sameObject, signature, [secret])).toBe(false);
  expect(isSignedBy(Buffer.concat([body, Buffer.from('\n')]), signature, [secret])).toBe(false);
  expect(isSignedBy(Buffer.alloc(0), signature, [secret])).toBe(false);
});

describe('what is no signature is refused', () => {
  const hex = signature.slice('sha256='.length);
  test.each([
    ['nothing', ''],
    ['the scheme alone', 'sha256='],
    ['no scheme', hex],
    ['another scheme', `sha1=${hex}`],
    ['cut short', signature.slice(0, -1)],
    ['too long', `${signature}0`],
    ['with a space', `${signature} `],
    ['two of them', `${signature},${signature}`],
    ['with another last digit', `${signature.slice(0, -1)}${signature.endsWith('0') ? '1' : '0'}`],
    ['of as many characters and more bytes', `sha256=${'é'.repeat(64)}`],
  ])('%s', (_what, forged) => {
    expect(isSignedBy(body, forged, [secret])).toBe(false);
  });
});
