/** A token names its parse job and no other thing does, whatever the ids, the keys and the forger's patience. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ParseJobId } from '../../../src/domain/ids.ts';
import {
  callbackUrl,
  type Keys,
  keysOf,
  makeCallbackToken,
  readCallbackToken,
} from '../../../src/webhooks/callback-token.ts';

const jobs = fc.uuid().map((id) => id as ParseJobId);
const key = fc.string({ minLength: 1, maxLength: 64 });
const keyRings = fc
  .tuple(key, fc.array(key, { maxLength: 2 }))
  .map(([first, rest]): Keys => [first, ...rest]);

test('what any key of the ring signed is read back as the job it was made for', () => {
  fc.assert(
    fc.property(jobs, keyRings, fc.nat(), (job, keys, choice) => {
      const signer = keys[choice % keys.length] ?? keys[0];
      expect(readCallbackToken(makeCallbackToken(job, [signer]), keys)).toBe(job);
    }),
  );
});

test('a key that is not in the ring convinces nobody', () => {
  fc.assert(
    fc.property(jobs, keyRings, key, (job, keys, stranger) => {
      fc.pre(!keys.includes(stranger));
      expect(readCallbackToken(makeCallbackToken(job, [stranger]), keys)).toBeUndefined();
    }),
  );
});

test('a token changed anywhere, by anything, names nothing', () => {
  const edits = fc.record({
    at: fc.nat(),
    drop: fc.nat({ max: 3 }),
    put: fc.string({ maxLength: 3 }),
  });
  fc.assert(
    fc.property(jobs, key, edits, (job, secret, { at, drop, put }) => {
      const token = makeCallbackToken(job, [secret]);
      const from = at % (token.length + 1);
      const forged = token.slice(0, from) + put + token.slice(from + drop);
      fc.pre(forged !== token);
      expect(readCallbackToken(forged, [secret])).toBeUndefined();
    }),
  );
});

test('the signature of one job says nothing about another', () => {
  fc.assert(
    fc.property(jobs, jobs, key, (job, other, secret) => {
      fc.pre(job !== other);
      const [, signature = ''] = makeCallbackToken(job, [secret]).split('.');
      expect(readCallbackToken(`${other}.${signature}`, [secret])).toBeUndefined();
    }),
  );
});

test('any text at all is answered, and names nothing', () => {
  fc.assert(
    fc.property(fc.uint16Array({ maxLength: 200 }), key, (units, secret) => {
      expect(readCallbackToken(String.fromCharCode(...units), [secret])).toBeUndefined();
    }),
  );
});

test('a token goes through a URL unchanged', () => {
  fc.assert(
    fc.property(jobs, key, fc.webUrl(), (job, secret, publicUrl) => {
      const token = makeCallbackToken(job, [secret]);
      const { pathname } = new URL(callbackUrl(publicUrl, token));
      expect(pathname.split('/').at(-1)).toBe(token);
    }),
  );
});

test('a ring is read from its setting in its order', () => {
  const word = fc.stringMatching(/^[\w+/=-]{1,44}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (keys) => {
      expect(keysOf(keys.join(','))).toEqual(keys);
      expect(keysOf(keys.join(' , '))).toEqual(keys);
    }),
  );
});
