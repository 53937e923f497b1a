/** `/api/v1/beta/files`: uploads, found again by our own id for them. */
import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RecordStore } from './record-store.ts';
import type { FileRecord } from './records.ts';
import { Refusal } from './refusal.ts';

export async function fileRoutes(
  app: FastifyInstance,
  { store, projectId }: { readonly store: RecordStore; readonly projectId: string },
): Promise<void> {
  app.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      return new Response(body, { headers }).formData();
    },
  );
  const answer = ({ sha256: _, created_at: __, ...file }: FileRecord) => ({
    ...file,
    project_id: projectId,
    file_type: file.name.split('.').at(-1) ?? null,
    expires_at: null,
  });

  app.post(
    '/',
    { config: { operation: 'file.create', subject: externalIdInForm } },
    async (request) => {
      const form = request.body;
      const file = form instanceof FormData ? form.get('file') : null;
      if (!(form instanceof FormData) || !(file instanceof File)) throw new Refusal(400, 'No file');
      if (file.name === '') throw new Refusal(400, 'No file name');
      if (file.size === 0) throw new Refusal(400, 'Empty file');
      const content = Buffer.from(await file.arrayBuffer());
      const record: FileRecord = {
        id: randomUUID(),
        name: file.name,
        external_file_id: textField(form, 'external_file_id'),
        purpose: textField(form, 'purpose') ?? 'user_data',
        sha256: createHash('sha256').update(content).digest('hex'),
        created_at: new Date().toISOString(),
      };
      await store.addFile(record, content);
      return answer(record);
    },
  );

  app.get<{ Querystring: { external_file_id?: string } }>(
    '/',
    {
      config: {
        operation: 'file.list',
        subject: (request) => (request.query as { external_file_id?: string }).external_file_id,
      },
    },
    async ({ query }) => {
      const items = [...store.files.values()].filter(
        (file) =>
          query.external_file_id === undefined || file.external_file_id === query.external_file_id,
      );
      return { items: items.map(answer), next_page_token: null, total_size: items.length };
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/:id',
    {
      config: {
        operation: 'file.delete',
        subject: (request) => (request.params as { id: string }).id,
      },
    },
    async ({ params }, reply) => {
      if (!store.files.has(params.id)) throw new Refusal(404, 'File not found');
      await store.removeFile(params.id);
      return reply.code(204).send();
    },
  );
}

function externalIdInForm({ body }: FastifyRequest): string | undefined {
  return body instanceof FormData ? (textField(body, 'external_file_id') ?? undefined) : undefined;
}

function textField(form: FormData, name: string): string | null {
  const value = form.get(name);
  return typeof value === 'string' ? value : null;
}
