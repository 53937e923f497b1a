/** Ids that follow from what they name: the same again, another for anything else, and always of the form that is let in. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  deriveChunkId,
  deriveDocumentId,
  deriveGenerationId,
  type GenerationIdentity,
} from '../../../src/db/derive-id.ts';
import {
  type DocumentId,
  type GenerationId,
  type OwnerId,
  parseId,
} from '../../../src/domain/ids.ts';

const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
const owners = fc.uuid().map((id) => id as OwnerId);
const incarnations = fc.integer({ min: 1, max: 1000 });
const documents = fc.tuple(owners, sha256, incarnations);
const generations: fc.Arbitrary<GenerationIdentity> = fc.record({
  documentId: fc.uuid().map((id) => id as DocumentId),
  markdownSha256: sha256,
  chunker: fc.constantFrom('markdown-blocks@1', 'markdown-blocks@2'),
  tokenizer: fc.constantFrom('cl100k_base', 'tokenizer.json:0123456789ab'),
  maxTokens: fc.integer({ min: 16, max: 8192 }),
  embeddingModel: fc.constantFrom('text-embedding-3-small', 'all-MiniLM-L6-v2', 'a-model:latest'),
  dimensions: fc.constantFrom(384, 1536),
});

describe('document ids', () => {
  test('are those of the original system: UUIDv5 over owner and hash', () => {
    // Computed with Python's uuid.uuid5.
    const owner = '018f4f3c-6b1e-7c3a-9d52-3f0a4b5c6d7e' as OwnerId;
    expect(deriveDocumentId(owner, 'a'.repeat(64), 1)).toBe('c99f8333-e1af-55b3-a90d-5d2a1edbd8a8');
    expect(deriveDocumentId(owner, 'a'.repeat(64), 2)).toBe('3afc6051-5165-5518-931e-f871fb3a4147');
  });

  test('are the same again, and are let in where ids enter', () => {
    fc.assert(
      fc.property(documents, (identity) => {
        const id = deriveDocumentId(...identity);
        expect(deriveDocumentId(...identity)).toBe(id);
        expect(parseId(id)).toBe(id);
      }),
    );
  });

  test('differ when owner, content or incarnation does', () => {
    fc.assert(
      fc.property(documents, documents, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const [owner, hash, incarnation] = one;
        const id = deriveDocumentId(...one);
        expect(deriveDocumentId(...other)).not.toBe(id);
        expect(deriveDocumentId(owner, hash, incarnation + 1)).not.toBe(id);
      }),
    );
  });
});

describe('generation ids', () => {
  test('are the same again, so that a retry finds its chunks and vectors', () => {
    fc.assert(
      fc.property(generations, (identity) => {
        expect(deriveGenerationId({ ...identity })).toBe(deriveGenerationId(identity));
      }),
    );
  });

  test('differ when any single part does, so that no two settings share chunks', () => {
    fc.assert(
      fc.property(generations, generations, (one, other) => {
        for (const part of Object.keys(one) as (keyof GenerationIdentity)[]) {
          if (one[part] === other[part]) continue;
          const changed = { ...one, [part]: other[part] };
          expect(deriveGenerationId(changed), part).not.toBe(deriveGenerationId(one));
        }
      }),
    );
  });

  test('give every chunk an id of its own', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 300 }), (id, count) => {
        const ids = Array.from({ length: count }, (_, ordinal) =>
          deriveChunkId(id as GenerationId, ordinal),
        );
        expect(new Set(ids).size).toBe(count);
      }),
    );
  });
});

describe('what is let in as an id', () => {
  test('is a UUID in small letters, as it is', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(parseId(id)).toBe(id);
        expect(parseId(id.toUpperCase())).toBe(/[a-f]/.test(id) ? undefined : id);
      }),
    );
  });

  test('is nothing with anything before, behind or in between', () => {
    const edits = fc.tuple(
      fc.uuid(),
      fc.nat({ max: 36 }),
      fc.uint16Array({ minLength: 1, maxLength: 9 }),
    );
    fc.assert(
      fc.property(edits, ([id, at, units]) => {
        const more = String.fromCharCode(...units);
        expect(parseId(id.slice(0, at) + more + id.slice(at))).toBeUndefined();
      }),
    );
  });
});
