import { describe, expect, test } from 'vitest';
import type { ParseJobId } from '../../../src/domain/ids.ts';
import {
  callbackUrl,
  type Keys,
  keysOf,
  makeCallbackToken,
  readCallbackToken,
} from '../../../src/webhooks/callback-token.ts';
import { idOf } from '../../support/api-under-test.ts';

/** Computed with `printf %s <id> | openssl dgst -sha256 -hmac <key> -binary | base64 | tr +/ -_ | tr -d =`. */
const vector = {
  id: '018f4f3c-6b1e-7c3a-9d52-3f0a4b5c6d7e',
  key: 'callback-key-for-published-vectors',
  signature: 'uWewrufJQYqSj8WC1ksDd7-RMxc0So_LmXB-AjM1y18',
};
const parseJobId = idOf<ParseJobId>(vector.id);
const token = `${vector.id}.${vector.signature}`;
const keys: Keys = [vector.key];

test('the published vector', () => {
  expect(makeCallbackToken(parseJobId, keys)).toBe(token);
  expect(readCallbackToken(token, keys)).toBe(vector.id);
});

test('a token is the same every time, so that a retried submit can make it again', () => {
  expect(makeCallbackToken(parseJobId, keys)).toBe(makeCallbackToken(parseJobId, keys));
});

test('while keys are changed, the new one signs and both are believed', () => {
  const rotated: Keys = ['new-key', vector.key];
  expect(makeCallbackToken(parseJobId, rotated)).not.toBe(token);
  expect(readCallbackToken(token, rotated)).toBe(vector.id);
  expect(readCallbackToken(makeCallbackToken(parseJobId, rotated), rotated)).toBe(vector.id);
  expect(readCallbackToken(token, ['new-key'])).toBeUndefined();
});

describe('a forged token names nothing', () => {
  const other = 'a18f4f3c-6b1e-7c3a-9d52-3f0a4b5c6d7e';
  test.each([
    ['empty', ''],
    ['without a signature', vector.id],
    ['with an empty signature', `${vector.id}.`],
    ['for another job', `${other}.${vector.signature}`],
    ['cut short', token.slice(0, -1)],
    ['too long', `${token}A`],
    ['padded', `${token}=`],
    ['with another last bit', `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`],
    ['with a third part', `${token}.x`],
    ['in capitals', token.toUpperCase()],
    ['of no UUID', `42.${vector.signature}`],
    ['with a character of many bytes', `${vector.id}.${'é'.repeat(43)}`],
    ['signed in hexadecimal', `${vector.id}.${'ab'.repeat(32)}`],
  ])('%s', (_what, forged) => {
    expect(readCallbackToken(forged, keys)).toBeUndefined();
  });
});

test.each([
  ['https://intake.example', 'https://intake.example/webhooks/llamaparse/t'],
  ['https://intake.example/', 'https://intake.example/webhooks/llamaparse/t'],
  ['https://example.org/intake//', 'https://example.org/intake/webhooks/llamaparse/t'],
])('the callback URL under %s', (publicUrl, url) => {
  expect(callbackUrl(publicUrl, 't')).toBe(url);
});

test.each([
  ['one', ['one']],
  ['new,old', ['new', 'old']],
  [' new , old ,', ['new', 'old']],
])('the setting %j', (setting, expected) => {
  expect(keysOf(setting)).toEqual(expected);
});
