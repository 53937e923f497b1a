/**
 * Supabase Storage's HTTP on loopback, bytes on disk. Answers as storage server 1.11 does with its file backend;
 * the contract suite holds it against a real one. Resumable uploads are not served.
 */
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultScript } from '../fault-script.ts';
import { listen, listening, type StandIn } from '../run-stand-in.ts';
import { authorize } from './authorize.ts';
import { bucketRoutes } from './bucket-routes.ts';
import { DiskBuckets } from './disk-buckets.ts';
import { objectRoutes } from './object-routes.ts';
import { refuse, StorageRefusal } from './refusals.ts';
import { signRoutes } from './sign-routes.ts';
import { createSignedTokens } from './signed-tokens.ts';
import { downloadFaults, uploadFaults } from './tamper.ts';
import { transferRoutes } from './transfer-routes.ts';

export const storageStandInOptions = z.strictObject({
  dataFolder: z.string().min(1),
  serviceKey: z.string().min(1),
  /** A caller with this key meets row-level security that allows nothing. */
  anonKey: z.string().min(1).optional(),
  ...listening,
  uploadUrlLifetimeSeconds: z.number().int().positive().default(7200),
});

export type StorageStandInOptions = z.input<typeof storageStandInOptions>;

/** `forbid-as-missing` answers as row-level security does: reads and lists look empty, writes are refused. */
const operations = {
  'bucket.create': ['forbid-as-missing'],
  'bucket.read': ['forbid-as-missing'],
  'object.upload': ['forbid-as-missing', ...uploadFaults],
  'object.signed-upload': uploadFaults,
  'object.sign-upload': ['forbid-as-missing'],
  'object.read': ['forbid-as-missing', 'hide', ...downloadFaults],
  'object.signed-read': ['hide', ...downloadFaults],
  'object.info': ['forbid-as-missing', 'hide'],
  'object.list': ['forbid-as-missing'],
  'object.copy': ['forbid-as-missing', 'hide'],
  'object.remove': ['forbid-as-missing'],
  'object.sign': ['forbid-as-missing', 'hide'],
};

export async function startStorageStandIn(input: StorageStandInOptions): Promise<StandIn> {
  const options = storageStandInOptions.parse(input);
  const { serviceKey, anonKey, uploadUrlLifetimeSeconds } = options;
  const buckets = new DiskBuckets(options.dataFolder);
  // Signed URLs outlive a restart, so their key is derived from what stays.
  const tokens = createSignedTokens(`${serviceKey}/signed-urls`);

  const app = Fastify({ forceCloseConnections: true });
  answerBrowsers(app);
  app.setErrorHandler((error: FastifyError | StorageRefusal, _request, reply) => {
    const refusal = error instanceof StorageRefusal ? error : foreign(error);
    return reply.code(refusal.httpStatus).send(refusal.body);
  });
  await app.register(faultScript, { operations });
  await app.register(authorize, { serviceKey, anonKey });
  const prefix = '/storage/v1';
  await app.register(bucketRoutes, { prefix, buckets });
  await app.register(objectRoutes, { prefix, buckets });
  await app.register(signRoutes, { prefix, buckets, tokens, uploadUrlLifetimeSeconds });
  await app.register(transferRoutes, { prefix, buckets, tokens });
  return listen(app, options);
}

/** Disk full and the like are 500, as in the real server; a body that Fastify refuses is the caller's fault. */
function foreign(error: FastifyError): StorageRefusal {
  return (error.statusCode ?? 500) < 500
    ? refuse.invalidRequest(error.message)
    : refuse.internalError(error);
}

/** What the gateway adds, so that a page may PUT to a signed URL. */
function answerBrowsers(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('access-control-allow-origin', '*');
    if (request.method !== 'OPTIONS') return;
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE',
        'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
        'access-control-max-age': '3600',
      })
      .send();
  });
}
