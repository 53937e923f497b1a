/**
 * An original installation becomes one of Intake: the tables beside it, every document taken over, then the views in the
 * place of the original's tables. Whatever breaks it off, the next run goes on; one that finds nothing changes nothing.
 */
import { createTokenCounter } from '../chunking/count-tokens.ts';
import { migrate } from '../db/migrate.ts';
import {
  findOriginal,
  moveAside,
  type OriginalDocument,
  type OriginalSchema,
  originalDocuments,
} from '../db/original.ts';
import { inTransaction, type Pool } from '../db/pool.ts';
import { IntakeError } from '../domain/errors.ts';
import { checkedKey } from '../storage/object-key.ts';
import { fateOf, type Reason } from './fate.ts';
import { takeOver } from './take-over.ts';
import { type ByteDependencies, type Tally, takeOverBytes } from './take-over-bytes.ts';

/** Documents that stood and fare alike. */
export interface Group {
  /** The original's status, `none` where no job had one. */
  readonly status: string;
  readonly becomes: Reason;
  readonly documents: number;
}

export interface Upgraded {
  readonly groups: readonly Group[];
  readonly originals: Tally;
  readonly markdowns: Tally;
}

/** Reads only. */
export async function lookAtOriginal(pool: Pool): Promise<readonly Group[]> {
  const schema = await requireOriginal(pool);
  return await grouped(pool, schema, async (document) => fateOf(document).reason);
}

export interface UpgradeDependencies extends ByteDependencies {
  readonly databaseUrl: string;
  readonly uploadLifetimeMs: number;
}

export async function upgrade(dependencies: UpgradeDependencies): Promise<Upgraded> {
  const { pool, databaseUrl } = dependencies;
  const schema = await requireOriginal(pool);
  await migrate(databaseUrl, { withoutViews: true });
  let groups: readonly Group[] = [];
  const takeOverRows = async () => {
    groups = await takeOverAll(dependencies, schema);
  };
  // From here on readers see the original's rows, until they see Intake's.
  if (schema === 'upload_pipeline') await moveAside(databaseUrl, takeOverRows);
  else await takeOverRows();
  await migrate(databaseUrl);
  return { groups, ...(await takeOverBytes(dependencies)) };
}

async function requireOriginal(pool: Pool): Promise<OriginalSchema> {
  const schema = await findOriginal(pool);
  if (schema !== undefined) return schema;
  throw new IntakeError('UPGRADE_REFUSED', {
    detail:
      'the original’s tables are in this database neither in upload_pipeline nor in upload_pipeline_original',
  });
}

async function takeOverAll(
  { pool, uploadLifetimeMs }: UpgradeDependencies,
  schema: OriginalSchema,
): Promise<readonly Group[]> {
  const options = {
    schema,
    counter: await createTokenCounter('cl100k_base'),
    uploadLifetimeMs,
    isKey,
  };
  return await grouped(pool, schema, async (document) => {
    const fate = fateOf(document);
    if (fate.kind === 'present') return fate.reason;
    const isTaken = await inTransaction(pool, (transaction) =>
      takeOver(transaction, document, { ...options, fate }),
    );
    return isTaken ? fate.reason : 'present';
  });
}

function isKey(key: string): boolean {
  try {
    return checkedKey(key) === key;
  } catch {
    return false;
  }
}

const PAGE = 100;

async function grouped(
  pool: Pool,
  schema: OriginalSchema,
  becomes: (document: OriginalDocument) => Promise<Reason>,
): Promise<readonly Group[]> {
  const groups = new Map<string, Group>();
  let page = await originalDocuments(pool, schema, { limit: PAGE });
  while (page.length > 0) {
    for (const document of page) {
      const group = { status: document.job?.status ?? 'none', becomes: await becomes(document) };
      const key = `${group.status} ${group.becomes}`;
      groups.set(key, { ...group, documents: (groups.get(key)?.documents ?? 0) + 1 });
    }
    page = await originalDocuments(pool, schema, { after: page.at(-1)?.documentId, limit: PAGE });
  }
  return [...groups.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
