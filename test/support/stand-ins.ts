/** The three vendors' stand-ins in this process, and the part of Intake's configuration that points at them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DEVELOPMENT_SECRET_PREFIX } from '../../src/config.ts';
import { mintServiceKey } from '../../src/dev/dev-identity.ts';
import { startEmbeddingStandIn } from '../../src/dev/embedding-stand-in/embedding-stand-in.ts';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import {
  type ParserStandInOptions,
  startParserStandIn,
} from '../../src/dev/parser-stand-in/parser-stand-in.ts';
import { startStorageStandIn } from '../../src/dev/storage-stand-in/storage-stand-in.ts';
import { embeddingModelFiles } from '../../src/dev/tools.ts';
import { ensureBucket } from '../../src/storage/ensure-bucket.ts';

export interface StandInOptions {
  readonly uploadUrlLifetimeSeconds?: number;
  readonly parser?: Partial<ParserStandInOptions>;
  /** Words alone unless told; `minilm` is the real small model. */
  readonly embeddings?: 'words' | 'minilm';
}

export interface StandIns {
  readonly environment: Readonly<Record<string, string>>;
  readonly jwtSecret: string;
  /** What each of them keeps on disk. */
  readonly folders: { readonly storage: string; readonly parser: string };
  readonly faults: {
    readonly storage: FaultClient;
    readonly parser: FaultClient;
    readonly embedding: FaultClient;
  };
  close(): Promise<void>;
}

const MAX_FILE_BYTES = 52_428_800;

/** `folder` is a temporary one of the caller's. */
export async function startStandIns(
  folder: string,
  { uploadUrlLifetimeSeconds = 7200, parser: settings, embeddings = 'words' }: StandInOptions = {},
): Promise<StandIns> {
  const jwtSecret = DEVELOPMENT_SECRET_PREFIX + randomUUID();
  const serviceKey = await mintServiceKey(jwtSecret);
  const parserKey = `llx-${randomUUID()}`;
  const embeddingsKey = randomUUID();
  const folders = { storage: join(folder, 'storage'), parser: join(folder, 'parser') };
  const [storage, parser, embedding] = await Promise.all([
    startStorageStandIn({ dataFolder: folders.storage, serviceKey, uploadUrlLifetimeSeconds }),
    startParserStandIn({ dataFolder: folders.parser, apiKey: parserKey, ...settings }),
    startEmbeddingStandIn({ apiKey: embeddingsKey }),
  ]);
  await ensureBucket(
    { url: storage.url, serviceRoleKey: serviceKey, bucket: 'files' },
    { maxFileBytes: MAX_FILE_BYTES },
  );
  return {
    jwtSecret,
    folders,
    environment: {
      SUPABASE_URL: storage.url,
      SUPABASE_SERVICE_ROLE_KEY: serviceKey,
      SUPABASE_JWT_SECRET: jwtSecret,
      UPLOAD_URL_LIFETIME_SECONDS: `${uploadUrlLifetimeSeconds}`,
      LLAMA_CLOUD_BASE_URL: parser.url,
      LLAMA_CLOUD_API_KEY: parserKey,
      PARSER_CALLS_PER_SECOND: '1000',
      WEBHOOK_TOKEN_KEY: randomUUID(),
      WEBHOOK_SIGNING_SECRET: randomUUID(),
      EMBEDDINGS_URL: `${embedding.url}/v1`,
      EMBEDDINGS_API_KEY: embeddingsKey,
      EMBEDDER_CALLS_PER_SECOND: '1000',
      EMBEDDINGS_DIMENSIONS: '384',
      EMBEDDINGS_MAX_TOKENS: '256',
      EMBEDDINGS_BATCH_SIZE: '8',
      ...(embeddings === 'words'
        ? { EMBEDDINGS_MODEL: 'deterministic-384' }
        : {
            EMBEDDINGS_MODEL: 'all-MiniLM-L6-v2',
            EMBEDDINGS_TOKENIZER: embeddingModelFiles().tokenizer,
          }),
    },
    faults: {
      storage: createFaultClient(storage.url),
      parser: createFaultClient(parser.url),
      embedding: createFaultClient(embedding.url),
    },
    close: async () => {
      await Promise.all([storage.close(), parser.close(), embedding.close()]);
    },
  };
}
