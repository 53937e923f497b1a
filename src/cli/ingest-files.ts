/** Files on their road, some at a time. */
import { accessSync, constants, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { IntakeError } from '../domain/errors.ts';
import { sendFile } from './ingest-file.ts';
import { follow, type Guide, type Journey, noting, sight } from './journey.ts';

const FILES_AT_A_TIME = 4;
const ROOM_PATIENCE_MS = 120_000;
const ROOM_PAUSE_MS = 1_000;

export interface FileOnItsWay {
  readonly path: string;
  /** Instead of the file's own. */
  readonly name: string | undefined;
  readonly journey: Journey;
}

/** Resolves when every file is on its way, or with `wait` when every document has ended. */
export async function ingestFiles(
  guide: Guide,
  files: readonly FileOnItsWay[],
  wait: boolean,
): Promise<void> {
  const queue = [...files];
  const following: Promise<void>[] = [];
  const takeNext = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await send(guide, file);
      if (wait && file.journey.failure === undefined) following.push(follow(guide, file.journey));
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_A_TIME }, takeNext));
  await Promise.all(following);
}

async function send(guide: Guide, file: FileOnItsWay): Promise<void> {
  const { client, progress } = guide;
  const { journey } = file;
  journey.begunAtMs = Date.now();
  await noting(journey, progress, async () => {
    journey.documentId = await sendWhereThereIsRoom(guide, file);
    const document = await client.document(journey.documentId);
    sight(journey, document);
    progress.show(journey.label, document);
  });
}

/** Many files at once fill the quota of unfinished uploads: room comes with every one that is verified. */
async function sendWhereThereIsRoom(
  { client, notice }: Guide,
  { path, name }: FileOnItsWay,
): Promise<string> {
  const deadline = Date.now() + ROOM_PATIENCE_MS;
  for (;;) {
    try {
      return await sendFile(client, path, name);
    } catch (error) {
      const full = error instanceof IntakeError && error.code === 'UPLOAD_QUOTA_EXCEEDED';
      if (!full || Date.now() > deadline) throw error;
      notice('There are too many unfinished uploads: waiting for some to be verified.');
      await delay(error.retryAfterMs ?? ROOM_PAUSE_MS);
    }
  }
}

/** Before anything is sent. */
export function assertReadable(files: readonly string[]): void {
  const faults = files.filter((file) => {
    try {
      accessSync(file, constants.R_OK);
      return !statSync(file).isFile();
    } catch {
      return true;
    }
  });
  if (faults.length === 0) return;
  throw new IntakeError('INVALID_REQUEST', {
    detail: faults.map((file) => `${file}: there is no such file, or it cannot be read`).join('\n'),
  });
}
