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
      return readForm(await new Response(body, { headers }).formData());
    },
  );
  const answer = ({ sha256: _, created_at: __, ...file }: FileRecord) => ({
    ...file,
    project_id: projectId,
    file_type: file.name.split('.').at(-1) ?? null,
    expires_at: null,
  });

  app.post('/', { config: { operation: 'file.create', subject: subjectIn } }, async (request) => {
    const form = formOf(request);
    if (form === undefined) throw new Refusal(400, 'No file');
    const { name, content } = form;
    if (name === '') throw new Refusal(400, 'No file name');
    if (content.byteLength === 0) throw new Refusal(400, 'Empty file');
    const record: FileRecord = {
      id: randomUUID(),
      name,
      external_file_id: form.externalId,
      purpose: form.purpose ?? 'user_data',
      sha256: form.sha256,
      created_at: new Date().toISOString(),
    };
    await store.addFile(record, content);
    return answer(record);
  });

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

interface FileForm {
  readonly name: string;
  readonly content: Buffer;
  readonly sha256: string;
  readonly externalId: string | null;
  readonly purpose: string | null;
}

/** Nothing where the form has no file. */
async function readForm(form: FormData): Promise<FileForm | undefined> {
  const file = form.get('file');
  if (!(file instanceof File)) return undefined;
  const content = Buffer.from(await file.arrayBuffer());
  return {
    name: file.name,
    content,
    sha256: createHash('sha256').update(content).digest('hex'),
    externalId: textField(form, 'external_file_id'),
    purpose: textField(form, 'purpose'),
  };
}

/** The one body parser of these routes has made it. */
function formOf({ body }: FastifyRequest): FileForm | undefined {
  return body as FileForm | undefined;
}

/** Our id for the file, and what it holds. */
function subjectIn(request: FastifyRequest): string | undefined {
  const form = formOf(request);
  return form && [form.externalId, form.sha256].filter(Boolean).join(' ');
}

function textField(form: FormData, name: string): string | null {
  const value = form.get(name);
  return typeof value === 'string' ? value : null;
}
