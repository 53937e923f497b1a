/** Documents that stand still at any stage of the road, held by the vendors' fault scripts, for a test to do something there. */
import { expect, vi } from 'vitest';
import type { FaultClient } from '../../src/dev/fault-client.ts';
import type { FaultRule } from '../../src/dev/fault-rules.ts';
import type { DocumentId } from '../../src/domain/ids.ts';
import type { Status } from '../../src/domain/ingestion.ts';
import { declare, type Person, put, type Road, type SomeFile } from './road.ts';

export interface HeldDocument {
  readonly documentId: DocumentId;
  readonly uploadUrl: string | undefined;
}

interface Scene {
  readonly road: Road;
  readonly me: Person;
}

interface Stage {
  readonly name: string;
  /** What the client has done; the bytes are there unless said otherwise. */
  readonly client: 'declared' | 'confirmed without bytes' | 'uploaded';
  readonly faults?: Partial<Record<keyof Road['faults'], readonly FaultRule[]>>;
  /** Long enough to be met there. */
  readonly longer?: true;
  arrived(scene: Scene, documentId: DocumentId): Promise<void>;
}

const HELD_MS = 4_000;
const held = { kind: 'delay', ms: HELD_MS } as const;
const down = { kind: 'answer', status: 503 } as const;

const at =
  (status: Status) =>
  async ({ me }: Scene, documentId: DocumentId) =>
    expect((await me.api.document(documentId)).status).toBe(status);
const waitsFor =
  (code: string) =>
  async ({ me }: Scene, documentId: DocumentId) =>
    expect((await me.api.document(documentId)).waiting?.code).toBe(code);
const underWay = async (faults: FaultClient, operation: string) => {
  const { calls } = await faults.ledger();
  const open = calls.filter((call) => call.operation === operation && call.status === null);
  expect(open.length).toBeGreaterThan(0);
};

export const stages: readonly [Stage, ...Stage[]] = [
  { name: 'before the first task', client: 'declared', arrived: at('awaiting_upload') },
  {
    name: 'looking for the bytes',
    client: 'confirmed without bytes',
    arrived: waitsFor('STORAGE_OBJECT_ABSENT'),
  },
  {
    name: 'submitting',
    client: 'uploaded',
    // The job is at the parser, and we have not been told its id.
    faults: {
      parser: [
        { operation: 'parse.create', effect: { kind: 'named', name: 'early-webhook' } },
        { operation: 'parse.run', effect: held },
      ],
    },
    arrived: async ({ road }) => {
      expect((await road.faults.parser.ledger()).counts['parse.paid']).toBe(1);
      await underWay(road.faults.parser, 'parse.create');
    },
  },
  {
    name: 'waiting for the webhook',
    client: 'uploaded',
    faults: { parser: [{ operation: 'parse.run', effect: held }] },
    arrived: at('parse_queued'),
  },
  {
    name: 'collecting',
    client: 'uploaded',
    faults: { storage: [{ operation: 'object.upload', subject: 'parsed/', effect: held }] },
    arrived: ({ road }) => underWay(road.faults.storage, 'object.upload'),
  },
  { name: 'chunking', client: 'uploaded', longer: true, arrived: at('chunking') },
  {
    name: 'embedding',
    client: 'uploaded',
    faults: { embedding: [{ operation: 'embeddings.create', effect: held }] },
    arrived: at('embedding_in_progress'),
  },
  {
    name: 'waiting for storage',
    client: 'uploaded',
    faults: {
      storage: ['object.info', 'object.copy', 'bucket.read'].map((operation) => ({
        operation,
        times: 'always',
        effect: down,
      })),
    },
    arrived: waitsFor('STORAGE_UNAVAILABLE'),
  },
];

/** Takes a file to the stage and comes back when it stands there. */
export async function holdAt(stage: Stage, scene: Scene, file: SomeFile): Promise<HeldDocument> {
  const { road, me } = scene;
  await Promise.all(Object.values(road.faults).map((faults) => faults.clearLedger()));
  const declared = await declare(me, file);
  const documentId = declared.documentId as DocumentId;
  if (stage.client === 'uploaded') expect(await put(declared.uploadUrl, file)).toBe(200);
  for (const [vendor, rules] of Object.entries(stage.faults ?? {})) {
    await road.faults[vendor as keyof Road['faults']].add(...rules);
  }
  if (stage.client !== 'declared') await me.api.confirmUpload(documentId);
  await vi.waitFor(() => stage.arrived(scene, documentId), { timeout: 45_000, interval: 25 });
  return { documentId, uploadUrl: declared.uploadUrl };
}
