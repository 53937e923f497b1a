/** Routes that sign URLs, for one upload or for downloads of one object. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { DiskBuckets } from './disk-buckets.ts';
import { keySubject, objectAddress, validKey } from './object-address.ts';
import { visibleObject } from './object-routes.ts';
import { parseBody } from './parse-body.ts';
import { refuse } from './refusals.ts';
import type { SignedTokens } from './signed-tokens.ts';

export interface SignRouteOptions {
  readonly buckets: DiskBuckets;
  readonly tokens: SignedTokens;
  readonly uploadUrlLifetimeSeconds: number;
}

const signBody = z.object({ expiresIn: z.number().int().positive() });

export async function signRoutes(
  app: FastifyInstance,
  { buckets, tokens, uploadUrlLifetimeSeconds }: SignRouteOptions,
): Promise<void> {
  app.post(
    '/object/sign/:bucket/*',
    { config: { operation: 'object.sign', subject: keySubject } },
    async (request) => {
      const { bucket, key } = objectAddress(request);
      const { expiresIn } = parseBody(signBody, request.body);
      visibleObject(buckets.get(bucket), key, request);
      const url = `${bucket}/${key}`;
      const token = await tokens.sign({ url, scope: 'download' }, expiresIn);
      return { signedURL: `/object/sign/${url}?token=${token}` };
    },
  );

  app.post(
    '/object/upload/sign/:bucket/*',
    { config: { operation: 'object.sign-upload', subject: keySubject } },
    async (request) => {
      const { bucket, key } = objectAddress(request);
      const upsert = request.headers['x-upsert'] === 'true';
      const isTaken = buckets.get(bucket).find(validKey(key)) !== undefined;
      if (!request.isService) throw refuse.rowLevelSecurity();
      if (isTaken && !upsert) throw refuse.keyAlreadyExists();
      const url = `${bucket}/${key}`;
      const token = await tokens.sign({ url, scope: 'upload', upsert }, uploadUrlLifetimeSeconds);
      return { url: `/object/upload/sign/${url}?token=${token}`, token };
    },
  );
}
