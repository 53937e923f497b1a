/** Creating and reading bucket rows. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { DiskBuckets } from './disk-buckets.ts';
import { parseBody } from './parse-body.ts';
import { refuse } from './refusals.ts';

const createBody = z.object({
  id: z.string().optional(),
  name: z.string(),
  public: z.boolean().default(false),
  file_size_limit: z.number().int().positive().nullish(),
  allowed_mime_types: z.array(z.string()).nullish(),
});

export async function bucketRoutes(
  app: FastifyInstance,
  { buckets }: { buckets: DiskBuckets },
): Promise<void> {
  app.post(
    '/bucket',
    {
      config: {
        operation: 'bucket.create',
        subject: ({ body }) => createBody.safeParse(body).data?.name,
      },
    },
    async (request) => {
      const data = parseBody(createBody, request.body);
      if (!request.isService) throw refuse.rowLevelSecurity();
      buckets.create({
        id: data.id ?? data.name,
        public: data.public,
        fileSizeLimit: data.file_size_limit ?? null,
        allowedMimeTypes: data.allowed_mime_types ?? null,
        createdAt: new Date().toISOString(),
      });
      return { name: data.name };
    },
  );

  app.get<{ Params: { bucket: string } }>(
    '/bucket/:bucket',
    {
      config: {
        operation: 'bucket.read',
        subject: ({ params }) => (params as { bucket: string }).bucket,
      },
    },
    async (request) => {
      const { row } = buckets.get(request.params.bucket);
      if (!request.isService) throw refuse.noSuchBucket();
      return {
        id: row.id,
        name: row.id,
        owner: '',
        public: row.public,
        file_size_limit: row.fileSizeLimit,
        allowed_mime_types: row.allowedMimeTypes,
        created_at: row.createdAt,
        updated_at: row.createdAt,
      };
    },
  );
}
