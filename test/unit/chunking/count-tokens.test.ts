import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenCounter, tokenizerName } from '../../../src/chunking/count-tokens.ts';
import { embeddingModelFiles } from '../../../src/dev/tools.ts';

const { tokenizer } = embeddingModelFiles();

describe('createTokenCounter', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tokenizer-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('counts as cl100k_base does, where no special tokens are added', async () => {
    const { name, count } = await createTokenCounter('cl100k_base');
    expect(name).toBe('cl100k_base');
    expect(count('')).toBe(0);
    expect(count('tiktoken is great!')).toBe(6);
    expect(count('antidisestablishmentarianism')).toBe(6);
  });

  it('counts as the tokenizer.json does, with its two special tokens', async () => {
    const { count } = await createTokenCounter(tokenizer);
    expect(count('')).toBe(2);
    expect(count('hello world')).toBe(4);
    expect(count('copayment')).toBe(2 + 3);
  });

  it('takes special tokens in a document for text', async () => {
    const { count } = await createTokenCounter('cl100k_base');
    expect(count('<|endoftext|>')).toBeGreaterThan(1);
  });

  it('counts unbroken runs in pieces, so that their length costs no more than its share', async () => {
    const { count } = await createTokenCounter('cl100k_base');
    const piece = count('x'.repeat(250));
    expect(count('x'.repeat(100_000))).toBe(400 * piece);
    expect(count(`word ${'x'.repeat(500)} word`)).toBe(count('word ') + 2 * piece + count(' word'));
    expect(count('\n'.repeat(100_000))).toBeGreaterThan(100);
  });

  it('names a file by its content, wherever it lies', async () => {
    const copy = join(folder, 'elsewhere.json');
    await copyFile(tokenizer, copy);
    expect(tokenizerName(copy)).toBe(tokenizerName(tokenizer));
    expect(tokenizerName(copy)).toMatch(/^tokenizer\.json:[0-9a-f]{12}$/);
    expect((await createTokenCounter(copy)).name).toBe(tokenizerName(copy));
    expect(tokenizerName('cl100k_base')).toBe('cl100k_base');
  });

  it('refuses a file that is missing or something else, without its path', async () => {
    const other = join(folder, 'other.json');
    await writeFile(other, '[]');
    const refused = expect.objectContaining({
      code: 'CONFIGURATION_INVALID',
      detail: expect.not.stringContaining(folder),
    });
    expect(() => tokenizerName(join(folder, 'absent.json'))).toThrow(refused);
    await expect(createTokenCounter(join(folder, 'absent.json'))).rejects.toThrow(refused);
    await expect(createTokenCounter(other)).rejects.toThrow(refused);
  });
});
