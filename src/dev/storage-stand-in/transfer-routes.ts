/** Routes that carry bytes: uploads and downloads, with the service key or with a signed token. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseRange } from './byte-range.ts';
import type { DiskBucket, StoredObject } from './disk-bucket.ts';
import type { DiskBuckets } from './disk-buckets.ts';
import { keySubject, objectAddress, validKey } from './object-address.ts';
import { refuse } from './refusals.ts';
import type { SignedTokens } from './signed-tokens.ts';
import { tamper, withEnding } from './tamper.ts';
import { readUpload } from './upload-body.ts';

interface TokenQuery {
  readonly Querystring: { readonly token?: string };
}

export interface TransferOptions {
  readonly buckets: DiskBuckets;
  readonly tokens: SignedTokens;
}

export async function transferRoutes(
  app: FastifyInstance,
  { buckets, tokens }: TransferOptions,
): Promise<void> {
  // Bodies are read as streams by the handlers.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  for (const method of ['POST', 'PUT'] as const) {
    app.route({
      method,
      url: '/object/:bucket/*',
      config: { operation: 'object.upload', subject: keySubject },
      handler: async (request) => {
        const { bucket } = objectAddress(request);
        if (!request.isService) throw refuse.rowLevelSecurity();
        const upsert = method === 'PUT' || request.headers['x-upsert'] === 'true';
        const object = await receive(request, { bucket: buckets.get(bucket), upsert });
        return { Id: object.id, Key: `${bucket}/${object.key}` };
      },
    });
  }

  app.put<TokenQuery>(
    '/object/upload/sign/:bucket/*',
    { config: { operation: 'object.signed-upload', subject: keySubject, signed: true } },
    async (request) => {
      const { bucket, key } = objectAddress(request);
      const upsert = await tokens.verify(request.query.token ?? '', {
        url: `${bucket}/${key}`,
        scope: 'upload',
      });
      const object = await receive(request, { bucket: buckets.get(bucket), upsert });
      return { Key: `${bucket}/${object.key}` };
    },
  );

  app.get(
    '/object/:bucket/*',
    { config: { operation: 'object.read', subject: keySubject } },
    async (request, reply) => {
      const bucket = buckets.get(objectAddress(request).bucket);
      if (!request.isService) throw refuse.noSuchKey();
      return deliver(request, reply, bucket);
    },
  );

  app.get<TokenQuery>(
    '/object/sign/:bucket/*',
    { config: { operation: 'object.signed-read', subject: keySubject, signed: true } },
    async (request, reply) => {
      const { bucket, key } = objectAddress(request);
      await tokens.verify(request.query.token ?? '', {
        url: `${bucket}/${key}`,
        scope: 'download',
      });
      return deliver(request, reply, buckets.get(bucket));
    },
  );
}

async function receive(
  request: FastifyRequest,
  { bucket, upsert }: { bucket: DiskBucket; upsert: boolean },
): Promise<StoredObject> {
  const key = validKey(objectAddress(request).key);
  const file = await readUpload(request);
  const { contentType } = file.attributes;
  const { allowedMimeTypes, fileSizeLimit } = bucket.row;
  if (allowedMimeTypes !== null && !allows(allowedMimeTypes, contentType)) {
    throw refuse.invalidMimeType(contentType);
  }
  if ((file.sizeBytes ?? 0) > (fileSizeLimit ?? Number.POSITIVE_INFINITY)) {
    throw refuse.entityTooLarge();
  }
  if (!upsert && bucket.find(key) !== undefined) throw refuse.keyAlreadyExists();
  return bucket.write(key, tamper(file.body, request.fault), file.attributes);
}

async function deliver(
  request: FastifyRequest,
  reply: FastifyReply,
  bucket: DiskBucket,
): Promise<FastifyReply> {
  const object = bucket.find(validKey(objectAddress(request).key));
  const { fault } = request;
  if (object === undefined || fault?.name === 'hide') throw refuse.noSuchKey();
  reply.headers({
    'accept-ranges': 'bytes',
    etag: object.etag,
    'last-modified': new Date(object.updatedAt).toUTCString(),
    'cache-control': object.cacheControl,
    // The real server never lets a browser render HTML.
    'content-type': object.contentType.includes('text/html') ? 'text/plain' : object.contentType,
  });
  if (request.headers['if-none-match'] === object.etag) return reply.code(304).send();

  const { sizeBytes } = object;
  const asked = request.headers.range;
  const range = asked === undefined ? undefined : parseRange(asked, sizeBytes);
  const bytes = await bucket.open(object);
  if (bytes === undefined) throw refuse.noSuchKey();
  if (range !== undefined) {
    reply.code(206);
    reply.header('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`);
  }
  const length = range === undefined ? sizeBytes : range.end - range.start + 1;
  if (fault?.name !== 'shorten') reply.header('content-length', length);
  const body = tamper(bytes.createReadStream(range), fault);
  return reply.send(Readable.from(withEnding(body, fault, () => once(reply.raw, 'close'))));
}

function allows(allowed: readonly string[], contentType: string): boolean {
  const [type = '', subtype] = contentType.split('/');
  return allowed.some((pattern) => pattern === `${type}/${subtype}` || pattern === `${type}/*`);
}
