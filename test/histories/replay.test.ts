/** Real histories of every outcome, replayed against the workflows as they are now. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import type { IngestResult, ReconcileResult } from '../../src/domain/run.ts';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';
import { incompatible, patched } from '../drills/changes.ts';
import { type Change, copyProject } from '../support/project-copy.ts';

const folder = new URL('./', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));

async function history(name: string) {
  return historyFromJSON(JSON.parse(await readFile(new URL(name, folder), 'utf8')));
}

/** What a run says that completed: an erasure has nothing to say. */
function outcomeOf(result: IngestResult | ReconcileResult | null): string {
  if (result === null) return 'erased';
  return 'outcome' in result ? result.outcome : 'reconciled';
}

/** The code a run failed with, the outcome it completed with, or how else it closed. */
async function endOf(name: string): Promise<string | null | undefined> {
  const {
    workflowExecutionCompletedEventAttributes: completed,
    workflowExecutionFailedEventAttributes: failed,
    workflowExecutionCanceledEventAttributes: canceled,
  } = (await history(name)).events?.at(-1) ?? {};
  if (completed) {
    const [result] = completed.result?.payloads ?? [];
    return outcomeOf(result?.data?.length ? defaultPayloadConverter.fromPayload(result) : null);
  }
  return canceled ? 'canceled' : failed?.failure?.applicationFailureInfo?.type;
}

describe('recorded runs', () => {
  test('cover every end of a run', async () => {
    const ends = await Promise.all(names.map(endOf));
    expect(new Set(ends)).toEqual(
      new Set([
        'complete',
        'superseded',
        'erased',
        'reconciled',
        'canceled',
        'UPLOAD_EXPIRED', // upload_expired
        'DECLARATION_MISMATCH', // upload_rejected
        'STORAGE_OUT_OF_PATIENCE', // failed_storage
        'LLAMAPARSE_API_ERROR', // failed_parse
        'PARSE_TIMEOUT', // failed_parse, by the deadline
        'DOCUMENT_CHUNKING_FAILED', // failed_chunking
        'EMBEDDER_REJECTED', // failed_embedding
        'FAILED_BY_OPERATOR',
      ]),
    );
  });

  test.each(names)('%s replays', async (name) => {
    await Worker.runReplayHistory({ workflowBundle: { codePath: await workflowBundle() } }, await history(name));
  });

  test.each(names)('%s replays with the interceptors of tracing', async (name) => {
    const codePath = await workflowBundle({ traced: true });
    // Where the spans would go.
    const sinks = { exporter: { export: { fn: () => undefined } } };
    await Worker.runReplayHistory({ workflowBundle: { codePath }, sinks }, await history(name));
  });

  /** As `npm run drills` brings it in as another version. */
  async function replayOn(changes: readonly Change[]) {
    const copy = copyProject('replay', ['workflows', 'src/domain', 'activities/contract.ts']);
    try {
      if (!copy.change(changes)) throw new Error('the workflow has other lines by now');
      const workflowsPath = join(copy.folder, 'workflows/index.ts');
      const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
      return await Worker.runReplayHistory({ workflowBundle: { code } }, await history('complete.json'));
    } finally {
      copy.remove();
    }
  }

  test('a change that is incompatible is told of', async () => {
    await expect(replayOn(incompatible)).rejects.toThrow(DeterminismViolationError);
  });

  test('the same change as a patch replays', () => replayOn(patched));
});
