import { expect, test } from 'vitest';
import { searchCommand } from '../../../src/cli/commands/search.ts';
import type { ChunkId } from '../../../src/domain/ids.ts';
import type { SearchQuestion } from '../../../src/search/hybrid-search.ts';
import type { Passage } from '../../../src/search/passage.ts';
import { idOf, newDocumentId } from '../../support/api-under-test.ts';
import { run, serveApi } from '../../support/cli.ts';

const documentId = newDocumentId();
const passage: Passage = {
  documentId,
  documentName: 'plan.pdf',
  chunkId: idOf<ChunkId>('5f4f3e9a-0000-4000-8000-000000000002'),
  text: 'Specialist visits cost $40.\n\n| Service | You pay |',
  headingPath: ['Benefits', 'Visits'],
  pageFrom: 3,
  pageTo: 3,
  startOffset: 0,
  endOffset: 50,
  similarity: 0.7,
  score: 0.0491,
  vectorRank: 1,
  keywordRank: undefined,
};

/** Resolves with the list of what is asked from then on. */
async function serveSearch(...passages: readonly Passage[]): Promise<readonly SearchQuestion[]> {
  const asked: SearchQuestion[] = [];
  await serveApi({
    dependencies: {
      search: async (_ownerId, question) => {
        asked.push(question);
        return passages;
      },
    },
  });
  return asked;
}

test('a passage is told with document, page, heading and score', async () => {
  await serveSearch(passage, { ...passage, pageTo: 4, headingPath: [], similarity: undefined });
  const { stdout, stderr, exitCode } = await run(searchCommand, 'How much?');
  expect(stdout).toBe(
    [
      `1. plan.pdf, page 3  score 0.049, similarity 0.70  ${documentId}`,
      '   Benefits > Visits',
      '   Specialist visits cost $40.',
      '',
      '   | Service | You pay |',
      '',
      `2. plan.pdf, pages 3-4  score 0.049  ${documentId}`,
      '   Specialist visits cost $40.',
      '',
      '   | Service | You pay |',
      '',
    ].join('\n'),
  );
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
});

test('the words of a question need no quotes, and it may be narrowed', async () => {
  const asked = await serveSearch();
  const other = newDocumentId();
  const narrowed = ['-k', '2', '--document', documentId, '--document', other];
  await run(searchCommand, 'What', 'does', 'it', 'cost', ...narrowed);
  await run(searchCommand, 'copay', '--', '--json');
  expect(asked).toEqual([
    { query: 'What does it cost', k: 2, documentIds: [documentId, other] },
    { query: 'copay --json', k: 5 },
  ]);
});

test('nothing found is an answer', async () => {
  await serveSearch();
  const { stdout, exitCode } = await run(searchCommand, 'copay');
  expect(stdout).toContain('Nothing was found');
  expect(exitCode).toBe(0);
});

/** Moves the cursor, writes the clipboard, goes back to the line's start, turns the line round. */
const hostile = 'a\u001b[2J\u001b]52;c;ZXZpbA==\u0007b\rc\u009b31m\u202ed\u2028e';

test('what a document says cannot steer the terminal', async () => {
  await serveSearch({
    ...passage,
    text: `${hostile}\n9. forged.pdf, page 1`,
    documentName: `${hostile}\nforged`,
    headingPath: [`${hostile}\nforged`],
  });
  const { stdout } = await run(searchCommand, 'copay');
  expect(stdout).not.toMatch(/[^\P{Cc}\n]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
  const [source, ...rest] = stdout.trimEnd().split('\n');
  expect(source).toMatch(/^1\. /);
  for (const line of rest) expect(line).toMatch(/^ {3}|^$/);
});

test('JSON has the passage to the letter, and no raw control character either', async () => {
  await serveSearch({ ...passage, text: hostile });
  const { stdout } = await run(searchCommand, 'copay', '--json');
  expect(stdout).not.toMatch(/[^\P{Cc}\n]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
  expect(JSON.parse(stdout)).toMatchObject({ untrusted: true, passages: [{ text: hostile }] });
});

test.each([[['-k', '0']], [['-k', '51']], [['--document', 'x']]])(
  '%j is misused, and nothing is asked',
  async (options) => {
    const asked = await serveSearch(passage);
    expect(await run(searchCommand, 'copay', ...options)).toMatchObject({ exitCode: 2 });
    expect(asked).toEqual([]);
  },
);

test('an empty question is refused with the field that is wrong', async () => {
  await serveSearch(passage);
  expect(await run(searchCommand, ' ')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('body.query: The query is empty.'),
  });
});
