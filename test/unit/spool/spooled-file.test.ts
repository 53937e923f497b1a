import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { IntakeError } from '../../../src/domain/errors.ts';
import { sweepSpool, withSpooledFile } from '../../../src/spool/spooled-file.ts';

const words = Buffer.from('the words of a document');

test('the file holds the content, counted and hashed, for its owner alone, and is gone afterwards', async () => {
  const path = await withSpooledFile(Readable.from([words]), async (file) => {
    expect(await readFile(file.path)).toEqual(words);
    expect(file.sizeBytes).toBe(words.length);
    expect(file.sha256).toBe(createHash('sha256').update(words).digest('hex'));
    expect((await stat(dirname(file.path))).mode & 0o077).toBe(0);
    return file.path;
  });
  expect(existsSync(dirname(path))).toBe(false);
});

test('an error of the stream passes, and nothing stays', async () => {
  const refusal = new IntakeError('DOCUMENT_TOO_LARGE');
  const failing = Readable.from(
    (async function* () {
      yield words;
      throw refusal;
    })(),
  );
  await expect(withSpooledFile(failing, async () => {})).rejects.toBe(refusal);
});

test('what a killed process left is swept, what a living one uses is not', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const left = await mkdtemp(join(tmpdir(), `intake-spool-${hostname()}-${pid}-`));
  const used = await mkdtemp(join(tmpdir(), `intake-spool-${hostname()}-${process.pid}-`));
  await sweepSpool();
  expect(existsSync(left)).toBe(false);
  expect(existsSync(used)).toBe(true);
  await rm(used, { recursive: true });
});
