/** One supervisor per clone: who is at work, and under which URLs it is reached. */
import { renameSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import { identifyProcess, stillRuns } from './process-identity.ts';
import { createPrivately, readJson, writePrivately } from './state-folder.ts';

const stackUrls = z.object({ api: z.string(), temporalUi: z.string().optional() });
export type StackUrls = z.output<typeof stackUrls>;

const holder = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  command: z.string(),
  /** Absent until the stack is ready. */
  urls: stackUrls.optional(),
});
export type Holder = z.output<typeof holder>;

export type Claim =
  | { readonly held: false; readonly by: Holder }
  | {
      readonly held: true;
      /** Tells later starts that the stack is ready, and where. */
      publish(urls: StackUrls): void;
      release(): void;
    };

/** Takes the clone for this process, unless a living supervisor has it. */
export function claimClone(file: string): Claim {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new IntakeError('INTERNAL_ERROR', { detail: 'no own process' });
  while (!createPrivately(file, JSON.stringify(self))) {
    const by = livingHolder(file);
    if (by !== undefined) return { held: false, by };
    removeStale(file);
  }
  return {
    held: true,
    publish: (urls) => writePrivately(file, JSON.stringify({ ...self, urls })),
    release: () => rmSync(file, { force: true }),
  };
}

function livingHolder(file: string): Holder | undefined {
  const by = readJson(file, holder);
  return by !== undefined && stillRuns(by) ? by : undefined;
}

/** Moved before it is removed: another start may have taken the place since we looked, and gets it back. */
function removeStale(file: string): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another start was faster
  }
  if (livingHolder(aside) === undefined) rmSync(aside);
  else renameSync(aside, file);
}
