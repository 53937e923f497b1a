/** What a document's person does, the same at every side: announce, send, confirm, sometimes change their mind. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Laboratory } from './laboratory.ts';
import type { DocumentPlan } from './scenario.ts';
import type { Announced, Side } from './side.ts';

/** How it went, as the person knows it. */
export interface Visit {
  readonly plan: DocumentPlan;
  /** `undefined` when not even the announcement was taken. */
  readonly documentId: string | undefined;
  /** When they began to send the bytes, and when those were there. */
  readonly sentAtMs: number | undefined;
  readonly storedAtMs: number | undefined;
  /** What the person was answered three times, and then left. */
  readonly refused: string | undefined;
}

export async function visit(
  side: Side,
  plan: DocumentPlan,
  faults: Laboratory['faults'],
): Promise<Visit> {
  const known: { -readonly [Key in keyof Visit]: Visit[Key] } = {
    plan,
    documentId: undefined,
    sentAtMs: undefined,
    storedAtMs: undefined,
    refused: undefined,
  };
  await addRules(faults, plan, ['parser', 'embedder']);
  const announced = await heard(known, () => side.announce(plan));
  if (announced === undefined) return known;
  known.documentId = announced.documentId;
  if (plan.confirm === 'early') await heard(known, announced.confirm);
  if (plan.bytesLateMs === undefined) return known;
  await sleep(plan.bytesLateMs);
  await addRules(faults, plan, ['storage']);
  known.sentAtMs = Date.now();
  await heard(known, announced.upload);
  if (known.refused !== undefined) return known;
  known.storedAtMs = Date.now();
  await heard(known, () => finish(announced, plan));
  return known;
}

/** A call of the person's, tried three times; what it was answered in the end is kept. */
async function heard<Result>(
  known: { refused: string | undefined },
  call: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await persistently(call);
  } catch (error) {
    known.refused = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}

async function finish(
  announced: Announced,
  { confirm, deletedAfterMs }: DocumentPlan,
): Promise<void> {
  if (confirm !== 'never') await announced.confirm();
  if (confirm === 'twice') await announced.confirm();
  if (deletedAfterMs === undefined) return;
  await sleep(deletedAfterMs);
  await announced.remove();
}

async function addRules(
  faults: Laboratory['faults'],
  { rules }: DocumentPlan,
  parties: readonly (keyof DocumentPlan['rules'])[],
): Promise<void> {
  for (const party of parties) {
    if (rules[party].length > 0) await faults[party].add(...rules[party]);
  }
}

const TRIES = 3;
const PAUSE_MS = 1_000;

/** A person tries again twice. */
async function persistently<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (tries === TRIES) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** A bare PUT, as browsers send it. An object that is there already is the one of a try before. */
export async function putBytes(url: string, content: string): Promise<void> {
  const headers = { 'content-type': 'text/markdown' };
  const response = await fetch(url, { method: 'PUT', headers, body: content });
  const text = await response.text();
  if (!response.ok && !text.includes('KeyAlreadyExists')) {
    throw new Error(`upload answered ${response.status}`);
  }
}
