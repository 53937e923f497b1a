import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createScreen, type Screen } from '../../../src/dev/up-screen.ts';
import { IntakeError } from '../../../src/domain/errors.ts';

function shown(show: (screen: Screen) => void): Promise<string> {
  const stream = new PassThrough();
  show(createScreen(stream));
  stream.end();
  return text(stream);
}

const passage = {
  documentId: '5f4f3e9a-0000-4000-8000-000000000001',
  documentName: 'plan.pdf',
  chunkId: '5f4f3e9a-0000-4000-8000-000000000002',
  text: 'Copay is $20.',
  headingPath: [],
  pageFrom: 3,
  pageTo: 3,
  startOffset: 0,
  endOffset: 13,
  similarity: 0.7,
  score: 0.613,
};

test('an answer is told with its document, page and score', async () => {
  const words = await shown((screen) => screen.answer('How much is it?', passage));
  expect(words).toContain('plan.pdf, page 3, score 0.613, similarity 0.70');
  expect(words).toContain('Copay is $20.');
});

test('a document’s text cannot steer the terminal', async () => {
  const hostile = { ...passage, text: 'a\u001b[2Jb\u001b]0;title\u0007c\rd\u009be' };
  const words = await shown((screen) => screen.answer('?', hostile));
  expect(words).not.toMatch(/[^\P{Cc}\n]/u);
});

test('faults are told in their own words', async () => {
  const detail = 'API_PORT: no port number\nDATABASE_URL: Invalid URL';
  const words = await shown((screen) =>
    screen.failed(new IntakeError('CONFIGURATION_INVALID', { detail })),
  );
  expect(words).toContain('API_PORT: no port number\n');
  expect(words).toContain('DATABASE_URL: Invalid URL\n');
});

test('a death is told with the child’s last lines and what follows', async () => {
  const words = await shown((screen) =>
    screen.died({
      name: 'worker',
      reason: 'was killed by SIGKILL. Its last lines:\nout of memory',
      verdict: { action: 'restart', delayMs: 0 },
    }),
  );
  expect(words).toBe(
    'Worker was killed by SIGKILL. Its last lines:\n  out of memory\nWorker is started again.\n',
  );
});
