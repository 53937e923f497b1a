/** The run's current details: what an operator reads in the Temporal UI, in words. */
import { setCurrentDetails } from '@temporalio/workflow';

interface Facts {
  readonly deadlineAtMs?: number;
  readonly nextLookAtMs?: number;
  readonly parseJobId?: string;
}

const scenes = {
  verify: 'Looking for the uploaded bytes: private copy, size, checksum, type. Turn: ours.',
  awaitUpload: 'The bytes have not arrived yet. Turn: the owner, who uploads and confirms.',
  storageOut:
    'Storage is down or refuses us. The document waits; nobody needs to upload again. Turn: ours.',
  parse: 'Handing the document to the parser. Turn: ours.',
  awaitParse: "Waiting for the parser's webhook; polling when it stays silent. Turn: the parser.",
  collect: 'Fetching the result, validating it page by page, storing and chunking it. Turn: ours.',
  embed: 'Embedding the chunks in sub-batches, then the read-back proof. Turn: the embedder.',
  complete: 'Complete: found by search.',
} as const;

export function tell(scene: keyof typeof scenes, facts: Facts): void {
  const lines = [
    `**${scenes[scene]}**`,
    ...(facts.nextLookAtMs === undefined ? [] : [`Next look: ${instant(facts.nextLookAtMs)}`]),
    ...(facts.deadlineAtMs === undefined ? [] : [`Deadline: ${instant(facts.deadlineAtMs)}`]),
    ...(facts.parseJobId === undefined ? [] : [`Parse job: \`${facts.parseJobId}\``]),
  ];
  setCurrentDetails(lines.join('\n\n'));
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
