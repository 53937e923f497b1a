import { expect, test } from 'vitest';
import { cancelCommand } from '../../../src/cli/commands/cancel.ts';
import { statusCommand } from '../../../src/cli/commands/status.ts';
import type { DocumentId } from '../../../src/domain/ids.ts';
import { documentOf, idOf } from '../../support/api-under-test.ts';
import { run, serveApi } from '../../support/cli.ts';

const one = idOf<DocumentId>('1a2b3c4d-0000-5000-8000-000000000001');
const twin = idOf<DocumentId>('1a2b3c4d-0000-5000-8000-000000000002');
const other = idOf<DocumentId>('1a2bffff-0000-5000-8000-000000000003');

/** An API that keeps these documents and remembers which of them was asked for. */
async function serve(...ids: readonly DocumentId[]): Promise<DocumentId[]> {
  const asked: DocumentId[] = [];
  await serveApi({
    documents: {
      listDocuments: async (_caller, { idPrefix = '' }) => ({
        documents: ids.filter((id) => id.startsWith(idPrefix)).map((id) => documentOf(id)),
        next: undefined,
      }),
      documentDetail: async (_caller, id) => {
        asked.push(id);
        return documentOf(id);
      },
      cancelDocument: async (_caller, documentId) => {
        asked.push(documentId);
        return { documentId, status: 'cancelled' };
      },
    },
  });
  return asked;
}

test('the first characters are enough where one document alone has them', async () => {
  const asked = await serve(one, other);
  expect(await run(statusCommand, '1A2B3C4D')).toMatchObject({ exitCode: 0 });
  expect(await run(cancelCommand, '1a2b3')).toMatchObject({ exitCode: 0 });
  expect(asked).toEqual([one, one]);
});

test('several are named, and nothing is done to any', async () => {
  const asked = await serve(one, twin, other);
  const outcome = await run(cancelCommand, '1a2b3c4d');
  expect(outcome.exitCode).toBe(2);
  expect(outcome.stderr).toContain(one);
  expect(outcome.stderr).toContain(twin);
  expect(outcome.stderr).not.toContain(other);
  expect(asked).toEqual([]);
});

test('none is not found', async () => {
  await serve(other);
  expect((await run(statusCommand, '1a2b3c4d')).exitCode).toBe(5);
});

test('what cannot begin an id is refused before anything is sent', async () => {
  for (const text of ['1a2', 'xyz12345', `${one}0`]) {
    expect((await run(statusCommand, text)).stderr).toContain('no document id');
  }
});
