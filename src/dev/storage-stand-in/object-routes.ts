/** Routes about objects that carry no bytes: info, list, copy, remove. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { DiskBucket, StoredObject } from './disk-bucket.ts';
import type { DiskBuckets } from './disk-buckets.ts';
import { listFolder } from './list-folder.ts';
import { keySubject, objectAddress, validKey } from './object-address.ts';
import { parseBody } from './parse-body.ts';
import { refuse } from './refusals.ts';

interface BucketRoute {
  readonly Params: { readonly bucket: string };
}

const listBody = z.object({
  prefix: z.string(),
  limit: z.number().int().positive().default(100),
  offset: z.number().int().nonnegative().default(0),
});
const copyBody = z.object({
  bucketId: z.string(),
  sourceKey: z.string(),
  destinationKey: z.string(),
});
const removeBody = z.object({ prefixes: z.array(z.string()).min(1).max(1000) });

export async function objectRoutes(
  app: FastifyInstance,
  { buckets }: { buckets: DiskBuckets },
): Promise<void> {
  infoRoute(app, buckets);
  listRoute(app, buckets);
  copyRoute(app, buckets);
  removeRoute(app, buckets);
}

/** The object, unless it is missing, hidden by the fault script or by row-level security. */
export function visibleObject(
  bucket: DiskBucket,
  key: string,
  { isService, fault }: FastifyRequest,
): StoredObject {
  const object = bucket.find(validKey(key));
  if (object === undefined || !isService || fault?.name === 'hide') throw refuse.noSuchKey();
  return object;
}

function infoRoute(app: FastifyInstance, buckets: DiskBuckets): void {
  const config = { operation: 'object.info', subject: keySubject };
  app.get('/object/info/:bucket/*', { config }, async (request) => {
    const { bucket, key } = objectAddress(request);
    const object = visibleObject(buckets.get(bucket), key, request);
    return {
      id: object.id,
      name: object.key,
      version: object.version,
      bucket_id: bucket,
      size: object.sizeBytes,
      content_type: object.contentType,
      cache_control: object.cacheControl,
      etag: object.etag,
      metadata: object.userMetadata,
      last_modified: object.updatedAt,
      created_at: object.createdAt,
    };
  });
}

function listRoute(app: FastifyInstance, buckets: DiskBuckets): void {
  const config = {
    operation: 'object.list',
    subject: ({ body }: FastifyRequest) => listBody.safeParse(body).data?.prefix,
  };
  app.post<BucketRoute>('/object/list/:bucket', { config }, async (request) => {
    const query = parseBody(listBody, request.body);
    // Row-level security and a missing bucket both give an empty page.
    const bucket = request.isService ? buckets.find(request.params.bucket) : undefined;
    return bucket === undefined ? [] : listFolder(bucket, query);
  });
}

function copyRoute(app: FastifyInstance, buckets: DiskBuckets): void {
  const config = {
    operation: 'object.copy',
    subject: ({ body }: FastifyRequest) => {
      const keys = copyBody.safeParse(body).data;
      return keys === undefined ? undefined : `${keys.sourceKey} ${keys.destinationKey}`;
    },
  };
  app.post('/object/copy', { config }, async (request) => {
    const { bucketId, sourceKey, destinationKey } = parseBody(copyBody, request.body);
    const bucket = buckets.get(bucketId);
    const source = visibleObject(bucket, sourceKey, request);
    if (bucket.find(validKey(destinationKey)) !== undefined) throw refuse.keyAlreadyExists();
    const { id } = await bucket.copy(source, destinationKey);
    return { Id: id, Key: `${bucketId}/${destinationKey}` };
  });
}

function removeRoute(app: FastifyInstance, buckets: DiskBuckets): void {
  const config = {
    operation: 'object.remove',
    subject: ({ body }: FastifyRequest) => removeBody.safeParse(body).data?.prefixes.join(' '),
  };
  app.delete<BucketRoute>('/object/:bucket', { config }, async (request) => {
    const { prefixes } = parseBody(removeBody, request.body);
    const bucket = request.isService ? buckets.find(request.params.bucket) : undefined;
    const found = prefixes.flatMap((key) => bucket?.find(key) ?? []);
    for (const object of found) await bucket?.remove(object);
    return found.map(({ key }) => ({ name: key, bucket_id: request.params.bucket }));
  });
}
