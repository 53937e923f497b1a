import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import {
  createDocumentProgress,
  type DocumentProgress,
} from '../../../src/cli/document-progress.ts';
import { describeStanding } from '../../../src/cli/document-words.ts';
import { describedDocument } from '../../support/api-client.ts';

interface Screen {
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
  readonly documents?: number;
}

function shown(screen: Screen, show: (progress: DocumentProgress) => void): Promise<string> {
  const stream = Object.assign(new PassThrough(), screen);
  const progress = createDocumentProgress(stream, screen.documents);
  show(progress);
  progress.stop();
  stream.end();
  return text(stream);
}

const parsing = describedDocument({
  status: 'parse_queued',
  stage: 'collect',
  progressPercent: 20,
});

test('elsewhere than on a terminal, a line tells each change of stage, and the end', async () => {
  const lines = await shown({}, (progress) => {
    progress.show('a.pdf', describedDocument({ status: 'awaiting_upload', stage: 'verify' }));
    progress.show('a.pdf', parsing);
    progress.show('a.pdf', parsing);
    progress.end('a.pdf', 'complete: 2 pages');
  });
  expect(lines).toMatch(
    /^ +\d\.\d s +a\.pdf +waiting for the bytes\n.+a\.pdf +parsing\n.+a\.pdf +complete: 2 pages\n$/,
  );
  expect(lines.split('\n')).toHaveLength(4);
});

test('who has sent the file does not read that it is waited for', async () => {
  const awaiting = describedDocument({ status: 'awaiting_upload', stage: 'verify' });
  const sent = { ...awaiting, confirmedAt: '2026-01-01T00:00:01.000Z' };
  const lines = await shown({}, (progress) => progress.show('a.pdf', sent));
  expect(lines).toMatch(/sent, being verified\n$/);
  expect(describeStanding(sent)).toContain('sent, being verified');
  expect(describeStanding(awaiting)).not.toContain('sent');
});

test('a wait is told with its reason', async () => {
  const waiting = {
    ...{ code: 'STORAGE_UNAVAILABLE', message: 'Storage does not answer.', turn: 'us' as const },
    since: '2026-01-01T00:00:00.000Z',
  };
  const lines = await shown({}, (progress) => progress.show('a.pdf', { ...parsing, waiting }));
  expect(lines).toContain('Storage does not answer.');
});

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';

test('on a terminal a bar is redrawn, and the terminal is left as it was', async () => {
  const drawn = await shown({ isTTY: true, columns: 80 }, (progress) =>
    progress.show('/a/long/way/down/to/plan.pdf', parsing),
  );
  expect(drawn).toContain(hideCursor);
  expect(drawn).toMatch(/…\S+plan\.pdf +████░+ +20% +parsing/);
  expect(drawn.lastIndexOf(showCursor)).toBeGreaterThan(drawn.lastIndexOf(hideCursor));
});

test('a sentence that does not fit beside its bar ends in an ellipsis, on the same line', async () => {
  const sentence = 'The file is of another type than was announced, by its name perhaps.';
  const drawn = await shown({ isTTY: true, columns: 80 }, (progress) => {
    progress.show('plan.pdf', parsing);
    progress.end('plan.pdf', sentence);
  });
  expect(drawn).toMatch(/20% +The file is of another type…/);
  expect(drawn).not.toContain(sentence);
});

test('bars that do not fit on the screen give way to lines', async () => {
  const show = (progress: DocumentProgress) => progress.show('a.pdf', parsing);
  expect(await shown({ isTTY: true, rows: 10, documents: 9 }, show)).toContain(hideCursor);
  expect(await shown({ isTTY: true, rows: 10, documents: 10 }, show)).not.toContain(hideCursor);
});

test('of endlessly many as many as fit are drawn; one that has ended makes room, and is told', async () => {
  const screen = { isTTY: true, rows: 3, columns: 80, documents: Number.POSITIVE_INFINITY };
  const drawn = await shown(screen, (progress) => {
    for (const label of ['a.pdf', 'b.pdf', 'c.pdf']) progress.show(label, parsing);
    progress.end('a.pdf', 'complete: 2 pages');
    progress.show('d.pdf', parsing);
    progress.end('c.pdf', 'complete: 3 pages');
  });
  expect(drawn).toMatch(/b\.pdf +████/);
  expect(drawn).toMatch(/d\.pdf +████/);
  expect(drawn, 'there was no room').not.toMatch(/c\.pdf +████/);
  expect(drawn).toMatch(/a\.pdf +complete: 2 pages\n/);
  expect(drawn).toMatch(/c\.pdf +complete: 3 pages\n/);
});

test('names and sentences cannot steer the terminal', async () => {
  const hostile = 'a\u001b[2J\u009b31m\r\nb';
  const lines = await shown({}, (progress) => {
    progress.show(hostile, parsing);
    progress.end(hostile, hostile);
  });
  expect(lines).not.toMatch(/[^\P{Cc}\n]/u);
  expect(lines.trimEnd().split('\n')).toHaveLength(2);
});
