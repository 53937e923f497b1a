import { afterEach, describe, expect, it } from 'vitest';
import { type ChunkPool, createChunkPool } from '../../../src/chunking/chunk-in-thread.ts';
import { createTokenCounter } from '../../../src/chunking/count-tokens.ts';
import { splitMarkdown } from '../../../src/chunking/split-markdown.ts';

const never = new AbortController().signal;
const settings = { tokenizer: 'cl100k_base', maxTokens: 64 };
const section = (index: number) => `## Section ${index}\n\n${'Some words of it. '.repeat(12)}\n\n`;
const markdown = Array.from({ length: 1500 }, (_, index) => section(index)).join('');
/** Minutes of work. */
const endless = markdown.repeat(100);

describe('createChunkPool', () => {
  let pool: ChunkPool;
  afterEach(() => pool.close());

  it('gives what splitMarkdown gives, text included, and the language', async () => {
    pool = createChunkPool(settings);
    const pages = [
      { pageNumber: 1, startOffset: 0 },
      { pageNumber: 2, startOffset: 5000 },
    ];
    const { chunks, textSearchConfig } = await pool.split(markdown, pages, never);
    const counter = await createTokenCounter('cl100k_base');
    expect(chunks).toEqual(splitMarkdown(markdown, { pages, counter, maxTokens: 64 }));
    expect(chunks.length).toBeGreaterThan(1000);
    expect(textSearchConfig).toBe('english');
  });

  it('leaves the event loop free meanwhile', async () => {
    pool = createChunkPool(settings);
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    });
    await pool.split(markdown, [], never);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(20);
  });

  it('serves more documents than it has threads', async () => {
    pool = createChunkPool({ ...settings, threads: 1 });
    const texts = ['one', 'two', 'three'];
    const answers = await Promise.all(texts.map((text) => pool.split(text, [], never)));
    expect(answers.map(({ chunks }) => chunks[0]?.text)).toEqual(texts);
  });

  it.each([
    ['at its deadline', { deadlineMs: 1 }, 'ThreadDeadlineError'],
    ['at the memory limit', { memoryLimitMb: 20 }, 'ERR_WORKER_OUT_OF_MEMORY'],
  ])('stops a document %s', async (_, limits, detail) => {
    pool = createChunkPool({ ...settings, ...limits });
    await expect(pool.split(endless, [], never)).rejects.toMatchObject({
      code: 'DOCUMENT_CHUNKING_FAILED',
      detail,
    });
  });

  it('rejects with the reason of an abort, under way and in the queue, and serves the next', async () => {
    pool = createChunkPool({ ...settings, threads: 1 });
    const reason = new Error('cancelled');
    const abort = new AbortController();
    const both = [endless, 'waits'].map((text) =>
      expect(pool.split(text, [], abort.signal)).rejects.toBe(reason),
    );
    abort.abort(reason);
    await Promise.all(both);
    await expect(pool.split('late', [], abort.signal)).rejects.toBe(reason);
    expect((await pool.split('served', [], never)).chunks).toHaveLength(1);
  });

  it('refuses a limit that the splitter would refuse', () => {
    expect(() => createChunkPool({ ...settings, maxTokens: 3 })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    );
    pool = createChunkPool(settings);
  });
});
